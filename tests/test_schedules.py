"""Schedules of the learning rate against Keras's formulas."""

import math

import numpy as np
import pytest

from pyconv.optimizers import schedules
from pyconv.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)


def cosine(share, alpha=0.0):
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(share, 1))) + alpha


def restarted(step, steps, t_mul=2.0, m_mul=1.0, alpha=0.0):
    factor = 1.0
    while step >= steps:
        step, steps, factor = step - steps, steps * t_mul, factor * m_mul
    return (1 - alpha) * factor * 0.5 * (1 + math.cos(math.pi * step / steps)) + alpha


CASES = {
    "exponential": (ExponentialDecay(0.1, 3, 0.9), lambda t: 0.1 * 0.9 ** (t / 3)),
    "stairs": (ExponentialDecay(0.1, 3, 0.9, staircase=True), lambda t: 0.1 * 0.9 ** (t // 3)),
    "inverse": (InverseTimeDecay(0.1, 4, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 4)),
    "inverse stairs": (InverseTimeDecay(0.1, 4, 0.5, True), lambda t: 0.1 / (1 + 0.5 * (t // 4))),
    "polynomial": (
        PolynomialDecay(0.5, 10, 0.1, 2.0),
        lambda t: 0.4 * (1 - min(t, 10) / 10) ** 2 + 0.1,
    ),
    "cycle": (
        PolynomialDecay(0.5, 10, 0.1, 0.5, cycle=True),
        lambda t: 0.4 * (1 - t / (10 * max(math.ceil(t / 10), 1))) ** 0.5 + 0.1,
    ),
    "piecewise": (
        PiecewiseConstantDecay([5, 12], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 5 else 0.2 if t <= 12 else 0.1,
    ),
    "cosine": (CosineDecay(0.2, 9, 0.1), lambda t: 0.2 * cosine(t / 9, 0.1)),
    "warm-up": (
        CosineDecay(0.1, 9, 0.2, warmup_target=0.5, warmup_steps=5),
        lambda t: 0.1 + 0.4 * t / 5 if t < 5 else 0.5 * cosine((t - 5) / 9, 0.2),
    ),
    "restarts": (
        CosineDecayRestarts(0.2, 5, alpha=0.1),
        lambda t: 0.2 * restarted(t, 5, alpha=0.1),
    ),
    "shrinking": (
        CosineDecayRestarts(0.2, 4, 1.0, 0.5),
        lambda t: 0.2 * restarted(t, 4, 1.0, 0.5),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_follows_the_formula(name):
    schedule, formula = CASES[name]
    for step in range(40):
        assert schedule(step) == pytest.approx(formula(step), rel=1e-9), step
    assert schedule(np.int64(7)) == schedule(7.0)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    schedule = CASES[name][0]
    restored = schedules.deserialize(schedules.serialize(schedule))
    assert type(restored) is type(schedule)
    assert restored.get_config() == schedule.get_config()
    assert restored(7) == schedule(7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialDecay(0.1, 0, 0.9), "`decay_steps` must be > 0"),
        (lambda: InverseTimeDecay(0.1, -1, 0.9), "InverseTimeDecay: Argument `decay_steps`"),
        (lambda: PolynomialDecay(0.1, 0), "`decay_steps` must be > 0"),
        (lambda: CosineDecay(-0.1, 5), "initial_learning_rate must be at least 0"),
        (lambda: CosineDecayRestarts(0.1, 0), "`first_decay_steps` must be > 0"),
        (lambda: PiecewiseConstantDecay([1], [0.1]), "should be 1 less than the length of values"),
        (lambda: PiecewiseConstantDecay([2, 1], [0.1] * 3), "in rising order"),
        (lambda: schedules.deserialize({"class_name": "Exponential"}), "unknown schedule"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_of_ones_own_must_define_call():
    with pytest.raises(NotImplementedError, match="must override `__call__"):
        schedules.LearningRateSchedule()(0)


def test_classes_of_ones_own_are_found():
    class Own(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5

        def get_config(self):
            return {}

    config = schedules.serialize(Own())
    assert schedules.deserialize(config, {"Own": Own})(0) == 0.5
