"""Random shapes of the operations on rows and single elements, see random_runs.py."""

import numpy as np
import random_cases
import torch
from random_cases import laid_out, numbers, pick
from random_runs import DTYPES, by_rule, cases, draws_of, equal, on_all, stacked

from pyconv import ops

functional = torch.nn.functional


@cases(5, random_cases.product)
def test_dense(rng, case):
    n, inputs, units = case
    kind = pick(rng, ("integers", "normal"))
    shapes = (n, inputs), (inputs, units), (units,), (n, units)
    draws = [[numbers(rng, s, kind) for s in shapes] for _ in range(draws_of(kind, *shapes))]

    def by_torch(x, w, b, dy, dtype):
        x, w, b, dy = (torch.tensor(a, dtype=dtype) for a in (x, w, b, dy))
        return [v.numpy() for v in ((x @ w + b).relu(), dy @ w.T, x.T @ dy, dy.sum(0))]

    results = [stacked(by_torch(*arrays, d) for arrays in draws) for d in DTYPES]
    given = [[laid_out(rng, a) for a in arrays] for arrays in draws]

    def operation():
        return stacked(
            (ops.dense(x, w, b, activation="relu"), *ops.dense_backward(x, w, dy))
            for x, w, b, dy in given
        )

    on_all(rng, operation, by_rule(results))


@cases(6, random_cases.shape)
def test_softmax(rng, shape):
    x = (10 * rng.standard_normal(shape)).astype(np.float32)
    dy = rng.standard_normal(shape, np.float32)
    y = ops.softmax(x)
    results = []
    for dtype in DTYPES:
        t, yt, dyt = (torch.tensor(v, dtype=dtype) for v in (x, y, dy))
        dx = torch.ops.aten._softmax_backward_data(dyt, yt, -1, dtype)
        results.append((torch.softmax(t, -1).numpy(), dx.numpy()))
    given = laid_out(rng, x), laid_out(rng, y), laid_out(rng, dy)

    def operation():
        return ops.softmax(given[0]), ops.softmax_backward(*given[1:])

    on_all(rng, operation, by_rule(results))


def rows(rng):
    return pick(rng, random_cases.BATCHES), pick(rng, (*random_cases.CHANNELS, 10, 1000))


@cases(7, rows)
def test_softmax_cross_entropy(rng, case):
    n, c = case
    logits = (5 * rng.standard_normal((n, c))).astype(np.float32)
    classes = rng.integers(0, c, n)
    shares = rng.dirichlet(np.ones(c), n).astype(np.float32)
    labels = pick(rng, (classes, classes[:, None].astype(np.uint16), classes.astype(">i4"), shares))
    truth = [torch.tensor(v) for v in (classes, shares)]
    results = []
    for dtype in DTYPES:
        t = torch.tensor(logits, dtype=dtype, requires_grad=True)
        wanted = truth[1].to(dtype) if labels is shares else truth[0]
        loss = functional.cross_entropy(t, wanted, reduction="none")
        loss.sum().backward()
        grad = t.grad.numpy()
        if labels is shares:  # torch takes a row's probabilities to sum to 1
            mass = wanted.sum(1, keepdim=True)
            grad = (torch.softmax(t, 1) * mass - wanted).detach().numpy()
        results.append((loss.detach().numpy(), grad))
    given = laid_out(rng, logits)
    on_all(
        rng,
        lambda: ops.softmax_cross_entropy(given, labels),
        by_rule(results),
    )


@cases(8, random_cases.shape)
def test_relu(rng, shape):
    x = rng.standard_normal(shape, np.float32)
    spots = rng.random(shape) < 0.3
    x[spots] = rng.choice([np.nan, np.inf, -np.inf, 0, -0.0], spots.sum())
    dy = rng.standard_normal(shape, np.float32)
    t = torch.tensor(x, requires_grad=True)
    y = torch.relu(t)
    y.backward(torch.tensor(dy))
    wanted = y.detach().numpy(), t.grad.numpy()
    given = laid_out(rng, x), laid_out(rng, dy)

    def operation():
        y = ops.relu(given[0])
        return y, ops.relu_backward(y, given[1])

    def check(got, _):
        for ours, truth in zip(got, wanted, strict=True):
            equal(ours, truth)

    on_all(rng, operation, check)


def philox4x32(counters, key):
    """Return the four words of each counter: Philox4x32-10, Salmon et al., 2011."""
    c = [np.asarray(w, np.uint64) for w in counters]
    mask = np.uint64(2**32 - 1)
    for i in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        k0 = np.uint64((key[0] + i * 0x9E3779B9) % 2**32)
        k1 = np.uint64((key[1] + i * 0xBB67AE85) % 2**32)
        c = [(b >> np.uint64(32)) ^ c[1] ^ k0, b & mask, (a >> np.uint64(32)) ^ c[3] ^ k1, a & mask]
    return c


def test_philox():
    # known answers of the authors' library, Random123
    answers = [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ]
    for counter, key, wanted in answers:
        assert " ".join(f"{int(w):08x}" for w in philox4x32(counter, key)) == wanted


@cases(9, random_cases.shape)
def test_dropout(rng, shape):
    x = laid_out(rng, rng.standard_normal(shape, np.float32))
    rate = pick(rng, (0.0, 0.25, 0.5, float(rng.random()), 0.999, 1.0))
    seed = int(rng.integers(0, 2**63))
    index = np.arange(x.size, dtype=np.uint64)
    # value 16 * w + j of a block of 64 is word w of counter 16 * block + j
    counter = index // 64 * 16 + index % 16
    words = philox4x32((counter, 0 * index, 0 * index, 0 * index), (seed % 2**32, seed >> 32))
    bits = np.choose((index % 64 // 16).astype(int), words)
    kept = (bits >= np.uint64(round(rate * 2**32))).reshape(shape)
    scale = np.float32(1 / (1 - rate)) if rate < 1 else np.float32(0)
    wanted = np.where(kept, x * scale, np.float32(0))
    on_all(
        rng,
        lambda: (ops.dropout(x, rate, seed),),
        lambda got, _: equal(got[0], wanted),
    )
