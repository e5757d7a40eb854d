"""Random shapes of the operations on images, see random_runs.py."""

import numpy as np
import random_cases
import reference
import torch
from random_cases import laid_out, numbers, pick, upto
from random_runs import DTYPES, by_rule, cases, draws_of, equal, on_all, stacked

from pyconv import backend, ops

functional = torch.nn.functional


@cases(1, random_cases.convolution)
def test_conv2d(rng, case):
    options = case["options"]
    inputs = []
    draws = draws_of(case["kind"], *(case[k] for k in "xwy"))
    for _ in range(draws):
        x, w, dy = (numbers(rng, case[k], case["kind"]) for k in "xwy")
        b = numbers(rng, case["w"][3:], case["kind"]) if upto(rng, 1, 0) else None
        inputs.append((x, w, b, dy))
    geometry = (options["strides"], case["pads"], options["dilation"], options["groups"])
    exact, approximate = (
        stacked(reference.conv2d(*arrays, *geometry, d) for arrays in inputs) for d in DTYPES
    )
    given = [[None if a is None else laid_out(rng, a) for a in arrays] for arrays in inputs]
    activation = pick(rng, (None, "relu"))

    def operation():
        return stacked(
            (
                ops.conv2d(x, w, b, activation=activation, **options),
                ops.conv2d_backward_input(dy, w, case["x"], **options),
                ops.conv2d_backward_filter(x, dy, case["w"][:2], **options),
            )
            for x, w, b, dy in given
        )

    if activation == "relu":
        exact[0], approximate[0] = np.maximum(exact[0], 0), np.maximum(approximate[0], 0)

    def check(got, algorithm):
        # Winograd's transforms need not be exact on integers.
        if case["kind"] == "normal":
            by_rule((exact, approximate))(got, algorithm)
        elif algorithm == "direct":
            for ours, truth in zip(got, exact, strict=True):
                equal(ours, truth)

    on_all(rng, operation, check, ("auto", "direct", "winograd"))


def torch_pool(x, dy, case, dtype, pool):
    """Return (y, dx); torch pads by at most half a window, evenly, so the rest is done before."""
    window, strides, _ = case["arguments"]
    t = reference.nchw(x, dtype).requires_grad_()
    y = pool(t, window, strides, case["pads"])
    y.backward(reference.nchw(dy, dtype))
    return reference.nhwc(y), reference.nhwc(t.grad)


def torch_max_pool(t, window, strides, pads):
    if pads[0] == pads[1] <= window[0] // 2 and pads[2] == pads[3] <= window[1] // 2:
        return functional.max_pool2d(t, window, strides, (pads[0], pads[2]))
    padded = functional.pad(t, (pads[2], pads[3], pads[0], pads[1]), value=-torch.inf)
    return functional.max_pool2d(padded, window, strides)


@cases(2, random_cases.pooling)
def test_max_pool2d(rng, case):
    x = rng.standard_normal(case["x"], np.float32)
    kind = pick(rng, ("plain", "ties", "special"))
    if kind == "ties":
        x = np.round(x)
    if kind == "special":
        # Where the reference pads with -inf itself, one in the image would tie with it.
        values = [np.nan, np.inf, 0, -0.0, 1] + [-np.inf] * (case["pads"] == (0, 0, 0, 0))
        spots = rng.random(case["x"]) < 0.3
        x[spots] = rng.choice(values, spots.sum())
    dy = rng.standard_normal(case["y"], np.float32)
    wanted = torch_pool(x, dy, case, torch.float32, torch_max_pool)
    given = laid_out(rng, x), laid_out(rng, dy)

    def operation():
        return (
            ops.max_pool2d(given[0], *case["arguments"]),
            ops.max_pool2d_backward(*given, *case["arguments"]),
        )

    def check(got, _):
        for ours, truth in zip(got, wanted, strict=True):
            equal(ours, truth)
        assert np.array_equal(np.signbit(got[0]), np.signbit(wanted[0]))

    on_all(rng, operation, check)


@cases(11, random_cases.convolution)
def test_convolution_and_pooling_in_one_pass(rng, case):
    """The same maps as one after the other, bit for bit, and the gradients of float64."""
    options = case["options"]
    x, w, b = (numbers(rng, s, "normal") for s in (case["x"], case["w"], case["w"][3:]))
    n, h, width, c = case["y"]
    pool = strides = (2, 2)  # the most common windows have kernels of their own
    if min(h, width) < 2 or pick(rng, (True, False)):
        pool = (upto(rng, min(h, 4)), upto(rng, min(width, 4)))
        strides = pick(rng, (pool, (upto(rng, 3), upto(rng, 3))))
    geometry = (options["strides"], case["pads"], options["dilation"], options["groups"], "relu")
    windows = (pool, strides, (0, 0, 0, 0))
    maps = (n, *random_cases.outputs((h, width), pool, strides, (0, 0, 0, 0)), c)
    dy = rng.standard_normal(maps, np.float32)
    given = [laid_out(rng, a) for a in (x, w, b)]

    def operation():
        winners = backend.empty(maps, np.float32)
        y = backend.active.conv2d_maxpool2d_forward(*given, *geometry, *windows, None, winners)
        dx, dw, db = (backend.empty(a.shape, np.float32) for a in given)
        backend.active.conv2d_maxpool2d_backward(
            *given[:2], y, winners, dy, *geometry, *windows, dx, dw, db
        )
        return y, dx, dw, db

    def check(got, _):
        y = ops.conv2d(x, w, b, activation="relu", **options)
        equal(got[0], ops.max_pool2d(y, pool, strides))
        spread = ops.max_pool2d_backward(y, dy, pool, strides) * (y > 0)
        # Sums of the same products in another order, off by some of their sizes' roundings;
        # Winograd's transforms mix the taps of a filter.
        conv = (x, w, None, spread, options["strides"], case["pads"], *geometry[2:4], torch.float64)
        sizes = reference.conv2d(*map(np.abs, conv[:2]), None, np.abs(spread), *conv[4:])
        for i, mixed in ((1, (1, 2)), (2, (0, 1))):
            error = np.abs(got[i] - reference.conv2d(*conv)[i])
            assert (error <= 2e-5 * sizes[i].max(mixed, keepdims=True, initial=0)).all()
        db = spread.astype(np.float64).sum((0, 1, 2))
        assert (np.abs(got[3] - db) <= 2e-5 * np.abs(spread).sum((0, 1, 2))).all()

    on_all(rng, operation, check, ("auto", "direct", "winograd"))


def torch_avg_pool(t, window, strides, pads):
    if pads[0] == pads[1] <= window[0] // 2 and pads[2] == pads[3] <= window[1] // 2:
        sides = (pads[0], pads[2])
        return functional.avg_pool2d(t, window, strides, sides, count_include_pad=False)
    sides = (pads[2], pads[3], pads[0], pads[1])
    mean = functional.avg_pool2d(functional.pad(t, sides), window, strides)
    share = functional.avg_pool2d(functional.pad(torch.ones_like(t), sides), window, strides)
    return mean / share


@cases(3, random_cases.pooling)
def test_avg_pool2d(rng, case):
    x, dy = (rng.standard_normal(case[k], np.float32) for k in "xy")
    results = [torch_pool(x, dy, case, d, torch_avg_pool) for d in DTYPES]
    given = laid_out(rng, x), laid_out(rng, dy)

    def operation():
        return (
            ops.avg_pool2d(given[0], *case["arguments"]),
            ops.avg_pool2d_backward(*given, *case["arguments"]),
        )

    on_all(rng, operation, by_rule(results))


def images(rng):
    return (*random_cases.sizes(rng), pick(rng, random_cases.CHANNELS))


@cases(4, images)
def test_global_avg_pool2d(rng, shape):
    shapes = shape, (shape[0], shape[3])
    count = draws_of("normal", *shapes)
    draws = [[rng.standard_normal(s, np.float32) for s in shapes] for _ in range(count)]

    def by_torch(x, dy, dtype):
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        y = t.mean((1, 2))
        y.backward(torch.tensor(dy, dtype=dtype))
        return y.detach().numpy(), t.grad.numpy()

    results = [stacked(by_torch(*arrays, d) for arrays in draws) for d in DTYPES]
    given = [[laid_out(rng, a) for a in arrays] for arrays in draws]

    def operation():
        return stacked(
            (ops.global_avg_pool2d(x), ops.global_avg_pool2d_backward(dy, shape)) for x, dy in given
        )

    on_all(rng, operation, by_rule(results))
