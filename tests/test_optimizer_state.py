"""The state of optimizers: taken, put back, and refused where it does not fit."""

import warnings

import numpy as np
import pytest
from optimizer_cases import NUMPY, G, W, f32

from pyconv import optimizers
from pyconv.optimizers import (
    SGD,
    Adam,
    AdamW,
    RMSprop,
)

STATEFUL = [
    lambda: SGD(0.1, momentum=0.9),
    lambda: RMSprop(momentum=0.5, centered=True),
    lambda: Adam(amsgrad=True),
    lambda: AdamW(clipnorm=1.0),
    *NUMPY,
    lambda: SGD(0.1, momentum=0.9, use_ema=True, gradient_accumulation_steps=2),
]


@pytest.mark.parametrize("make", STATEFUL)
@pytest.mark.parametrize("built", [False, True])
def test_restored_state_goes_on_with_the_same_bits(make, built):
    rng = np.random.default_rng(1)
    grads = [[f32(rng.normal(size=(3, 4))), f32(rng.normal(size=2))] for _ in range(6)]
    start = [f32(rng.normal(size=(3, 4))), f32(rng.normal(size=2))]

    straight, params = make(), [w.copy() for w in start]
    for g in grads[:3]:
        straight.apply(g, params)
    state = straight.state_dict()
    resumed = optimizers.deserialize(optimizers.serialize(straight))
    others = [w.copy() for w in params]
    if built:
        resumed.build(others)
    resumed.load_state_dict(state)
    for key, value in resumed.state_dict().items():
        np.testing.assert_array_equal(value, state[key])
    for g in grads[3:]:
        straight.apply(g, params)
        resumed.apply(g, others)
    assert resumed.state_dict()["iterations"] == straight.state_dict()["iterations"] == 6
    for a, b in zip(params, others, strict=True):
        np.testing.assert_array_equal(a, b)


class TestBadState:
    def state(self):
        optimizer = Adam()
        optimizer.apply([f32(G)], [f32(W)])
        return optimizer.state_dict()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda s: s.pop("iterations"), "iterations"),
            (lambda s: s.update(iterations=np.array(-1)), "iterations"),
            (lambda s: s.update(iterations=np.array(0.5)), "iterations"),
            (lambda s: s.pop("velocity/0"), "velocity/0"),
            (lambda s: s.update({"other/0": f32(W)}), "other/0"),
            (lambda s: s.update({"velocity/0": np.ones(4)}), "velocity/0 must be a float32"),
            (lambda s: s.update({"velocity/0": f32([1.0])}), r"must have shape \(4,\)"),
            (lambda s: [s.pop("velocity/0"), s.pop("momentum/0")], "momentum"),
        ],
    )
    def test_is_refused_and_changes_nothing(self, change, message):
        optimizer = Adam()
        optimizer.apply([f32(G)], [f32(W)])
        before = optimizer.state_dict()
        state = self.state()
        state["velocity/0"] = state["velocity/0"] + 1
        change(state)
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(state)
        after = optimizer.state_dict()
        assert before.keys() == after.keys()
        for key in before:
            np.testing.assert_array_equal(before[key], after[key])

    def test_wrong_shape_is_found_at_the_first_step(self):
        optimizer = Adam()
        optimizer.load_state_dict(self.state())
        w = f32([1.0, 1.0])
        with pytest.raises(ValueError, match=r"momentum/0 must have shape \(2,\), got \(4,\)"):
            optimizer.apply([f32([1.0, 1.0])], [w])
        assert w.tolist() == [1.0, 1.0]

    def test_state_is_a_copy(self):
        optimizer = Adam()
        optimizer.apply([f32(G)], [f32(W)])
        state = optimizer.state_dict()
        state["velocity/0"][:] = 7
        assert not (optimizer.state_dict()["velocity/0"] == 7).any()


def test_the_state_does_not_depend_on_what_numpy_warns_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w = f32([1.0, 1.0])
        Adam(clipnorm=1.0).apply([f32([np.inf, 1.0])], [w])
