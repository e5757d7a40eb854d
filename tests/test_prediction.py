"""Prediction of a whole stack in one native call: the bits of its layers one after the other."""

import copy
import subprocess
import sys

import numpy as np
import pytest

import pyconv
from pyconv import backend, layers, zoo

pytestmark = pytest.mark.cpu

STACKS = {
    "course": lambda: zoo.deck_cnn(),
    "course mlp": lambda: zoo.deck_mlp(),
    "any windows": lambda: pyconv.Sequential(
        [
            pyconv.Input((17, 13, 4)),
            layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", groups=2),
            layers.MaxPooling2D((3, 2), 2, "same"),
            layers.MaxPooling2D(2, 1),
            layers.Conv2D(33, 3, dilation_rate=2, padding=2, activation="relu", use_bias=False),
            layers.Flatten(),
            layers.Dense(19, activation="relu"),
            layers.Dense(5),
            layers.Softmax(),
        ]
    ),
    "one layer": lambda: pyconv.Sequential([pyconv.Input((7,)), layers.Dense(3)]),
    "large filters": lambda: pyconv.Sequential(
        [
            pyconv.Input((9, 8, 32)),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ]
    ),
}


def samples(model, n):
    x = np.random.default_rng(n).standard_normal((n, *model.input_shape[1:]), np.float32)
    return np.ascontiguousarray(x)


def one_by_one(model, x):
    return np.array(model._forward(x, training=False))


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("n", [0, 1, 5, 33])
def test_same_bits_as_layer_by_layer(name, n, isa, threads):
    pyconv.utils.set_random_seed(1)
    model = STACKS[name]()
    x = samples(model, n)
    for count in (1, 2, 3):
        threads(count)
        got = model._predictor(model._layers, model._steps(), x)
        assert got is not None
        assert got.tobytes() == one_by_one(model, x).tobytes()
        assert model(x).tobytes() == got.tobytes()


def test_weights_are_those_of_the_moment():
    model = STACKS["course"]()
    x = samples(model, 8)
    model.predict(x, verbose=0)
    for layer in model.layers:
        for weight in layer.weights:
            weight.flat[-1] *= 0.5
            expected = one_by_one(model, x).tobytes()
            assert model.predict(x, verbose=0).tobytes() == expected
            assert model.predict_on_batch(x).tobytes() == expected
    model.layers[0]._weights["bias"] = np.ones(16, np.float32)
    assert model(x).tobytes() == one_by_one(model, x).tobytes()
    model.layers[-1].activation = pyconv.activations.linear
    assert model(x).tobytes() == one_by_one(model, x).tobytes()
    assert not np.allclose(model(x).sum(axis=1), 1)
    model.pop()
    model.add(layers.Dense(4))
    assert model(x).tobytes() == one_by_one(model, x).tobytes()


@pytest.fixture
def algorithm():
    yield pyconv.set_conv_algorithm
    pyconv.set_conv_algorithm("auto")


def test_settings_are_those_of_the_moment(algorithm):
    model = STACKS["large filters"]()
    results = set()
    for choice in ("winograd", "direct", "winograd"):
        algorithm(choice)
        for n in (3, 5, 3):
            x = samples(model, n)
            got = model.predict(x, verbose=0)
            assert got.tobytes() == one_by_one(model, x).tobytes()
        results.add(got.tobytes())
    assert len(results) == 2


def test_what_was_predicted_before_changes_no_check():
    model = STACKS["one layer"]()
    x = samples(model, 4)
    expected = model.predict(x, verbose=0)
    for given in (x.astype("float64"), x.astype(">f4"), x.tolist(), np.repeat(x, 2, 1)[:, ::2]):
        assert np.array_equal(model.predict(given, verbose=0), expected)
        assert np.array_equal(model.predict_on_batch(given), expected)
    assert model.predict(x[:0], verbose=0).shape == (0, 3)
    assert np.array_equal(model.predict(x, batch_size=3, verbose=0), expected)
    for wrong in (x[:, :6], x[0]):
        with pytest.raises(ValueError, match="built for|must have shape"):
            model.predict(wrong, verbose=0)
    with pytest.raises(TypeError, match="batch_size"):
        model.predict(x, batch_size="4", verbose=0)


def test_a_batch_like_the_last_one():
    model = STACKS["one layer"]()
    x = samples(model, 4)
    expected = model(x)

    def again(x, most):
        return model._predictor.again(model._layers, x, most)

    assert again(x, 4).tobytes() == again(x[::-1][::-1], 9).tobytes() == expected.tobytes()
    for most in (3, 0, -1, 2**70, True, 4.0, None, "4"):
        assert again(x, most) is None
    others = (x[:0], x[:, 1:], x[0], x[None], x.astype(np.float64), x.tolist(), x.view(np.recarray))
    for other in (*others, None):
        assert again(other, 4) is None


def test_layers_that_it_does_not_know():
    known = [pyconv.Input((6, 6, 3)), layers.Conv2D(4, 3)]
    for other in (
        [layers.AveragePooling2D(2)],
        [],
        [layers.Conv2D(2, 1, activation="tanh")],
        [layers.Conv2D(3, 1, data_format="channels_first"), layers.Flatten()],
        [layers.MaxPooling2D(1, data_format="channels_first"), layers.Flatten()],
        [layers.Flatten("channels_first")],
    ):
        model = pyconv.Sequential([*known, *other])
        x = samples(model, 3)
        assert model._predictor(model._layers, model._steps(), x) is None
        assert model(x).tobytes() == one_by_one(model, x).tobytes()
        known = [pyconv.Input((6, 6, 3)), layers.Conv2D(4, 3)]


def test_copies_predict_with_weights_of_their_own():
    model = STACKS["one layer"]()
    x = samples(model, 4)
    before = model(x)
    other = copy.deepcopy(model)
    for weight in other.weights:
        weight[...] = 0
    assert model(x).tobytes() == before.tobytes()
    assert not other(x).any()


def test_results_are_arrays_of_their_own():
    model = STACKS["course"]()
    x = samples(model, 3)
    first, unchanged = model.predict(x, verbose=0), x.copy()
    kept = first.copy()
    second = model.predict(x[::-1].copy(), verbose=0)
    assert not np.shares_memory(first, second)
    assert np.array_equal(first, kept)
    assert np.array_equal(x, unchanged)


def refusals():
    w = np.zeros((3, 3, 2, 4), np.float32)
    conv = ((1, 5, 5, 2), w, None, (1, 1), (0,) * 4, (1, 1), 1, "linear")
    dense = np.zeros((36, 2), np.float32)
    return [
        (lambda p: p.run(np.zeros((1, 3), np.float32)), "no stages"),
        (lambda p: p.softmax(3), "must follow another"),
        (lambda p: (p.conv2d(*conv), p.conv2d(*conv)), "cannot follow one of 36"),
        (lambda p: (p.conv2d(*conv), p.softmax(5)), "must divide the 36 values"),
        (lambda p: (p.conv2d(*conv), p.dense(dense[:-1], None, "linear")), "cannot follow"),
        (lambda p: p.dense(dense, np.zeros(3, np.float32), "linear"), r"b must be \(2,\)"),
        (lambda p: (p.conv2d(*conv), p.run(np.zeros((1, 5, 5, 3), np.float32))), "50 values"),
        (lambda p: p.conv2d((1, 5, 5, 3), *conv[1:]), "3 channels"),
        (lambda p: p.conv2d((1, 2, 2, 2), *conv[1:]), "Prediction"),
        (lambda p: p.maxpool2d((1, 2, 2, 2), (3, 3), (1, 1), (0,) * 4), "Prediction"),
    ]


@pytest.mark.parametrize("case", range(len(refusals())))
def test_refuses(case):
    call, message = refusals()[case]
    with pytest.raises(ValueError, match=message):
        call(backend.cpu.Prediction())


def test_a_prediction_imports_nothing_of_training_or_of_files():
    script = (
        "import sys, pyconv; model = pyconv.Sequential([pyconv.Input((2,)), "
        "pyconv.layers.Dense(1)]); model.predict([[1.0, 2.0]], verbose=0); "
        "parts = ('losses', 'metrics', 'optimizers', 'saving', 'formats'); "
        "unwanted = {'socket', 'zipfile', *(f'pyconv.{part}' for part in parts)}; "
        "print(sorted(unwanted & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
