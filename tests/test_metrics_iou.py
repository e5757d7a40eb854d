"""Intersection over union, against sets of pixels."""

import numpy as np
import pytest

from pyconv import metrics


def by_sets(y, p, classes, weight=None):
    weight = np.ones(y.shape) if weight is None else weight
    found = []
    for c in classes:
        union = weight[(y == c) | (p == c)].sum()
        if union:
            found.append(weight[(y == c) & (p == c)].sum() / union)
    return np.mean(found) if found else 0.0


@pytest.mark.parametrize("ignored", [None, 0])
def test_several_batches_of_maps(ignored):
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 4, (6, 5, 5)), rng.integers(0, 4, (6, 5, 5))
    metric = metrics.IoU(5, [0, 2, 4], ignore_class=ignored)
    mean = metrics.MeanIoU(5, ignore_class=ignored)
    for part in (slice(0, 2), slice(2, 6)):
        metric.update_state(y[part], p[part])
        mean.update_state(y[part], p[part])
    kept = np.ones(y.shape, bool) if ignored is None else y != ignored
    assert metric.result() == pytest.approx(by_sets(y[kept], p[kept], [0, 2, 4]), abs=1e-7)
    assert mean.result() == pytest.approx(by_sets(y[kept], p[kept], range(5)), abs=1e-7)
    metric.reset_state()
    assert metric.result() == 0.0


def test_weights():
    rng = np.random.default_rng(1)
    y, p, weight = rng.integers(0, 3, 30), rng.integers(0, 3, 30), rng.random(30)
    metric = metrics.MeanIoU(3, dtype="float32")
    metric.update_state(y, p, weight)
    assert metric.result() == pytest.approx(by_sets(y, p, range(3), weight), rel=1e-6)
    whole = metrics.MeanIoU(3)
    whole.update_state(y, p, np.full(30, 2))
    assert whole.result() == pytest.approx(by_sets(y, p, range(3)), rel=1e-6)
    with pytest.warns(UserWarning, match="weight as `float`, but dtype is `int32`"):
        whole.update_state(y, p, weight)


def test_numbers_of_no_class_are_left_out():
    metric = metrics.IoU(2, [0, 1])
    metric.update_state([0, 2, -1, 1], [0, 1, 0, 7])
    assert metric.result() == 1.0


def test_one_hot():
    rng = np.random.default_rng(2)
    y, p = rng.integers(0, 3, 40), rng.random((40, 3))
    wanted = by_sets(y, p.argmax(1), [1])
    hot = np.eye(3)[y]
    assert metrics.OneHotIoU(3, [1])(hot, p) == pytest.approx(wanted, rel=1e-6)
    assert metrics.OneHotIoU(3, [1], axis=0)(hot.T, p.T) == pytest.approx(wanted, rel=1e-6)
    every = by_sets(y, p.argmax(1), range(3))
    assert metrics.OneHotMeanIoU(3)(hot, p) == pytest.approx(every, rel=1e-6)
    sparse = metrics.OneHotMeanIoU(3, sparse_y_pred=True)(hot, p.argmax(1))
    assert sparse == pytest.approx(every, rel=1e-6)


def test_binary():
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, 50), rng.random(50).astype(np.float32)
    p[0] = 0.25
    wanted = by_sets(y, (p >= 0.25).astype(int), [0, 1])
    assert metrics.BinaryIoU(threshold=0.25)(y, p) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.IoU(3, [0, 2], "i", "float32", 1, False, False, 0),
        metrics.BinaryIoU([1], 0.3, "b"),
        metrics.MeanIoU(3, ignore_class=2),
        metrics.OneHotIoU(3, [2], sparse_y_pred=True),
        metrics.OneHotMeanIoU(3, axis=1),
    ],
)
def test_config(metric):
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert vars(again).keys() == vars(metric).keys()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.IoU(2, [2]), r"Target class id 2 is out of range, which is \[0, 2\)"),
        (lambda: metrics.IoU(2, []), "target_class_ids must hold a class"),
        (lambda: metrics.IoU(2, 1), "target_class_ids must be a list of classes, got 1"),
        (lambda: metrics.IoU(2, "01"), "target_class_ids must be a list"),
        (lambda: metrics.IoU(2, [0.5]), r"target_class_ids\[0\] must be an integer"),
        (lambda: metrics.MeanIoU(None), "MeanIoU: num_classes must be an integer, got None"),
        (lambda: metrics.MeanIoU(-1), "num_classes must be a positive"),
        (lambda: metrics.MeanIoU(2, sparse_y_true=np.ones(2)), "sparse_y_true must be True or"),
        (lambda: metrics.BinaryIoU(threshold="high"), "threshold must be a number"),
        (lambda: metrics.MeanIoU(2)([0, 1], [0]), r"as many classes, got shapes \(2,\) and \(1,\)"),
        (lambda: metrics.MeanIoU(2)(["a"], [0]), "y_true must be an array of numbers"),
        (lambda: metrics.MeanIoU(2)([0, 1], [0, 1], [1, 2, 3]), "one number a label, 2 of them"),
        (lambda: metrics.OneHotIoU(2, [0], axis=3)([[0, 1]], [[0, 1]]), "an axis 3 of classes"),
    ],
)
def test_errors(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
