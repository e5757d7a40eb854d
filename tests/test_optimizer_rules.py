"""Optimizers against Keras's numbers, formulas in float64, and PyTorch where the rules agree."""

import numpy as np
import pytest
import torch
from optimizer_cases import CLASSES, G, W, f32

from pyconv.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Nadam,
    RMSprop,
)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (SGD(0.5), [0.5, -1.0, -0.5, 3.0]),
        (RMSprop(0.5), [-0.5811, 0.4189, 1.4189, 2.4189]),
        (Adam(0.5), [0.5, 1.5, 2.5, 3.5]),
        (AdamW(0.5), [0.4980, 1.4960, 2.494, 3.492]),
        (Adadelta(0.5), [0.9993, 1.9993, 2.9993, 3.9993]),
        (Adafactor(0.5), [-0.3693, 0.6307, 1.6307, 2.6307]),
        (Adagrad(0.5), [0.5233, 1.5007, 2.5005, 3.5061]),
        (Adamax(0.5), [0.5, 1.5, 2.5, 3.5]),
        (Ftrl(0.5), [0.2218, 1.3954, 2.3651, 2.8814]),
        (Lamb(0.5), [-0.3693, 0.6307, 1.6307, 2.6307]),
        (Lion(0.5), [0.5, 1.5, 2.5, 3.5]),
        (Nadam(0.5), [0.4686, 1.4686, 2.4686, 3.4686]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_one_step_gives_keras_numbers(optimizer, expected):
    w = f32(W)
    optimizer.apply([f32(G)], [w])
    np.testing.assert_allclose(w, expected, rtol=0, atol=6e-5)


def test_lamb_moves_weights_that_are_0():
    w = f32([0.0, 0.0])
    Lamb(0.5).apply([f32([1.0, -1.0])], [w])
    np.testing.assert_allclose(w, [-0.5, 0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "of_small", "of_large"),
    [
        (
            SGD(nesterov=True),
            [0.9999, 0.9989, 0.9979, 0.9969, 0.9959],
            [0.9999, 0.9899, 0.9799, 0.9699, 0.9599],
        ),
        (RMSprop(centered=True), *[[0.9967, 0.9933, 0.9908, 0.9885, 0.9864]] * 2),
        (Adam(amsgrad=True), *[[0.999, 0.9982, 0.9974, 0.9965, 0.9955]] * 2),
        (
            AdamW(1.0, 0.5, epsilon=2),
            [0.4998, 0.2486, 0.1223, 0.0586, 0.0263],
            [0.4998, 0.2382, 0.1003, 0.0258, -0.0159],
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_five_steps_give_keras_numbers(optimizer, of_small, of_large):
    """A first gradient of 0.01, then 0.1 and 1; the numbers and the tolerance of Keras's tests."""
    w = f32([1.0, 1.0])
    for step in range(5):
        optimizer.apply([f32([0.1, 1.0] if step else [0.01, 0.01])], [w])
        np.testing.assert_allclose(w, [of_small[step], of_large[step]], rtol=0, atol=5e-4)


@pytest.mark.parametrize("kind", [*CLASSES, Adadelta, Adagrad, Adamax, Lamb, Lion, Nadam])
def test_decoupled_weight_decay_golden(kind):
    w = f32([2.0])
    optimizer = kind(1.0, weight_decay=0.004)
    for _ in range(3):
        optimizer.apply([f32([0.0])], [w])
    np.testing.assert_allclose(w, [1.9760959], rtol=1e-6)


# Each rule as Keras's source and the papers have it, in float64.
def sgd_rule(w, g, state, t, *, lr, momentum=0.0, nesterov=False):
    v = state["v"] = momentum * state.get("v", 0.0) - lr * g
    return w + (momentum * v - lr * g if nesterov else v)


def rmsprop_rule(w, g, state, t, *, lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    v = state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g * g
    mean = state["mean"] = rho * state.get("mean", 0.0) + (1 - rho) * g
    step = lr * g / np.sqrt(v - (mean * mean if centered else 0.0) + epsilon)
    step = state["m"] = momentum * state.get("m", 0.0) + step
    return w - step


def adam_rule(w, g, state, t, *, lr, b1=0.9, b2=0.999, epsilon=1e-7, amsgrad=False):
    m = state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    v = state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    if amsgrad:
        v = state["top"] = np.maximum(state.get("top", 0.0), v)
    alpha = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
    return w - alpha * m / (np.sqrt(v) + epsilon)


def adagrad_rule(w, g, state, t, *, lr, start=0.1, epsilon=1e-7):
    a = state["a"] = state.get("a", start) + g * g
    return w - lr * g / np.sqrt(a + epsilon)


def adadelta_rule(w, g, state, t, *, lr, rho=0.95, epsilon=1e-7):
    a = state["a"] = rho * state.get("a", 0.0) + (1 - rho) * g * g
    d = np.sqrt(state.get("d", 0.0) + epsilon) * g / np.sqrt(a + epsilon)
    state["d"] = rho * state.get("d", 0.0) + (1 - rho) * d * d
    return w - lr * d


def adamax_rule(w, g, state, t, *, lr, b1=0.9, b2=0.999, epsilon=1e-7):
    m = state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    u = state["u"] = np.maximum(b2 * state.get("u", 0.0), np.abs(g))
    return w - lr * m / ((1 - b1**t) * (u + epsilon))


def nadam_rule(w, g, state, t, *, lr, b1=0.9, b2=0.999, epsilon=1e-7):
    u, after = b1 * (1 - 0.5 * 0.96**t), b1 * (1 - 0.5 * 0.96 ** (t + 1))
    product = state["p"] = state.get("p", 1.0) * u
    m = state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    v = state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    hat = after * m / (1 - product * after) + (1 - u) * g / (1 - product)
    return w - lr * hat / (np.sqrt(v / (1 - b2**t)) + epsilon)


def ftrl_rule(w, g, state, t, *, lr, power=-0.5, start=0.1, l1=0.0, l2=0.0, s=0.0, beta=0.0):
    old = state.get("a", start)
    a = state["a"] = old + g * g
    z = state.get("z", 0.0) + g + 2 * s * w - (a**-power - old**-power) / lr * w
    state["z"] = z
    return (np.clip(z, -l1, l1) - z) / (a**-power / lr + 2 * (l2 + beta / (2 * lr)))


def lamb_rule(w, g, state, t, *, lr, b1=0.9, b2=0.999, epsilon=1e-7):
    m = state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
    v = state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    d = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + epsilon)
    return w - lr * d * np.linalg.norm(w) / np.linalg.norm(d)


def adafactor_rule(w, g, state, t, *, lr, decay=-0.8, e1=1e-30, e2=1e-3, clip=1.0):
    kept, squares = 1 - t**decay, g * g + e1
    if w.ndim > 1:
        r = state["r"] = kept * state.get("r", 0.0) + (1 - kept) * squares.mean(-1)
        c = state["c"] = kept * state.get("c", 0.0) + (1 - kept) * squares.mean(-2)
        v = np.outer(r, c) / r.mean()
    else:
        v = state["v"] = kept * state.get("v", 0.0) + (1 - kept) * squares
    d = g / np.sqrt(v)
    size = min(lr, t**-0.5) * max(e2, np.sqrt(np.mean(w * w)))
    return w - size * d / max(1, np.sqrt(np.mean(d * d)) / clip)


RULES = [
    (lambda: Adagrad(0.1), adagrad_rule, {"lr": 0.1}, 0.0),
    (lambda: Adagrad(0.1, 0.5, 1e-3), adagrad_rule, {"lr": 0.1, "start": 0.5, "epsilon": 1e-3}, 0),
    (lambda: Adadelta(1.0), adadelta_rule, {"lr": 1.0}, 0.0),
    (
        lambda: Adadelta(1.0, 0.8, 1e-3, weight_decay=0.1),
        adadelta_rule,
        {"lr": 1.0, "rho": 0.8, "epsilon": 1e-3},
        0.1,
    ),
    (lambda: Adamax(0.1, 0.8, 0.9), adamax_rule, {"lr": 0.1, "b1": 0.8, "b2": 0.9}, 0.0),
    (lambda: Nadam(0.1, weight_decay=0.01), nadam_rule, {"lr": 0.1}, 0.01),
    (lambda: Ftrl(0.1), ftrl_rule, {"lr": 0.1}, 0.0),
    (
        lambda: Ftrl(0.1, -0.2, 0.4, 0.05, 0.15, 0.01, 0.3),
        ftrl_rule,
        {"lr": 0.1, "power": -0.2, "start": 0.4, "l1": 0.05, "l2": 0.15, "s": 0.01, "beta": 0.3},
        0.0,
    ),
    (lambda: Lamb(0.01), lamb_rule, {"lr": 0.01}, 0.0),
    (lambda: Adafactor(0.1), adafactor_rule, {"lr": 0.1}, 0.0),
    (
        lambda: Adafactor(1.0, -0.6, 1e-15, 1e-2, 0.9),
        adafactor_rule,
        {"lr": 1.0, "decay": -0.6, "e1": 1e-15, "e2": 1e-2, "clip": 0.9},
        0.0,
    ),
    (lambda: SGD(0.1), sgd_rule, {"lr": 0.1}, 0.0),
    (lambda: SGD(0.1, momentum=0.9), sgd_rule, {"lr": 0.1, "momentum": 0.9}, 0.0),
    (
        lambda: SGD(0.1, 0.8, nesterov=True),
        sgd_rule,
        {"lr": 0.1, "momentum": 0.8, "nesterov": True},
        0.0,
    ),
    (lambda: RMSprop(0.01), rmsprop_rule, {"lr": 0.01}, 0.0),
    (
        lambda: RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-3),
        rmsprop_rule,
        {"lr": 0.01, "rho": 0.8, "momentum": 0.5, "epsilon": 1e-3},
        0.0,
    ),
    (
        lambda: RMSprop(0.01, centered=True, epsilon=1e-2),
        rmsprop_rule,
        {"lr": 0.01, "centered": True, "epsilon": 1e-2},
        0.0,
    ),
    (lambda: Adam(0.01), adam_rule, {"lr": 0.01}, 0.0),
    (
        lambda: Adam(0.01, 0.8, 0.9, 1e-4, amsgrad=True),
        adam_rule,
        {"lr": 0.01, "b1": 0.8, "b2": 0.9, "epsilon": 1e-4, "amsgrad": True},
        0.0,
    ),
    (lambda: AdamW(0.01), adam_rule, {"lr": 0.01}, 0.004),
    (lambda: SGD(0.1, 0.9, weight_decay=0.1), sgd_rule, {"lr": 0.1, "momentum": 0.9}, 0.1),
    (lambda: RMSprop(0.01, weight_decay=0.1), rmsprop_rule, {"lr": 0.01}, 0.1),
]


@pytest.mark.parametrize(("make", "rule", "arguments", "decay"), RULES)
def test_six_steps_follow_the_formula(make, rule, arguments, decay):
    rng = np.random.default_rng(3)
    # More than one piece of 16384, and a tail of vectors.
    start = [rng.normal(size=(37, 1001)), rng.normal(size=(5,))]
    params = [f32(w) for w in start]
    wanted = [np.array(w, np.float64) for w in params]
    states = [{} for _ in wanted]
    optimizer = make()
    for t in range(1, 7):
        grads = [f32(rng.normal(size=w.shape) + 0.5) for w in params]
        kept = [g.copy() for g in grads]
        optimizer.apply(grads, params)
        for i, g in enumerate(grads):
            np.testing.assert_array_equal(g, kept[i])
            decayed = wanted[i] - wanted[i] * decay * arguments["lr"]
            wanted[i] = rule(decayed, g.astype(np.float64), states[i], t, **arguments)
    assert optimizer.iterations == 6
    for got, want in zip(params, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=4e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
        (SGD(0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
        (
            SGD(0.1, 0.9, nesterov=True),
            lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
        ),
        (RMSprop(0.01, epsilon=0), lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=0)),
        (Adam(0.01, epsilon=0), lambda p: torch.optim.Adam(p, 0.01, eps=0)),
        (
            Adam(0.01, epsilon=0, amsgrad=True),
            lambda p: torch.optim.Adam(p, 0.01, eps=0, amsgrad=True),
        ),
        (
            AdamW(0.01, 0.1, epsilon=0),
            lambda p: torch.optim.AdamW(p, 0.01, eps=0, weight_decay=0.1),
        ),
    ],
)
def test_five_steps_agree_with_torch(ours, theirs):
    rng = np.random.default_rng(5)
    w = f32(rng.normal(size=(7, 9)))
    parameter = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    torch_optimizer = theirs([parameter])
    for _ in range(5):
        # One sign: torch's amsgrad keeps the largest corrected v, Keras's the largest v.
        g = f32(np.abs(rng.normal(size=w.shape)) + 0.1)
        ours.apply([g], [w])
        parameter.grad = torch.tensor(g, dtype=torch.float64)
        torch_optimizer.step()
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-5, atol=4e-6)
