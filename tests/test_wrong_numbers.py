"""What is no number, where one is wanted: the error names the class, the argument and the value."""

import numpy as np
import pytest

from pyconv import layers, losses, metrics, optimizers

schedules = optimizers.schedules
AXIS = np.ones((2, 2), int)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.PrecisionAtRecall(None), "PrecisionAtRecall: recall must be a number"),
        (lambda: metrics.SensitivityAtSpecificity("a"), "specificity must be a number, got 'a'"),
        (lambda: metrics.Precision(thresholds="a"), "Precision: thresholds must be a number"),
        (lambda: metrics.TruePositives([0.5, []]), r"TruePositives: thresholds .* got \[\]"),
        (lambda: metrics.AUC(thresholds=3), "AUC: thresholds must be a list of numbers, got 3"),
        (lambda: metrics.AUC(thresholds=[0.1, "b"]), "AUC: thresholds must be a number, got 'b'"),
        (lambda: metrics.AUC(label_weights="a"), "AUC: label_weights must be an array of real"),
        (lambda: optimizers.Ftrl(learning_rate_power=None), "Ftrl: learning_rate_power must be a"),
        (lambda: optimizers.Ftrl(l1_regularization_strength="a"), "Ftrl: l1_.* got 'a'"),
        (lambda: optimizers.Ftrl(initial_accumulator_value=-1), "^`initial_.* Received: .*-1"),
        (lambda: optimizers.Lion(beta_1=None), "Lion: beta_1 must be a number, got None"),
        (lambda: schedules.PiecewiseConstantDecay(None, [1]), "boundaries must be a list"),
        (lambda: schedules.PiecewiseConstantDecay([1], 2), "values must be a list .* got 2"),
        (lambda: schedules.PiecewiseConstantDecay(["a"], [1, 2]), "boundaries must be a number"),
        (lambda: losses.CategoricalCrossentropy(axis=AXIS), "CategoricalCrossentropy: `axis` must"),
        (lambda: layers.RandomErasing(fill_value=[]), "fill_value must have a number a channel"),
    ],
)
def test_wrong_numbers(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
