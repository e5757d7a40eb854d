"""Muon and ScheduleFreeAdamW, against their formulas in float64."""

import numpy as np
import pytest

import pyconv
from pyconv.optimizers import AdamW, Muon, ScheduleFreeAdamW


def f32(values):
    return np.array(values, np.float32)


def orthogonal(x, steps, a=3.4445, b=-4.7750, c=2.0315):
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if tall else x


def muon_rule(w, g, state, t, lr, momentum=0.95, nesterov=True, steps=5, rate=0.2):
    if w.ndim != 2:
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g * g
        alpha = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return w - alpha * m / (np.sqrt(v) + 1e-7)
    m = state["m"] = momentum * state.get("m", 0.0) + g
    step = orthogonal(g + momentum * m if nesterov else m, steps)
    return w - lr * step * (1 if rate is None else rate * np.sqrt(max(w.shape)))


def schedule_free_rule(w, g, state, t, lr, b1=0.9, b2=0.999, epsilon=1e-8, warmup=0):
    x, z = state["x"], state["z"]
    y = (1 - b1) * z + b1 * x
    x = x + (w - y) / b1  # a weight decay of the parameters is one of the mean
    v = state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
    if warmup:
        lr = lr * min(t / warmup, 1)
    z = state["z"] = z - lr * g / (np.sqrt(v / (1 - b2**t)) + epsilon)
    x = state["x"] = x + (z - x) / t
    return (1 - b1) * z + b1 * x


@pytest.mark.parametrize(
    ("make", "rule", "arguments", "decay"),
    [
        (lambda: Muon(0.1, weight_decay=None), muon_rule, {"lr": 0.1}, (0.0, 0.004)),
        (
            lambda: Muon(
                0.1, weight_decay=0.1, adam_weight_decay=0.2, momentum=0.5, nesterov=False,
                ns_steps=3, rms_rate=None,
            ),
            muon_rule,
            {"lr": 0.1, "momentum": 0.5, "nesterov": False, "steps": 3, "rate": None},
            (0.1, 0.2),
        ),
        (lambda: ScheduleFreeAdamW(0.1), schedule_free_rule, {"lr": 0.1}, (0.0, 0.0)),
        (
            lambda: ScheduleFreeAdamW(0.1, 0.8, 0.9, 1e-3, 4, weight_decay=0.1),
            schedule_free_rule,
            {"lr": 0.1, "b1": 0.8, "b2": 0.9, "epsilon": 1e-3, "warmup": 4},
            (0.1, 0.1),
        ),
    ],
)  # fmt: skip
def test_six_steps_follow_the_formula(make, rule, arguments, decay):
    rng = np.random.default_rng(3)
    params = [f32(rng.normal(size=shape)) for shape in ((37, 11), (11, 37), (5,), (2, 2, 3, 4))]
    wanted = [np.array(w, np.float64) for w in params]
    states = [{"x": w, "z": w} for w in wanted]
    optimizer = make()
    for t in range(1, 7):
        grads = [f32(rng.normal(size=w.shape) + 0.5) for w in params]
        optimizer.apply(grads, params)
        for i, g in enumerate(grads):
            share = decay[0] if wanted[i].ndim == 2 else decay[1]
            decayed = wanted[i] * (1 - share * arguments["lr"])
            wanted[i] = rule(decayed, g.astype(np.float64), states[i], t, **arguments)
    for got, want in zip(params, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def test_singular_values_are_about_1():
    x = np.random.default_rng(0).normal(size=(8, 5))
    made = Muon().zeropower_via_newtonschulz5(x, 5)
    u, _, v = np.linalg.svd(x, full_matrices=False)
    assert (abs(np.diag(u.T @ made @ v.T) - 1) < 0.4).all()
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        Muon().zeropower_via_newtonschulz5(np.ones(3), 5)


def test_excluded_layers_step_as_with_adamw():
    def trained(optimizer):
        pyconv.utils.set_random_seed(0)
        model = pyconv.Sequential(
            [
                pyconv.Input((4,)),
                pyconv.layers.Dense(3, name="hidden"),
                pyconv.layers.Dense(2, name="output"),
            ]
        )
        model.compile(optimizer, "mse")
        rng = np.random.default_rng(0)
        model.fit(rng.random((8, 4)), rng.random((8, 2)), batch_size=8, shuffle=False, verbose=0)
        return model.get_weights(), model.optimizer

    muon, optimizer = trained(Muon(0.01, exclude_layers=["^output/"]))
    adam, _ = trained(AdamW(0.01))
    for i in (1, 2, 3):
        np.testing.assert_allclose(muon[i], adam[i], rtol=1e-5, atol=1e-7)
    assert not np.allclose(muon[0], adam[0], atol=1e-4)
    # Iterations, rate, a momentum each, and a velocity of all but the first.
    assert len(optimizer.variables) == 2 + 4 + 3


def test_exclusion_from_weight_decay():
    a, b, c = f32(np.eye(2)), f32(np.eye(2)), f32([1.0])
    optimizer = Muon(1.0, weight_decay=0.1, adam_weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_list=[b])
    optimizer.apply([np.zeros_like(w) for w in (a, b, c)], [a, b, c])
    np.testing.assert_allclose([a[0, 0], b[0, 0], c[0]], [0.9, 1.0, 0.8], rtol=1e-6)


def test_exclusion_where_a_gradient_is_missing():
    a, b, c = f32([1.0]), f32([1.0]), f32([1.0])
    optimizer = AdamW(1.0, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[b])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, f32([0.0]), f32([0.0])], [a, b, c])
    np.testing.assert_allclose([a[0], b[0], c[0]], [1.0, 1.0, 0.9], rtol=1e-6)


@pytest.mark.parametrize("kind", [Muon, ScheduleFreeAdamW])
def test_states_and_configs(kind):
    rng = np.random.default_rng(1)
    w, g = f32(rng.normal(size=(3, 4))), f32(rng.normal(size=(3, 4)))
    first = kind(0.01)
    first.apply([g], [w])
    again = pyconv.optimizers.deserialize(pyconv.optimizers.serialize(first))
    assert again.get_config() == first.get_config()
    again.load_state_dict(first.state_dict())
    copy = w.copy()
    first.apply([g], [w])
    again.apply([g], [copy])
    np.testing.assert_array_equal(w, copy)
    by_list = kind(0.01)
    by_list.build([copy])
    by_list.set_weights(first.variables)
    first.apply([g], [w])
    by_list.apply([g], [copy])
    np.testing.assert_array_equal(w, copy)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Muon(exclude_layers="output"), r"exclude_layers must be a list of patterns"),
        (lambda: Muon(exclude_layers=["("]), r"exclude_layers has '\(', which is no pattern"),
        (lambda: Muon(ns_steps=2.5), "Muon: ns_steps must be an integer"),
        (lambda: Muon(momentum=2), "`momentum` must be a float between"),
        (lambda: Muon(nesterov=np.ones(2)), "nesterov must be True or False"),
        (lambda: Muon(rms_rate="a"), "rms_rate must be a number"),
        (lambda: ScheduleFreeAdamW(beta_1=0), "ScheduleFreeAdamW: beta_1 must be"),
        (lambda: ScheduleFreeAdamW(warmup_steps=-1), "warmup_steps must be from 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
