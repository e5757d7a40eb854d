"""Types, masks and steps without state of keras.losses and keras.optimizers."""

import pickle

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv import compat
from pyconv.compat._eager import eager
from pyconv.compat.keras import losses, optimizers

Y = np.array([1.0, 0.0, 1.0, 0.0])
P = np.array([0.1, 0.2, 0.3, 0.4])
WEIGHT = np.array([0.4, 0.3, 0.2, 0.1])
KEPT = np.array([True, False, True, True])


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


class Squared(losses.Loss):
    def call(self, y_true, y_pred):
        return (y_true - y_pred) ** 2


def masked(values, mask):
    array = eager(values)
    array._keras_mask = mask
    return array


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_loss_is_given_in_its_type(dtype):
    result = losses.MeanSquaredError(dtype=dtype)([[1.0, 2.0]], [[0.0, 0.0]])
    assert result.dtype == dtype
    assert result == 2.5


def test_bfloat16():
    pytest.importorskip("ml_dtypes")
    result = losses.MeanAbsoluteError(dtype="bfloat16")([[1.0, 2.0]], [[0.0, 0.1]])
    assert result.dtype.name == "bfloat16"
    assert float(result) == 1.453125


def test_a_policy_says_the_type():
    class Policy:
        compute_dtype = "float16"

    assert losses.Huber(dtype=Policy()).dtype == "float16"


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="MeanSquaredError: dtype must be one of float16"):
        losses.MeanSquaredError(dtype="int32")


@pytest.mark.parametrize("column", [False, True])
def test_a_mask_leaves_rows_out(column):
    mask = KEPT[:, None] if column else KEPT
    kept = (Y[KEPT] - P[KEPT]) ** 2
    assert Squared()(Y, masked(P, mask)) == pytest.approx(kept.mean(), rel=1e-5)
    assert Squared(reduction="sum")(Y, masked(P, mask)) == pytest.approx(kept.sum(), rel=1e-5)
    weighted = (WEIGHT[KEPT] * kept).sum()
    result = Squared()(Y, masked(P, mask), sample_weight=WEIGHT)
    assert result == pytest.approx(weighted / 3, rel=1e-5)
    mean = Squared(reduction="mean_with_sample_weight")(Y, masked(P, mask), sample_weight=WEIGHT)
    assert mean == pytest.approx(weighted / WEIGHT[KEPT].sum(), rel=1e-5)


def test_a_mask_of_nothing_is_no_nan():
    assert Squared()(Y, masked(P, np.zeros(4, bool))) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(0.1),
        lambda: optimizers.SGD(0.1, momentum=0.9),
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1), 4.0),
        lambda: optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.RMSprop())),
    ],
)
def test_steps_without_state_are_those_with(make):
    grads = [np.array([1.0, -2.0], np.float32), np.array([[0.5]], np.float32)]
    params = [np.array([1.0, 2.0], np.float32), np.array([[3.0]], np.float32)]
    wanted, optimizer = [w.copy() for w in params], make()
    for _ in range(3):
        optimizer.apply(grads, wanted)
    free = make()
    free.build(params)
    first = [np.array(v) for v in free.variables]
    got, state = params, first
    for _ in range(3):
        got, state = free.stateless_apply(state, grads, got)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    assert params[0].tolist() == [1.0, 2.0]
    for a, b in zip(free.variables, first, strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_without_state_need_a_built_optimizer():
    with pytest.raises(ValueError, match="SGD: To call `stateless_apply`, the optimizer must be"):
        optimizers.SGD().stateless_apply([], [], [])


def test_functions_and_models_that_have_them_can_be_pickled():
    for name in ("mean_squared_error", "mse", "categorical_crossentropy"):
        found = getattr(keras.losses, name)
        assert pickle.loads(pickle.dumps(found)) is found
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", keras.losses.mean_squared_error)
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 1), np.float32)
    again = pickle.loads(pickle.dumps(model))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
