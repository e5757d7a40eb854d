"""Losses against Keras's numbers, and against its formulas in float64 with torch's gradients."""

import numpy as np
import pytest
import torch

from pyconv import losses
from pyconv.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)

EPSILON = 1e-7
MOST = float(np.float32(1 - 1e-7))


# Keras's formulas, of torch tensors in float64: the loss of each row.
def smoothed(y, a, others):
    return y * (1 - a) + a / others


def categorical(y, p, a=0.0):
    q = (p / p.sum(-1, keepdim=True)).clamp(EPSILON, MOST)
    return -(smoothed(y, a, y.shape[-1]) * q.log()).sum(-1)


def categorical_logits(y, z, a=0.0):
    return -(smoothed(y, a, y.shape[-1]) * torch.log_softmax(z, -1)).sum(-1)


def binary(y, p, a=0.0):
    y, q = smoothed(y, a, 2), p.clamp(EPSILON, MOST)
    return -(y * q.log() + (1 - y) * (1 - q).log()).mean(-1)


def binary_logits(y, z, a=0.0):
    y = smoothed(y, a, 2)
    return -(y * torch.nn.functional.logsigmoid(z)).mean(-1) - (
        (1 - y) * torch.nn.functional.logsigmoid(-z)
    ).mean(-1)


def squared(y, p):
    return ((y - p) ** 2).mean(-1)


def absolute(y, p):
    return (y - p).abs().mean(-1)


def focal(y, p, alpha=0.25, gamma=2.0, a=0.0):
    q = (p / p.sum(-1, keepdim=True)).clamp(EPSILON, MOST)
    return -(alpha * (1 - q) ** gamma * smoothed(y, a, y.shape[-1]) * q.log()).sum(-1)


def binary_focal(y, p, alpha=None, gamma=2.0, a=0.0):
    y, q = smoothed(y, a, 2), p.clamp(EPSILON, MOST)
    entropy = -(y * q.log() + (1 - y) * (1 - q).log())
    weight = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    return (weight * (1 - (y * p + (1 - y) * (1 - p))) ** gamma * entropy).mean(-1)


def percentage(y, p):
    return 100 * ((y - p).abs() / y.abs().clamp(min=EPSILON)).mean(-1)


def logarithmic(y, p):
    return ((torch.log1p(p.clamp(min=EPSILON)) - torch.log1p(y.clamp(min=EPSILON))) ** 2).mean(-1)


def huber(y, p, delta=1.0):
    return torch.nn.functional.huber_loss(p, y, reduction="none", delta=delta).mean(-1)


def hinge(y, p, power=1):
    return (torch.relu(1 - (2 * y - 1) * p) ** power).mean(-1)


def categorical_hinge(y, p):
    return torch.relu(((1 - y) * p).amax(-1) - (y * p).sum(-1) + 1)


def divergence(y, p):
    y, p = y.clamp(EPSILON, 1), p.clamp(EPSILON, 1)
    return (y * (y / p).log()).sum(-1)


def floats(rng, shape):
    return rng.standard_normal((*shape, 7))


def positive(rng, shape):
    return rng.uniform(0.1, 4, shape).astype(np.float32)


def shares(rng, shape):
    return rng.uniform(0.02, 0.98, shape).astype(np.float32)


def one_hot(rng, shape, classes=7):
    return np.eye(classes)[rng.integers(0, classes, shape)]


def probabilities(rng, shape):
    p = rng.dirichlet(np.full(shape[-1], 0.3), shape[:-1]).astype(np.float32)
    # Not normalized, with zeros, and with a row that is sure.
    p *= rng.uniform(0.5, 2, (*shape[:-1], 1))
    p.reshape(-1, shape[-1])[0] = np.eye(shape[-1])[2]
    return p.astype(np.float32)


def logits(rng, shape):
    z = 10 * rng.standard_normal(shape)
    z.reshape(-1, shape[-1])[0] = 1e4 * np.eye(shape[-1])[1]
    return z.astype(np.float32)


def numbers(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


CASES = {
    "categorical": (CategoricalCrossentropy(), categorical, one_hot, probabilities),
    "smoothed": (
        CategoricalCrossentropy(label_smoothing=0.2),
        lambda y, p: categorical(y, p, 0.2),
        one_hot,
        probabilities,
    ),
    "logits": (CategoricalCrossentropy(from_logits=True), categorical_logits, one_hot, logits),
    "smoothed logits": (
        CategoricalCrossentropy(from_logits=True, label_smoothing=0.3),
        lambda y, z: categorical_logits(y, z, 0.3),
        one_hot,
        logits,
    ),
    "soft labels": (
        CategoricalCrossentropy(),
        categorical,
        lambda rng, shape: rng.dirichlet(np.ones(7), shape),
        probabilities,
    ),
    "sparse": (SparseCategoricalCrossentropy(), categorical, one_hot, probabilities),
    "sparse logits": (
        SparseCategoricalCrossentropy(from_logits=True),
        categorical_logits,
        one_hot,
        logits,
    ),
    "binary": (BinaryCrossentropy(), binary, one_hot, probabilities),
    "smoothed binary": (
        BinaryCrossentropy(label_smoothing=0.1),
        lambda y, p: binary(y, p, 0.1),
        one_hot,
        probabilities,
    ),
    "binary logits": (BinaryCrossentropy(from_logits=True), binary_logits, one_hot, logits),
    "focal": (CategoricalFocalCrossentropy(), focal, one_hot, probabilities),
    "smoothed focal": (
        CategoricalFocalCrossentropy([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 1.5, False, 0.1),
        lambda y, p: focal(y, p, torch.arange(1, 8, dtype=torch.float64) / 10, 1.5, 0.1),
        one_hot,
        shares,
    ),
    "focal logits": (
        CategoricalFocalCrossentropy(gamma=3.0, from_logits=True),
        lambda y, z: focal(y, torch.softmax(z, -1), gamma=3.0),
        one_hot,
        numbers,
    ),
    "binary focal": (BinaryFocalCrossentropy(), binary_focal, one_hot, shares),
    "balanced binary focal": (
        BinaryFocalCrossentropy(True, 0.3, 1.5, False, 0.1),
        lambda y, p: binary_focal(y, p, 0.3, 1.5, 0.1),
        one_hot,
        shares,
    ),
    "binary focal logits": (
        BinaryFocalCrossentropy(from_logits=True),
        lambda y, z: binary_focal(y, torch.sigmoid(z)),
        one_hot,
        numbers,
    ),
    "percentage": (MeanAbsolutePercentageError(), percentage, floats, numbers),
    "logarithmic": (MeanSquaredLogarithmicError(), logarithmic, floats, numbers),
    "huber": (Huber(), huber, floats, numbers),
    "huber 0.3": (Huber(0.3), lambda y, p: huber(y, p, 0.3), floats, numbers),
    "log cosh": (
        LogCosh(),
        lambda y, p: torch.log(torch.cosh(p - y)).mean(-1),
        floats,
        numbers,
    ),
    "poisson": (
        Poisson(),
        lambda y, p: (p - y * (p + EPSILON).log()).mean(-1),
        lambda rng, s: rng.poisson(2, (*s, 7)).astype(float),
        positive,
    ),
    "hinge": (Hinge(), hinge, one_hot, numbers),
    "squared hinge": (SquaredHinge(), lambda y, p: hinge(y, p, 2), one_hot, numbers),
    "categorical hinge": (CategoricalHinge(), categorical_hinge, one_hot, numbers),
    "divergence": (
        KLDivergence(),
        divergence,
        lambda rng, shape: rng.dirichlet(np.ones(7), shape),
        shares,
    ),
    "cosine": (
        CosineSimilarity(),
        lambda y, p: -torch.nn.functional.cosine_similarity(y, p, dim=-1),
        floats,
        numbers,
    ),
    "squared": (
        MeanSquaredError(),
        squared,
        lambda rng, s: rng.standard_normal((*s, 7)),
        numbers,
    ),
    "absolute": (
        MeanAbsoluteError(),
        absolute,
        lambda rng, s: rng.standard_normal((*s, 7)),
        numbers,
    ),
}


@pytest.mark.parametrize("rows", [(1,), (33,), (4, 3, 5)])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case, rows):
    loss, formula, labels, predictions = CASES[case]
    rng = np.random.default_rng(11)
    y, p = labels(rng, rows), predictions(rng, (*rows, 7))
    scale = rng.uniform(0.1, 2, rows).astype(np.float32)
    given = y.argmax(-1) if isinstance(loss, SparseCategoricalCrossentropy) else y
    targets = loss.check_targets(given, p.shape, "test")

    exact = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    # float64 labels are rounded to float32 in some losses: the truth gets the rounded ones too.
    wanted = formula(torch.tensor(y.astype(np.float32), dtype=torch.float64), exact)
    (wanted * torch.tensor(scale, dtype=torch.float64)).sum().backward()
    gradient = exact.grad.numpy()

    out = np.full(p.shape, np.nan, np.float32)
    got, grad = loss.call_with_gradient(targets, p, scale, out)
    assert grad.shape == p.shape
    assert got.dtype == grad.dtype == np.float32
    np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=1e-6, atol=3e-7)
    np.testing.assert_allclose(grad, gradient, rtol=2e-6, atol=3e-7 * np.abs(gradient).max())
    np.testing.assert_array_equal(loss.call(targets, p), got)
    np.testing.assert_array_equal(loss.call_with_gradient(targets, p, scale)[1], grad)


KERAS_Y, KERAS_P = [[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]


class TestKerasNumbers:
    @pytest.mark.parametrize(
        ("loss", "y"),
        [(CategoricalCrossentropy, KERAS_Y), (SparseCategoricalCrossentropy, [1, 2])],
    )
    def test_crossentropy(self, loss, y):
        np.testing.assert_allclose(loss(reduction=None)(y, KERAS_P), [0.0513, 2.303], atol=5e-4)
        assert loss()(y, KERAS_P) == pytest.approx(1.177, abs=5e-4)
        assert loss()(y, KERAS_P, sample_weight=[0.3, 0.7]) == pytest.approx(0.814, abs=5e-4)
        assert loss(reduction="sum")(y, KERAS_P) == pytest.approx(2.354, abs=5e-4)

    Y, P = [[1, 9, 2], [-5, -2, 6]], [[4, 8, 12], [8, 1, 3]]

    @pytest.mark.parametrize(
        ("loss", "plain", "weighted", "mean"),
        [
            (MeanSquaredError, 49.5, 767.8 / 6, (110 / 3 * 1.2 + 187 / 3 * 3.4) / 4.6),
            (MeanAbsoluteError, 5.5, 81.4 / 6, (14 / 3 * 1.2 + 19 / 3 * 3.4) / 4.6),
        ],
    )
    def test_mean_losses(self, loss, plain, weighted, mean):
        assert loss()(self.Y, self.P) == pytest.approx(plain)
        assert loss()(self.Y, self.P, sample_weight=2.3) == pytest.approx(2.3 * plain)
        assert loss()(self.Y, self.P, sample_weight=0) == 0
        assert loss()(self.Y, self.P, sample_weight=[[1.2], [3.4]]) == pytest.approx(weighted)
        by_weight = loss(reduction="mean_with_sample_weight")
        assert by_weight(self.Y, self.P, sample_weight=[1.2, 3.4]) == pytest.approx(mean)
        assert by_weight(self.Y, self.P, sample_weight=[0, 0]) == 0

    def test_weight_of_each_cell(self):
        y = np.reshape([1, 9, 2, -5, -2, 6], (2, 3, 1))
        p = np.reshape([4, 8, 12, 8, 1, 3], (2, 3, 1))
        weight = np.reshape([3, 6, 5, 0, 4, 2], (2, 3))
        assert MeanSquaredError()(y, p, sample_weight=weight) == pytest.approx(97.833336)
        assert MeanAbsoluteError()(y, p, sample_weight=weight) == pytest.approx(13.833333)

    def test_binary(self):
        # -mean(log(1 - 0.6), log(0.4), ...), from Keras's documentation.
        loss = BinaryCrossentropy()
        assert loss([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]) == pytest.approx(0.815, abs=5e-4)


@pytest.mark.parametrize("reduction", losses.loss.REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions(reduction, weighted):
    rng = np.random.default_rng(2)
    y, p = rng.standard_normal((9, 4)), rng.standard_normal((9, 4))
    weight = rng.uniform(0, 3, 9) if weighted else None
    w = np.ones(9) if weight is None else weight
    rows = ((y - p) ** 2).mean(axis=1)
    wanted = {
        "sum_over_batch_size": (rows * w).sum() / 9,
        "mean": (rows * w).sum() / 9,
        "sum": (rows * w).sum(),
        "mean_with_sample_weight": (rows * w).sum() / w.sum(),
    }.get(reduction, rows * w)
    loss = MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(loss(y, p, sample_weight=weight), wanted, rtol=1e-6)


def test_weights_as_keras_takes_them():
    """Against the formulas of ``reduce_weighted_values`` of Keras 3.15."""
    rng = np.random.default_rng(3)
    y, p = rng.standard_normal((4, 5, 2)), rng.standard_normal((4, 5, 2))
    rows, w = ((y - p) ** 2).mean(axis=-1), rng.uniform(1, 3, (4, 1))
    mean = MeanSquaredError(reduction="mean_with_sample_weight")
    assert mean(y, p, sample_weight=2.0) == pytest.approx(rows.sum(), rel=1e-6)
    assert mean(y, p, sample_weight=w) == pytest.approx((rows * w).sum() / w.sum(), rel=1e-6)
    each = MeanSquaredError(reduction="none")(y[:, 0], p[:, 0], sample_weight=w)
    np.testing.assert_allclose(each, rows[:, :1] * w, rtol=1e-6)
    for kind in (losses.Dice, losses.Tversky):
        plain = kind()(abs(y), abs(p))
        got = kind()(abs(y), abs(p), sample_weight=w[:, 0])
        assert got == pytest.approx(plain * w.mean(), rel=1e-6)
        alone = kind(reduction="mean_with_sample_weight")
        for weight in (2.0, [2.0]):
            assert alone(abs(y), abs(p), sample_weight=weight) == pytest.approx(2 * plain, rel=1e-6)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "f4", "f8", "?"])
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_sparse_labels_of_any_kind(dtype, shape):
    y = np.array([1, 0], dtype).reshape(shape)
    p = np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    assert SparseCategoricalCrossentropy()(y, p) == pytest.approx(-np.log([0.95, 0.1]).mean())


FUNCTIONS = [
    (losses.categorical_crossentropy, KERAS_Y, KERAS_P),
    (losses.sparse_categorical_crossentropy, [[1], [2]], KERAS_P),
    (losses.binary_crossentropy, KERAS_Y, KERAS_P),
    (losses.mean_squared_error, KERAS_Y, KERAS_P),
    (losses.mean_absolute_error, KERAS_Y, KERAS_P),
]


@pytest.mark.parametrize(
    ("function", "y", "p"), FUNCTIONS, ids=lambda v: getattr(v, "__name__", "")
)
def test_functions_are_the_losses_unreduced(function, y, p):
    loss = losses.as_loss(function)
    loss.reduction = "none"
    np.testing.assert_array_equal(function(y, p), loss(y, p))
    assert losses.get(function.__name__) is losses.get(function) is function
    # One row without an axis of samples gives one number, as in Keras.
    assert function(np.array(y)[0], np.array(p)[0]) == function(y, p)[0]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda: CategoricalCrossentropy(label_smoothing=1.5),
            "label_smoothing must be from 0 to 1",
        ),
        (lambda: CategoricalCrossentropy(axis=True), "`axis` must be of type `int`"),
        (lambda: BinaryCrossentropy(axis=0)([[1.0]], [[0.5]]), "axis must be an axis of the outp"),
        (lambda: BinaryCrossentropy(axis=2)([[1.0]], [[0.5]]), "axis must be an axis of the outp"),
        (lambda: MeanSquaredError(reduction="average"), "Invalid value for argument `reduction`"),
        (lambda: CategoricalFocalCrossentropy([0.1])(KERAS_Y, KERAS_P), "alpha must be a number"),
        (lambda: CategoricalGeneralizedCrossEntropy(1.0), r"q must be in the interval \(0, 1\)"),
        (lambda: Huber(delta=-1), "Huber: delta must be at least 0"),
        (lambda: MeanSquaredError(dtype="float64"), "dtype must be None or 'float32'"),
        (lambda: MeanSquaredError()([[1.0, 2.0]], [[1.0]]), r"y must have the shape .*\(1, 1\)"),
        (lambda: MeanSquaredError()([[np.nan]], [[1.0]]), "y must be finite"),
        (lambda: MeanSquaredError()(1.0, 1.0), r"y_pred must have shape \(N, ..., C\)"),
        (lambda: MeanSquaredError()([[1.0]], [[1.0]], [1.0, 2.0]), "sample_weight must hold one"),
        (lambda: MeanSquaredError()([[1.0]], [[1.0]], [np.inf]), "sample_weight must be finite"),
        (lambda: CategoricalCrossentropy()([[1.0]], [[0.5]]), "at least 2 classes"),
        (lambda: CategoricalCrossentropy()([1], [[0.5, 0.5]]), "sparse_categorical_crossentropy"),
        (lambda: SparseCategoricalCrossentropy()([2], [[0.5, 0.5]]), "from 0 to 1, got 2 at row 0"),
        (lambda: SparseCategoricalCrossentropy()([-1], [[0.5, 0.5]]), "from 0 to 1, got -1"),
        (lambda: SparseCategoricalCrossentropy()([0.5], [[0.5, 0.5]]), "class numbers, got 0.5"),
        (lambda: SparseCategoricalCrossentropy()([[0, 1]], [[0.5, 0.5]]), "for one-hot labels use"),
        (lambda: losses.get(3), "Could not interpret loss identifier"),
        (lambda: losses.get("mean_sqared_error"), "did you mean 'mean_squared_error'"),
        (lambda: losses.get({"class_name": "Nothing", "config": {}}), "unknown loss 'Nothing'"),
        (
            lambda: losses.get({"class_name": "MeanSquaredError", "config": {"k": 1}}),
            "does not fit",
        ),
    ],
)
def test_wrong_values(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda: CategoricalCrossentropy(label_smoothing="much"),
            "label_smoothing must be a number",
        ),
        (lambda: MeanSquaredError()(["a"], [[1.0]]), "y must be an array of numbers"),
        (lambda: MeanSquaredError()([[1.0]], None), "y_pred must be an array of numbers"),
        (lambda: SparseCategoricalCrossentropy(ignore_class=0.5), "ignore_class must be an int"),
    ],
)
def test_wrong_types(make, match):
    with pytest.raises(TypeError, match=match):
        make()


@pytest.mark.parametrize(
    "loss",
    [
        CategoricalCrossentropy(True, 0.25, name="mine"),
        SparseCategoricalCrossentropy(True, reduction="sum"),
        BinaryCrossentropy(False, 0.5, reduction=None),
        MeanSquaredError("mean_with_sample_weight"),
        MeanAbsoluteError(),
        BinaryFocalCrossentropy(True, 0.3, 1.5, True, 0.1, 1),
        CategoricalFocalCrossentropy([0.5, 1.0], 1.5, True, 0.1, 1),
        CategoricalGeneralizedCrossEntropy(0.3),
        SparseCategoricalCrossentropy(ignore_class=255, axis=1),
        Huber(0.5),
        CosineSimilarity(1),
        *(
            kind()
            for kind in (Hinge, SquaredHinge, CategoricalHinge, KLDivergence, LogCosh, Poisson)
        ),
        *(kind() for kind in (MeanAbsolutePercentageError, MeanSquaredLogarithmicError)),
    ],
    ids=lambda loss: loss.name,
)
def test_config_round_trip(loss):
    copy = losses.deserialize(losses.serialize(loss))
    assert type(copy) is type(loss)
    assert copy.get_config() == loss.get_config()
