"""Hostile arguments: a TypeError or ValueError that names the argument, and nothing is changed."""

import numpy as np
import pytest
from networks import CLASSES, images, small_cnn

import pyconv
from pyconv.losses import MeanSquaredError

X, Y = images(20)
ONE_HOT = np.eye(CLASSES)[Y]


@pytest.fixture
def model():
    """A model that has made steps; the test fails where anything of it changed."""
    pyconv.utils.set_random_seed(1)
    made = small_cnn()
    made.compile(
        pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    made.fit(X, Y, epochs=2, verbose=0)
    before = state(made)
    yield made
    assert state(made) == before


def state(model):
    optimizer = model.optimizer.state_dict()
    return (
        [w.tobytes() for w in model.get_weights()],
        {key: value.tobytes() for key, value in optimizer.items()},
        model.optimizer.learning_rate,
        model.optimizer,
        model.loss,
        model.metrics_names,
        model.history,
        model.history.history,
        model.input_shape,
        pyconv._random.generator().bit_generator.state,
    )


HUGE = [0, -1, 2**31, 2**63 - 1, 10**30]
FIT = [
    *[({name: n}, ValueError, name) for n in HUGE for name in ("batch_size", "steps_per_epoch")],
    *[({"validation_data": (X, Y), name: n}, ValueError, name) for n in HUGE
      for name in ("validation_batch_size", "validation_steps")],
    *[({name: n}, ValueError, name) for n in HUGE[1:] for name in ("epochs", "initial_epoch")],
    *[({name: bad}, TypeError, name) for bad in ("2", 2.5, [2], True, float("nan"))
      for name in ("batch_size", "epochs", "initial_epoch", "steps_per_epoch",
                   "validation_batch_size", "validation_steps")],
    *[({name: None}, TypeError, name) for name in ("epochs", "initial_epoch", "validation_freq")],
    *[({"verbose": bad}, ValueError, "verbose") for bad in (3, -1, "loud", None, 1.0, [1])],
    *[({"shuffle": bad}, ValueError, "shuffle") for bad in ("batches", None, 2, 0.5, X)],
    *[({"callbacks": bad}, TypeError, "callbacks")
      for bad in ("History", [None], pyconv.callbacks.History, [lambda epoch: None], 3)],
    *[({"validation_split": bad}, ValueError, "validation_split")
      for bad in (-0.1, 1.0, 1.5, float("nan"), float("inf"), 0.999)],
    *[({"validation_split": bad}, TypeError, "validation_split")
      for bad in ("a", None, True, [0.5])],
    *[({"validation_freq": bad}, ValueError, "validation_freq") for bad in (0, -1, [0], [-3])],
    *[({"validation_freq": bad}, TypeError, "validation_freq") for bad in ("1", 1.5, [1.5], ["a"])],
    *[({"validation_data": bad}, TypeError, "validation_data") for bad in (5, "ab", {"x": X}, X)],
    *[({"validation_data": bad}, ValueError, "validation_data")
      for bad in ((X,), (X, Y, Y, Y), (X, Y[:3]), (X, None), (X[:0], Y[:0]), (X[0], Y),
                  (X, Y + 9), (X, Y, Y[:3]))],
    ({"class_weight": [1, 2]}, TypeError, "class_weight must be a dict"),
    ({"class_weight": {0: "a"}}, TypeError, r"class_weight\[0\]"),
    ({"class_weight": {0: None}}, TypeError, r"class_weight\[0\]"),
    ({"class_weight": {0: float("nan")}}, ValueError, r"class_weight\[0\]"),
    ({"class_weight": {0: [1, 2]}}, ValueError, r"class_weight\[0\]"),
    ({"class_weight": {4: 1.0}}, ValueError, "class_weight's keys must be .* 0 to 3"),
    ({"class_weight": {-1: 1.0}}, ValueError, "class_weight's keys"),
    ({"class_weight": {"a": 1.0}}, ValueError, "class_weight's keys"),
    ({"class_weight": {0: 1.0}, "sample_weight": np.ones(20)}, ValueError, "only one of"),
    ({"sample_weight": np.ones(19)}, ValueError, "x and sample_weight"),
    ({"sample_weight": 2.0}, ValueError, "x and sample_weight .* a single number"),
    ({"sample_weight": np.ones((20, 2))}, ValueError, "sample_weight must hold one number"),
    ({"sample_weight": np.full(20, np.nan)}, ValueError, "sample_weight must be finite"),
    ({"sample_weight": ["a"] * 20}, TypeError, "sample_weight"),
    ({"sample_weight": [[1], [1, 2]]}, ValueError, "sample_weight"),
]  # fmt: skip
DATA = [
    ((None, Y), ValueError, "x must be given"),
    ((X, None), ValueError, "y must be given"),
    ((X[:0], Y[:0]), ValueError, "x must hold at least one sample"),
    ((X, Y[:5]), ValueError, "x and y must have the same number of samples, got 20 and 5"),
    ((X, 3), ValueError, "x and y"),
    ((5, 5), ValueError, "x must have shape"),
    ((Y, Y), ValueError, "x must have shape"),
    (("images", Y), TypeError, "x must be an array of numbers"),
    (({"a": X, "b": X}, Y), TypeError, "x must be an array of numbers"),
    ((X.astype(complex), Y), TypeError, "x must be an array of numbers"),
    ((X.astype(object), Y), TypeError, "x must be an array of numbers"),
    ((X.astype(str), Y), TypeError, "x must be an array of numbers"),
    (([[1], [1, 2]], Y), ValueError, "x must be an array of numbers"),
    ((X, [[1], [1, 2]]), ValueError, "y must be an array of numbers"),
    ((X, ["a"] * 20), TypeError, "y must be an array of numbers"),
    ((X[..., :2], Y), ValueError, "Conv2D .* 3 channels"),
    ((X[..., 0], Y), ValueError, r"x\[..., np.newaxis\]"),
    ((X[:, :, :, None], Y), ValueError, r"input must be \(N, H, W, C\)"),
    ((X.reshape(20, -1), Y), ValueError, r"input must be \(N, H, W, C\)"),
    ((X, ONE_HOT), ValueError, "y .* use loss='categorical_crossentropy'"),
    ((X, Y + 1), ValueError, "y must hold class numbers from 0 to 3, got 4"),
    ((X, Y - 1), ValueError, "y must hold class numbers from 0 to 3, got -1"),
    ((X, Y + 0.5), ValueError, "y must hold class numbers"),
    ((X, np.where(Y == 1, np.nan, Y)), ValueError, "y must hold class numbers, got nan"),
    ((X, np.full(20, np.inf)), ValueError, "y must hold class numbers"),
    ((X, np.full(20, 2**63 - 1)), ValueError, "y must hold class numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "match"), FIT, ids=lambda v: repr(v)[:40])
def test_fit(model, arguments, error, match):
    with pytest.raises(error, match=match):
        model.fit(**{"x": X, "y": Y, "verbose": 0, **arguments})


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize(("data", "error", "match"), DATA)
def test_data(model, method, data, error, match):
    silent = {} if "batch" in method else {"verbose": 0}
    with pytest.raises(error, match=match) as caught:
        getattr(model, method)(*data, **silent)
    if "Conv2D" not in match and "input must be" not in match and "newaxis" not in match:
        assert str(caught.value).startswith(method + ":")


@pytest.mark.parametrize("method", ["predict", "predict_on_batch"])
@pytest.mark.parametrize(
    ("x", "error", "match"),
    [(d[0], error, match) for d, error, match in DATA if "y" not in match and "given" not in match
     and "at least" not in match] + [(None, TypeError, "x must be an array of numbers")],
)  # fmt: skip
def test_inputs_of_predict(model, method, x, error, match):
    silent = {} if "batch" in method else {"verbose": 0}
    with pytest.raises(error, match=match):
        getattr(model, method)(x, **silent)


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [(a, e, m) for a, e, m in FIT if set(a) & {"batch_size", "verbose", "callbacks"}]
    + [({"steps": n}, ValueError, "steps") for n in HUGE]
    + [({"steps": bad}, TypeError, "steps") for bad in ("2", 2.5, True)],
    ids=lambda v: repr(v)[:40],
)
def test_evaluate_and_predict(model, method, arguments, error, match):
    data = {"x": X, "y": Y} if method == "evaluate" else {"x": X}
    with pytest.raises(error, match=match):
        getattr(model, method)(**data, **{"verbose": 0, **arguments})


@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_streams_bring_their_own_labels_and_weights(model, method, name):
    with pytest.raises(ValueError, match=f"{method}: {name} must not be given where x is"):
        getattr(model, method)(iter([(X, Y)]), verbose=0, **{name: Y})


def test_split_of_a_stream(model):
    with pytest.raises(ValueError, match="validation_split needs arrays"):
        model.fit(iter([(X, Y)]), validation_split=0.5, verbose=0)


@pytest.mark.parametrize("source", [iter([]), [], 5, object()])
def test_evaluate_on_nothing(model, source):
    with pytest.raises((ValueError, TypeError), match="evaluate: "):
        model.evaluate(source, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"optimizer": "rmsprob"}, ValueError, "did you mean 'rmsprop'"),
        ({"optimizer": None}, ValueError, "compile: optimizer must be"),
        ({"optimizer": pyconv.optimizers.SGD}, ValueError, "optimizers.get.*an instance"),
        ({"loss": "mse2"}, ValueError, "unknown loss 'mse2'"),
        ({"loss": 3}, ValueError, "losses.get"),
        ({"loss": ["mse", "mae"]}, ValueError, "losses.get"),
        ({"loss": MeanSquaredError(reduction=None)}, ValueError, "reduction='none'"),
        ({"loss_weights": "much"}, TypeError, "compile: loss_weights must be a number"),
        ({"loss_weights": [1, 2]}, TypeError, "compile: loss_weights must be a number"),
        ({"loss_weights": float("nan")}, ValueError, "compile: loss_weights must be"),
        ({"metrics": "accuracy"}, TypeError, r"metrics must be a list, such as \['accuracy'\]"),
        ({"metrics": ["acuracy"]}, ValueError, "unknown metric 'acuracy'"),
        ({"metrics": [["accuracy"], ["mse"]]}, ValueError, "metrics.get"),
        ({"metrics": [3]}, ValueError, "metrics.get"),
        ({"metrics": 3}, TypeError, "compile: metrics must be a list"),
        ({"weighted_metrics": "accuracy"}, TypeError, "compile: weighted_metrics must be a list"),
        ({"weighted_metrics": ["nothing"]}, ValueError, "unknown metric 'nothing'"),
    ],
)
def test_compile(model, arguments, error, match):
    with pytest.raises(error, match=match):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_models_that_are_not_compiled(method):
    with pytest.raises(ValueError, match=f"{method}: the model is not compiled"):
        getattr(small_cnn(), method)(X, Y)
    without_loss = small_cnn()
    without_loss.compile("sgd")
    with pytest.raises(ValueError, match=f"{method}: the model has no loss"):
        getattr(without_loss, method)(X, Y)


def test_a_model_without_layers():
    empty = pyconv.Sequential()
    empty.compile(loss="mse")
    for call in (lambda: empty.fit(X, Y, verbose=0), lambda: empty.predict(X, verbose=0)):
        with pytest.raises(ValueError, match="it has no layers"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_inputs_that_are_not_finite_show_in_the_loss(bad):
    x = X.astype(np.float64)
    x[3] = bad
    fresh = small_cnn()
    fresh.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = fresh.fit(x, Y, verbose=0).history
    assert not np.isfinite(history["loss"][0])
    assert 0 <= history["accuracy"][0] <= 1
