"""Metrics against the numbers of Keras 3.15 on JAX.

Each is given the two batches of ``data``, with the weights or without, as the same expression of
``keras.metrics``.
"""

import numpy as np
import pytest

import pyconv
from pyconv import metrics


def data():
    rng = np.random.default_rng(0)
    y = (rng.random((40, 3)) < 0.4).astype(np.float32)
    p = np.clip(0.6 * y + 0.5 * rng.random((40, 3)), 0, 1).round(2).astype(np.float32)
    return y, p, rng.random(40).astype(np.float32)


GOLDENS = [
    ("AUC(20, 'ROC', 'interpolation')", False, 1.0000001),
    ("AUC(20, 'ROC', 'majoring')", False, 1.0000001),
    ("AUC(20, 'ROC', 'minoring')", False, 1.0000001),
    ("AUC(20, 'PR', 'interpolation')", False, 1.0),
    ("AUC(20, 'PR', 'majoring')", False, 1.0),
    ("AUC(20, 'PR', 'minoring')", False, 0.5609756),
    ("AUC(20, 'PRGAIN', 'interpolation')", False, 1.0),
    ("AUC(20, 'PRGAIN', 'majoring')", False, 1.0),
    ("AUC(20, 'PRGAIN', 'minoring')", False, 1.0),
    ("AUC(curve='PR')", True, 0.9999999),
    ("AUC()", True, 1.0),
    ("AUC(thresholds=[0.3, 0.31, 0.8])", True, 0.9547932),
    ("AUC(multi_label=True)", True, 1.0),
    ("AUC(multi_label=True, label_weights=[1, 2, 3])", False, 1.0),
    ("AUC(label_weights=[1, 2, 3])", False, 1.0),
    ("AUC(from_logits=True)", False, 1.0),
    ("Precision()", False, 1.0),
    ("Precision([0.2, 0.5, 0.8])", True, [0.4721119, 1.0, 1.0]),
    ("Precision([0.8, 0.2])", False, [1.0, 0.4880952]),
    ("Precision(top_k=2)", False, 0.5125),
    ("Precision(class_id=1)", True, 1.0),
    ("Precision(0.3, 1, 2)", False, 0.75),
    ("Precision([0, 0.25, 0.5, 0.75, 1])", False, [0.3474576, 0.525641, 1.0, 1.0, 0.0]),
    ("Recall()", False, 1.0),
    ("Recall([0.2, 0.5, 0.8])", True, [1.0, 1.0, 0.7479187]),
    ("Recall([0.8, 0.2])", False, [0.7560976, 1.0]),
    ("Recall(top_k=2)", False, 1.0),
    ("Recall(class_id=1)", True, 1.0),
    ("Recall(0.3, 1, 2)", False, 0.5625),
    ("Recall([0, 0.25, 0.5, 0.75, 1])", False, [1.0, 1.0, 1.0, 0.8048781, 0.0]),
    ("TruePositives()", False, 41.0),
    ("TruePositives([0.1, 0.6])", True, [23.3950729, 23.3950729]),
    ("FalsePositives()", False, 0.0),
    ("FalsePositives([0.1, 0.6])", True, [36.5592575, 0.0]),
    ("TrueNegatives()", False, 79.0),
    ("TrueNegatives([0.1, 0.6])", True, [10.8882866, 47.4475479]),
    ("FalseNegatives()", False, 0.0),
    ("FalseNegatives([0.1, 0.6])", True, [0.0, 0.0]),
    ("SensitivityAtSpecificity(0.7)", False, 1.0),
    ("SensitivityAtSpecificity(0.7, 10, 1)", True, 1.0),
    ("SensitivityAtSpecificity(0.5, 1)", False, 1.0),
    ("SpecificityAtSensitivity(0.7)", False, 1.0),
    ("SpecificityAtSensitivity(0.7, 10, 1)", True, 1.0),
    ("SpecificityAtSensitivity(0.5, 1)", False, 1.0),
    ("PrecisionAtRecall(0.7)", False, 1.0),
    ("PrecisionAtRecall(0.7, 10, 1)", True, 1.0),
    ("PrecisionAtRecall(0.5, 1)", False, 1.0),
    ("RecallAtPrecision(0.7)", False, 1.0),
    ("RecallAtPrecision(0.7, 10, 1)", True, 1.0),
    ("RecallAtPrecision(0.5, 1)", False, 1.0),
    ("F1Score(None)", True, [0.6661106, 0.8824823, 0.7049428]),
    ("FBetaScore(None, 2.0, 0.5)", False, [1.0, 1.0, 1.0]),
    ("F1Score('micro')", True, 0.7273881),
    ("FBetaScore('micro', 2.0, 0.5)", False, 1.0),
    ("F1Score('macro')", True, 0.7511785),
    ("FBetaScore('macro', 2.0, 0.5)", False, 1.0),
    ("F1Score('weighted')", True, 0.7277429),
    ("FBetaScore('weighted', 2.0, 0.5)", False, 0.9999999),
    ("R2Score()", False, 0.7187425),
    ("R2Score(None)", True, [0.6675607, 0.6642128, 0.7438222]),
    ("R2Score('variance_weighted_average', 5)", False, 0.7053518),
    ("RootMeanSquaredError()", True, 0.2553718),
    ("CosineSimilarity()", True, 0.648575),
    ("BinaryCrossentropy(label_smoothing=0.1)", True, 0.4062591),
    ("CategoricalCrossentropy(from_logits=True)", False, 0.8673671),
    ("KLDivergence()", True, 0.1400464),
    ("Poisson()", True, 0.5021195),
    ("MeanAbsolutePercentageError()", True, 165496656.0),
    ("MeanSquaredLogarithmicError()", True, 0.0428296),
    ("LogCoshError()", True, 0.0318639),
    ("Hinge()", True, 0.8755567),
    ("SquaredHinge()", True, 1.0659679),
    ("CategoricalHinge()", True, 0.602091),
    ("BinaryAccuracy()", True, 1.0),
    ("MeanSquaredError()", True, 0.0652148),
]


def made(expression):
    return eval(f"metrics.{expression}")


@pytest.mark.parametrize(("expression", "weighted", "expected"), GOLDENS)
def test_is_as_in_keras(expression, weighted, expected):
    y, p, weight = data()
    metric = made(expression)
    for batch in (slice(0, 25), slice(25, 40)):
        metric.update_state(y[batch], p[batch], weight[batch] if weighted else None)
    np.testing.assert_allclose(metric.result(), expected, rtol=2e-6, atol=2e-6)
    metric.reset_state()
    metric.update_state(y, p, weight if weighted else None)
    np.testing.assert_allclose(metric.result(), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("expression", [expression for expression, *_ in GOLDENS])
def test_config_round_trip(expression):
    metric = made(expression)
    copy = metrics.deserialize(metrics.serialize(metric))
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


class TestCounts:
    @pytest.mark.parametrize("thresholds", [[0.5], [0.9, 0.1, 0.4], list(np.linspace(0, 1, 11))])
    def test_is_a_comparison_with_each_threshold(self, thresholds):
        rng = np.random.default_rng(1)
        y, p = rng.random((50, 2)) < 0.5, rng.random((50, 2)).astype(np.float32)
        p[0, 0], p[1, 1] = np.nan, 1.0
        for name, label, positive in [
            ("TruePositives", True, True),
            ("FalsePositives", False, True),
            ("TrueNegatives", False, False),
            ("FalseNegatives", True, False),
        ]:
            got = getattr(metrics, name)(thresholds)(y, p)
            wanted = [((y == label) & ((p > np.float32(t)) == positive)).sum() for t in thresholds]
            np.testing.assert_array_equal(np.atleast_1d(got), wanted)


def test_a_prediction_of_0_is_above_the_lowest_threshold():
    """From Keras's documentation of AUC."""
    auc = metrics.AUC(num_thresholds=3)
    assert auc([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]) == pytest.approx(0.75)
    assert auc.false_positives.tolist() == [2, 0, 0]


class TestConfusionMatrix:
    def test_counts_labels_by_predictions(self):
        rng = np.random.default_rng(2)
        y, p = rng.integers(0, 4, 30), rng.random((30, 4))
        weight = rng.integers(0, 3, 30)
        wanted = np.zeros((4, 4))
        np.add.at(wanted, (y, p.argmax(axis=1)), weight)
        matrix = metrics.ConfusionMatrix()
        matrix.update_state(y[:10], p[:10], weight[:10])
        matrix.update_state(np.eye(4)[y[10:]], p[10:], weight[10:])
        np.testing.assert_array_equal(matrix.result(), wanted)
        matrix.reset_state()
        assert not matrix.result().any()

    def test_other_number_of_classes(self):
        with pytest.raises(ValueError, match="y_pred must have 3 classes, got 2"):
            metrics.ConfusionMatrix(3)([0], [[0.5, 0.5]])


class Hits(metrics.Metric):
    """As Keras's docs write a metric of one's own."""

    def __init__(self, name="hits", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.hits.assign_add(np.sum(np.argmax(y_pred, axis=-1) == np.asarray(y_true).ravel()))

    def result(self):
        return self.hits


STATELESS = [
    (metrics.Sum(), ([1.0, 3.0],), 8.0),
    (metrics.Mean(), ([1.0, 3.0],), 2.0),
    (metrics.CategoricalAccuracy(), ([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]]), 0.5),
    (metrics.RootMeanSquaredError(), ([[0.0]], [[3.0]]), 3.0),
    (metrics.ConfusionMatrix(2), ([0, 1], [[0.9, 0.1], [0.2, 0.8]]), [[2, 0], [0, 2]]),
    (metrics.Precision(), ([1, 0], [0.9, 0.8]), 0.5),
]


@pytest.mark.parametrize(("metric", "batch", "expected"), STATELESS)
def test_stateless_updates_begin_with_what_they_are_given(metric, batch, expected):
    empty = np.array(metric.result())
    once = metric.stateless_update_state(metric.stateless_reset_state(), *batch)
    twice = metric.stateless_update_state(once, *batch)
    assert np.array_equal(metric.stateless_result(twice), expected)
    np.testing.assert_array_equal(twice, [2 * variable for variable in once])
    assert np.array_equal(metric.result(), empty)


class Named(Hits):
    def result(self):
        return {"hits": self.hits, "share": self.hits / 4}


class TestOnesOwn:
    def test_state(self):
        metric = Hits()
        metric.update_state([0, 1], [[1, 0], [1, 0]])
        assert metric.result() == 1
        assert [variable.name for variable in metric.variables] == ["hits"]
        after = metric.stateless_update_state([5.0], [0, 1], [[1, 0], [0, 1]])
        assert after == [7.0]
        assert metric.stateless_result([3.0]) == 3
        assert metric.result() == 1
        metric.reset_state()
        assert metric.result() == 0

    def test_variables_in_lists_and_metrics_are_found(self):
        metric = Hits()
        metric.more = [Hits(), {"sum": metrics.Sum()}, metric.add_variable((2,))]
        assert len(metric.variables) == 4

    def test_in_training(self):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2, "softmax")])
        matrix = metrics.ConfusionMatrix()
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=[Named(), matrix])
        x, y = np.eye(2)[[0, 1, 0, 1]], np.array([0, 1, 0, 1])
        history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x, y)).history
        assert len(history["val_share"]) == 2
        found = model.evaluate(x, y, verbose=0, return_dict=True)
        assert found["hits"] == 4 * found["share"] == np.trace(found["confusion_matrix"])

    @pytest.mark.parametrize(
        "given",
        [["mse"], [["mse"]], {"out": "mse"}, {"out": ["mse"]}, [metrics.MeanSquaredError]],
    )
    def test_of_the_one_output(self, given):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2)])
        model.compile("sgd", "mse", metrics=given)
        loss, metric = model.evaluate(np.eye(2), np.eye(2), verbose=0)
        assert loss == pytest.approx(metric)

    def test_progress_shows_arrays(self, capsys):
        model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(2, "softmax")])
        model.compile("sgd", "categorical_crossentropy", metrics=[metrics.F1Score()])
        model.fit(np.eye(2), np.eye(2), verbose=2)
        assert "f1_score: [" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: metrics.Precision(1.5), "Threshold values must be in"),
        (lambda: metrics.AUC(1), "`num_thresholds` must be an integer > 1"),
        (lambda: metrics.AUC(curve="ROCK"), "Invalid AUC curve value"),
        (lambda: metrics.AUC(num_labels=2), "only when `multi_label` is True"),
        (lambda: metrics.AUC(multi_label=True)([1], [0.5]), "must have rank 2"),
        (lambda: metrics.Recall(class_id=3)([[0, 1]], [[0, 1]]), "When class_id is provided"),
        (lambda: metrics.Recall()([[0, 1]], [[0, 1, 1]]), "must have the same shape"),
        (lambda: metrics.PrecisionAtRecall(2), "`recall` must be in the range"),
        (lambda: metrics.RecallAtPrecision(0.5, 0), "`num_thresholds` must be an integer > 0"),
        (lambda: metrics.F1Score("most"), "Invalid `average` argument value"),
        (lambda: metrics.FBetaScore(beta=0.0), "should be > 0"),
        (lambda: metrics.F1Score()([1], [1]), "expects 2D inputs"),
        (lambda: metrics.R2Score("sum"), "`class_aggregation`"),
        (lambda: metrics.Mean(dtype="float33"), "dtype must be such as"),
        (lambda: Hits().stateless_result([]), "must hold 1 arrays, got 0"),
    ],
)
def test_wrong_values(make, match):
    with pytest.raises(ValueError, match=match):
        make()
