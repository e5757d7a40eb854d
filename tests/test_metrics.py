"""Metrics against Keras's numbers and numpy; what compile and fit make of them."""

import numpy as np
import pytest

import pyconv
from pyconv import backend, metrics

CLASSES = np.array([[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]])


class TestKerasNumbers:
    @pytest.mark.parametrize(
        ("metric", "y", "p", "weight", "plain", "weighted"),
        [
            (metrics.Accuracy, [[1], [2], [3], [4]], [[0], [2], [3], [4]], [1, 1, 0, 0], 0.75, 0.5),
            (
                metrics.BinaryAccuracy,
                [[1], [1], [0], [0]],
                [[0.98], [1], [0], [0.6]],
                [1, 0, 0, 1],
                0.75,
                0.5,
            ),
            (
                metrics.CategoricalAccuracy,
                [[0, 0, 1], [0, 1, 0]],
                [[0.1, 0.9, 0.8], [0.05, 0.95, 0]],
                [0.7, 0.3],
                0.5,
                0.3,
            ),
            (metrics.SparseCategoricalAccuracy, [[2], [1]], CLASSES, [0.7, 0.3], 0.5, 0.3),
            (
                lambda: metrics.TopKCategoricalAccuracy(k=1),
                [[0, 0, 1], [0, 1, 0]],
                [[0.1, 0.9, 0.8], [0.05, 0.95, 0]],
                [0.7, 0.3],
                0.5,
                0.3,
            ),
            (
                lambda: metrics.SparseTopKCategoricalAccuracy(k=1),
                [2, 1],
                [[0.1, 0.9, 0.8], [0.05, 0.95, 0]],
                [0.7, 0.3],
                0.5,
                0.3,
            ),
            (metrics.MeanSquaredError, [[0, 1], [0, 0]], [[1, 1], [0, 0]], [1, 0], 0.25, 0.5),
            (metrics.MeanAbsoluteError, [[0, 1], [0, 0]], [[1, 1], [0, 0]], [1, 0], 0.25, 0.5),
        ],
    )
    def test_plain_and_weighted(self, metric, y, p, weight, plain, weighted):
        assert metric()(y, p) == pytest.approx(plain)
        assert metric()(y, p, sample_weight=weight) == pytest.approx(weighted)

    def test_threshold(self):
        y, p = [1, 1, 0, 0], [[0.98], [0.5], [0.1], [0.2]]
        assert metrics.BinaryAccuracy(threshold=0.3)(y, p) == 1
        assert metrics.BinaryAccuracy()(y, p) == 0.75  # 0.5 is not above 0.5
        assert metrics.BinaryAccuracy(threshold=0.9)(y, p) == 0.75

    def test_the_two_predictions_of_the_course(self):
        # "Steel drum" is among the first five labels of one picture, and not of the other.
        names = ["scale", "t-shirt", "steel drum", "drumstick", "mud turtle", "giant panda"]
        drum = np.eye(6)[[names.index("steel drum")] * 2]
        predictions = [[0.1, 0.2, 0.3, 0.2, 0.1, 0.1], [0.2, 0.2, 0.05, 0.2, 0.2, 0.15]]
        assert metrics.TopKCategoricalAccuracy()(drum, predictions) == 0.5
        assert metrics.SparseTopKCategoricalAccuracy(k=5)([2, 2], predictions) == 0.5


class TestMean:
    def test_of_batches(self):
        mean = metrics.Mean()
        assert mean.result() == 0
        mean.update_state([1.0, 3.0])
        mean.update_state(5.0, sample_weight=2.0)
        assert mean.result() == 3.5
        mean.reset_state()
        assert mean.result() == 0
        mean.update_state(np.arange(6).reshape(3, 2), sample_weight=[0, 1, 0])
        assert mean.result() == 2.5

    def test_of_many_values_is_exact_to_float64(self):
        mean = metrics.Mean()
        values = np.random.default_rng(0).standard_normal(100_000).astype(np.float32) + 100
        for at in range(0, values.size, 1000):
            mean.update_state(values[at : at + 1000])
        assert mean.result() == pytest.approx(values.astype(np.float64).mean(), rel=1e-14)

    def test_weights_that_do_not_fit(self):
        with pytest.raises(
            ValueError, match=r"mean: sample_weight must fit values of shape \(3,\)"
        ):
            metrics.Mean().update_state([1, 2, 3], sample_weight=[1, 2])


@pytest.mark.parametrize("labels", ["classes", "one-hot", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (33, 10), (5, 4, 3, 7), (3000, 40)])
def test_categorical_accuracy_is_argmax(shape, labels):
    rng = np.random.default_rng(6)
    # Few different values: ties at every turn, and NaN, which argmax takes for the largest.
    p = rng.integers(0, 3, shape).astype(np.float32)
    p[rng.random(shape) < 0.02] = np.nan
    y = rng.integers(0, shape[-1], shape[:-1])
    wanted = (p.argmax(axis=-1) == y).astype(np.float32)
    if labels == "classes":
        got = metrics.sparse_categorical_accuracy(y, p)
    else:
        dtype = np.float32 if labels == "one-hot" else np.float64
        got = metrics.categorical_accuracy(np.eye(shape[-1], dtype=dtype)[y], p)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, wanted)


def test_labels_that_are_tied_or_soft_count_as_their_first_largest():
    y = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]], np.float32)
    p = np.array([[0, 1, 0], [0, 1, 0]], np.float32)
    assert metrics.categorical_accuracy(y, p).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("predictions", "labels", "match"),
    [
        (np.zeros((2, 3), np.float32), np.array([0, 3]), "labels must be from 0 to 2, got 3"),
        (np.zeros((2, 3), np.float32), np.array([0]), r"labels must be \(2,\)"),
        (np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32), r"labels must be \(2, 3\)"),
        (
            np.zeros((2, 0), np.float32),
            np.array([0, 0]),
            "predictions must have at least one class",
        ),
        (np.zeros(3, np.float32), np.array([0]), "predictions must have 2 dimensions"),
    ],
)
def test_argmax_hits_checks_its_arguments(predictions, labels, match):
    with pytest.raises(ValueError, match=f"argmax_hits: {match}"):
        backend.active.argmax_hits(predictions, labels)


@pytest.mark.parametrize("k", [1, 2, 5, 100])
def test_top_k(k):
    rng = np.random.default_rng(7)
    p = rng.permuted(np.tile(np.arange(12.0), (50, 1)), axis=1).astype(np.float32)
    y = rng.integers(0, 12, 50)
    wanted = [y[i] in np.argsort(-p[i])[:k] for i in range(50)]
    got = metrics.sparse_top_k_categorical_accuracy(y, p, k)
    np.testing.assert_array_equal(got, np.float32(wanted))
    np.testing.assert_array_equal(metrics.top_k_categorical_accuracy(np.eye(12)[y], p, k), got)


def test_top_k_of_ties_and_of_what_is_not_finite():
    p = [[0.5, 0.5, 0.5], [np.nan, 0, 1]]
    assert metrics.sparse_top_k_categorical_accuracy([2, 0], p, k=1).tolist() == [1, 0]


# --- in a model -------------------------------------------------------------------------------


def model(outputs, loss, compiled, weighted=None):
    """A model whose output is its input."""
    made = pyconv.Sequential([pyconv.Input((outputs,)), pyconv.layers.Flatten()])
    made.compile(loss=loss, metrics=compiled, weighted_metrics=weighted)
    return made


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy"])
@pytest.mark.parametrize(
    ("loss", "x", "y", "kind", "value"),
    [
        ("binary_crossentropy", [[0.6], [0.2]], [1, 1], metrics.BinaryAccuracy, 0.5),
        ("mse", [[0.6], [0.2]], [[1.0], [1.0]], metrics.BinaryAccuracy, 0.5),
        (
            "sparse_categorical_crossentropy",
            CLASSES,
            [2, 1],
            metrics.SparseCategoricalAccuracy,
            0.5,
        ),
        (
            "sparse_categorical_crossentropy",
            CLASSES,
            [[2], [1]],
            metrics.SparseCategoricalAccuracy,
            0.5,
        ),
        ("categorical_crossentropy", CLASSES, np.eye(3)[[2, 1]], metrics.CategoricalAccuracy, 0.5),
        ("mse", CLASSES, np.eye(3)[[1, 1]], metrics.CategoricalAccuracy, 1.0),
    ],
)
def test_accuracy_is_chosen_by_the_shapes(name, loss, x, y, kind, value):
    made = model(np.shape(x)[1], loss, [name])
    assert made.metrics_names == ["loss"]
    results = made.evaluate(x, y, verbose=0, return_dict=True)
    assert list(results) == ["loss", name]
    assert results[name] == value
    assert type(made.metrics[0]) is kind


def test_keys_are_the_users_strings_and_stay_apart():
    made = model(
        3, "mse", ["mae", "mean_absolute_error", "mae", metrics.Accuracy(name="same")], ["mae"]
    )
    results = made.evaluate(CLASSES, np.eye(3)[[1, 1]], verbose=0, return_dict=True)
    assert list(results) == ["loss", "mae", "mean_absolute_error", "mae_1", "same", "weighted_mae"]
    assert results["mae"] == results["mean_absolute_error"] == results["weighted_mae"]
    assert made.metrics_names == list(results)


def test_functions_and_a_metric_named_loss():
    def largest(y_true, y_pred):
        return np.abs(y_true - y_pred).max(axis=-1)

    def of_the_batch(y_true, y_pred):
        return np.float32(len(y_pred))

    made = model(2, "mse", [largest, of_the_batch, metrics.MeanSquaredError(name="loss")])
    x = np.array([[1.0, 3.0], [0.0, 1.0], [2.0, 0.0]])
    results = made.evaluate(x, np.zeros((3, 2)), batch_size=2, verbose=0, return_dict=True)
    assert results["largest"] == 2.0
    assert results["of_the_batch"] == 1.5  # one value a batch, of 2 and of 1 rows
    assert results["loss_1"] == results["loss"]


def test_only_weighted_metrics_see_sample_weights():
    made = model(1, "mse", ["mae"], [metrics.MeanAbsoluteError(name="mae_by_weight")])
    x, y, weight = [[1.0], [2.0]], [0.0, 0.0], [3.0, 1.0]
    got = made.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    assert got["mae"] == 1.5
    assert got["mae_by_weight"] == pytest.approx((3 * 1 + 1 * 2) / 4)
    assert got["loss"] == pytest.approx((3 * 1 + 1 * 4) / 2)
    assert made.evaluate(x, y, verbose=0)[2] == 1.5


def test_metrics_are_means_over_the_rows_of_an_epoch_and_begin_anew():
    made = model(1, "mse", ["mae"])
    x = np.array([[1.0], [2.0], [6.0]])
    for _ in range(2):
        loss, mae = made.evaluate(x, np.zeros(3), batch_size=2, verbose=0)
        assert mae == 3
        assert loss == pytest.approx((1 + 4 + 36) / 3)


def test_metric_of_ones_own():
    class Largest(metrics.Metric):
        def reset_state(self):
            self.value = 0.0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value = max(self.value, float(np.max(y_pred)))

        def result(self):
            return self.value

    made = model(1, "mse", [Largest(name="top")])
    assert made.evaluate([[4.0], [9.0], [1.0]], np.zeros(3), batch_size=1, verbose=0)[1] == 9
    assert made.evaluate([[4.0]], [0.0], verbose=0)[1] == 4


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: metrics.get("acuracy"), ValueError, "did you mean 'accuracy'"),
        (lambda: metrics.get(5), ValueError, "Could not interpret metric identifier"),
        (
            lambda: metrics.BinaryAccuracy(threshold=1.5),
            ValueError,
            "threshold must be from 0 to 1",
        ),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), ValueError, "k must be a positive"),
        (lambda: metrics.SparseTopKCategoricalAccuracy(k=2.5), TypeError, "k must be an integer"),
        (lambda: metrics.MeanMetricWrapper(3), TypeError, "fn must be callable"),
        (lambda: metrics.accuracy([1, 2], [1]), ValueError, "accuracy: y must have the shape"),
        (lambda: metrics.binary_accuracy("ab", [1]), TypeError, "y must be an array of numbers"),
        (
            lambda: metrics.sparse_categorical_accuracy([3], [[0, 1]]),
            ValueError,
            "from 0 to 1, got 3",
        ),
        (lambda: metrics.Metric().result(), NotImplementedError, "Metric must define result"),
    ],
)
def test_wrong_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize(
    "metric",
    [
        metrics.BinaryAccuracy("mine", threshold=0.25),
        metrics.TopKCategoricalAccuracy(3),
        metrics.SparseCategoricalAccuracy(),
        metrics.MeanSquaredError(name="error"),
    ],
)
def test_config_round_trip(metric):
    copy = metrics.deserialize(metrics.serialize(metric))
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 3, 4), (2, 3, 4)), "FBetaScore expects 2D inputs"),
        (((2, 3), (2, 4)), r"y_pred.shape=\(2, 4\) and y_true.shape=\(2, 3\)"),
        (((2, None), (2, None)), r"with output_dim fully defined \(not None\)"),
    ],
)
def test_shapes_of_f_scores(shapes, message):
    with pytest.raises(ValueError, match=message):
        pyconv.metrics.FBetaScore()._build(*shapes)


def test_dtype_of_a_policy():
    from pyconv.compat.keras import dtype_policies

    policy = dtype_policies.DTypePolicy("mixed_float16")
    assert metrics.Mean(dtype=policy).dtype == "float16"
