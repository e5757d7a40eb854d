"""Sequential: the stack, building, weights, configuration, errors."""

import numpy as np
import pytest

import pyconv
from pyconv.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D


def small(**arguments):
    return pyconv.Sequential(
        [
            Conv2D(4, 3, activation="relu", name="conv", **arguments),
            MaxPooling2D(2, name="pool"),
            Flatten(name="flat"),
            Dense(5, activation="softmax", name="head"),
        ],
        name="small",
    )


def built():
    pyconv.utils.set_random_seed(1)
    model = small()
    model.build((None, 8, 8, 2))
    return model


SHAPES = [(3, 3, 2, 4), (4,), (36, 5), (5,)]


# --- building ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["input", "input_shape", "build", "call", "predict"])
def test_ways_to_build(way):
    model = small(**({"input_shape": (8, 8, 2)} if way == "input_shape" else {}))
    x = np.ones((3, 8, 8, 2))
    if way == "input":
        model = pyconv.Sequential([Input((8, 8, 2)), *model.layers])
    if way in ("input", "input_shape"):
        assert model.built
        model.build()
    else:
        assert not model.built
        with pytest.raises(ValueError, match="count_params needs a built model"):
            model.count_params()
    if way == "build":
        model.build((None, 8, 8, 2))
    elif way == "call":
        assert model(x).shape == (3, 5)
    elif way == "predict":
        assert model.predict(x, verbose=0).shape == (3, 5)
    assert model.built
    assert model.input_shape == (None, 8, 8, 2)
    assert model.output_shape == (None, 5)
    assert [w.shape for w in model.weights] == SHAPES
    assert model.count_params() == 76 + 185
    assert [layer.name for layer in model.layers] == ["conv", "pool", "flat", "head"]


def test_layer_by_layer():
    model = pyconv.Sequential(name="m")
    assert not model.built
    model.add(Input((6, 6, 1)))
    assert model.layers == []
    model.add(Conv2D(2, 3))
    assert model.output_shape == (None, 4, 4, 2)
    model.add(Flatten())
    model.add(Dense(3))
    assert model.output_shape == (None, 3)
    assert isinstance(model.pop(), Dense)
    assert model.output_shape == (None, 32)
    model.add(Dense(4))
    assert model.output_shape == (None, 4)
    deferred = pyconv.Sequential()
    for layer in small().layers:
        deferred.add(layer)
    assert not deferred.built
    deferred(np.ones((1, 8, 8, 2)))
    deferred.add(Dense(2, name="more"))
    assert deferred.output_shape == (None, 2)


def test_input_shape_counts_on_the_first_layer_only():
    model = pyconv.Sequential([Dense(3, input_dim=4), Dense(2, input_shape=(9,))])
    assert [w.shape for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]


def test_compute_output_shape():
    model = small()
    assert model.compute_output_shape((None, 8, 8, 2)) == (None, 5)
    assert model.compute_output_shape([7, 8, 8, 2]) == (7, 5)
    assert not model.built
    with pytest.raises(TypeError, match="Sequential 'small': input_shape must be a tuple"):
        model.compute_output_shape(8)
    with pytest.raises(ValueError, match="Conv2D 'conv': input must be"):
        model.compute_output_shape((None, 8))


def test_a_failed_build_leaves_the_model_as_it_was():
    model = small()
    with pytest.raises(ValueError, match="MaxPooling2D 'pool'"):
        model.build((None, 3, 3, 1))
    assert not any(layer.built for layer in model.layers)
    # Another number of channels now: nothing was kept of the first.
    model.build((None, 8, 8, 2))
    kept = model.get_weights()
    with pytest.raises(ValueError, match="Conv2D 'conv': it was built for 2 channels"):
        model.build((None, 8, 8, 1))
    with pytest.raises(ValueError, match="Dense 'head': it was built for a last axis of 36"):
        model.build((None, 16, 16, 2))
    assert model.input_shape == (None, 8, 8, 2)
    assert model.get_layer("pool").output_shape == (None, 3, 3, 4)
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True))


def test_no_memory_for_a_weight_leaves_the_model_as_it_was():
    model = pyconv.Sequential([Dense(8, name="a"), Dense(2**31 - 1, name="b"), Dense(2**31 - 1)])
    with pytest.raises(ValueError, match="more than half"):
        model.build((None, 2**20))
    assert not any(layer.weights for layer in model.layers)


def test_a_layer_that_does_not_fit_is_not_added():
    model = pyconv.Sequential([Input((4,))])
    with pytest.raises(ValueError, match="Conv2D 'c': input must be"):
        model.add(Conv2D(2, 3, name="c"))
    assert model.layers == []
    model.add(Dense(2))
    assert model.output_shape == (None, 2)


# --- the stack --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "error", "text"),
    [
        (3, TypeError, "layers must be a list of layers, got a int"),
        (Flatten(), TypeError, "layers must be a list of layers, got a Flatten"),
        (["relu"], TypeError, "add wants a layer, got a str"),
        ([Dense], TypeError, "add wants a layer, got a type"),
        ([Dense(1, name="d"), Dense(1, name="d")], ValueError, "a layer named 'd' already"),
        ([Dense(1), Input((3,))], ValueError, "an Input must be the first layer, and the only"),
        ([Input((3,)), Input((3,))], ValueError, "an Input must be the first layer"),
    ],
)
def test_wrong_layers(layers, error, text):
    with pytest.raises(error, match=f"Sequential 's': .*{text}"):
        pyconv.Sequential(layers, name="s")


def test_get_layer():
    model = small()
    assert model.get_layer("pool") is model.layers[1]
    assert model.get_layer(index=3).name == model.get_layer(index=-1).name == "head"
    for arguments, error, text in [
        ({}, ValueError, "get_layer wants a name or an index"),
        ({"name": "pool", "index": 1}, ValueError, "get_layer wants a name or an index"),
        ({"index": 4}, ValueError, "index must be from -4 to 3, got 4"),
        ({"index": "pool"}, TypeError, "index must be an integer, got 'pool'"),
        ({"name": "dense"}, ValueError, "no layer named 'dense'; there are: conv, pool, flat, he"),
    ]:
        with pytest.raises(error, match=f"Sequential 'small': .*{text}"):
            model.get_layer(**arguments)


def test_pop():
    model = small()
    assert [model.pop().name for _ in range(4)] == ["head", "flat", "pool", "conv"]
    with pytest.raises(ValueError, match="Sequential 'small': there is no layer to pop"):
        model.pop()


def test_the_list_of_layers_is_a_copy():
    model = small()
    model.layers.clear()
    assert len(model.layers) == 4


def test_names():
    first, second = pyconv.Sequential().name, pyconv.Sequential().name
    number = int(first.rpartition("_")[2]) if first != "sequential" else 0
    assert second == f"sequential_{number + 1}"
    assert repr(small()) == "<Sequential name=small, built=False>"
    with pytest.raises(TypeError, match="Sequential: name must be a string"):
        pyconv.Sequential(name=3)


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (3.0, ValueError, "Sequential 'small': x must have a batch axis"),
        ("text", TypeError, "Sequential 'small': x must be an array of real numbers"),
        (np.ones((1, 8, 8)), ValueError, "Conv2D 'conv': input must be"),
        (np.ones((1, 9, 9, 3)), ValueError, "Conv2D 'conv': it was built for 2 channels"),
        (np.ones((1, 16, 16, 2)), ValueError, "Dense 'head': it was built for a last axis"),
    ],
)
def test_wrong_inputs(x, error, text):
    with pytest.raises(error, match=text):
        built()(x)


def test_an_empty_model_says_so():
    with pytest.raises(ValueError, match="it has no layers; add some first"):
        pyconv.Sequential()(np.ones((1, 2)))
    for name in ("input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="it has no layers; add some first"):
            getattr(pyconv.Sequential(), name)
        assert not hasattr(pyconv.Sequential(), name)
    with pytest.raises(ValueError, match="build needs input_shape"):
        pyconv.Sequential([Dense(1)]).build()


def test_calls_return_fresh_arrays():
    model = built()
    first = model(np.ones((2, 8, 8, 2)))
    kept = first.copy()
    assert not np.array_equal(model(np.zeros((2, 8, 8, 2)) + np.arange(2)), kept)
    assert np.array_equal(first, kept)
    assert model(np.ones((0, 8, 8, 2))).shape == (0, 5)


def test_dropout_only_in_training():
    model = pyconv.Sequential([Dropout(0.5, seed=1)])
    x = np.ones((4, 100))
    assert np.array_equal(model(x), x)
    assert set(np.unique(model(x, training=True))) == {0, 2}


# --- weights ----------------------------------------------------------------------------------


def test_weights():
    model = built()
    values = [np.random.default_rng(1).standard_normal(s) for s in SHAPES]
    model.set_weights(values)
    got = model.get_weights()
    assert all(np.array_equal(a, b.astype("f4")) for a, b in zip(got, values, strict=True))
    got[0][:] = 0
    assert model.weights[0].any()
    assert model.weights[0] is model.get_layer("conv").kernel


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        (None, TypeError, "Sequential 'small': weights must be a list of arrays, got a NoneType"),
        ([], ValueError, "Sequential 'small': set_weights got 0 arrays, but the model has 4"),
        (
            [np.ones(s) for s in [*SHAPES[:3], (6,)]],
            ValueError,
            r"Dense 'head': bias must be \(5,\), got \(6,\)",
        ),
    ],
)
def test_wrong_weights_change_nothing(weights, error, text):
    model = built()
    kept = model.get_weights()
    with pytest.raises(error, match=text):
        model.set_weights(weights)
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True))


def test_weights_of_an_unbuilt_model():
    assert small().get_weights() == []
    with pytest.raises(ValueError, match="it is not built: call build"):
        small().set_weights([np.ones(s) for s in SHAPES])


def test_trainable():
    model = built()
    model.get_layer("conv").trainable = False
    assert [w.shape for w in model.trainable_weights] == SHAPES[2:]
    assert [w.shape for w in model.non_trainable_weights] == SHAPES[:2]
    kept = model.get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.random.default_rng(0).random((4, 8, 8, 2)), [0, 1, 2, 3])
    moved = [not np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True)]
    assert moved == [False, False, True, True]
    frozen = pyconv.Sequential(model.layers, trainable=False)
    assert frozen.trainable_weights == []
    assert len(frozen.non_trainable_weights) == 4


def test_a_model_in_a_model_gives_its_layers():
    inner = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(4)])
    outer = pyconv.Sequential([inner, pyconv.layers.Softmax()])
    assert outer.layers[0] is inner.layers[0]
    assert outer.output_shape == (None, 4)
    x = np.ones((2, 3), np.float32)
    exps = np.exp(inner.predict(x, verbose=0))
    got = outer.predict(x, verbose=0)
    np.testing.assert_allclose(got, exps / exps.sum(axis=1, keepdims=True), rtol=1e-5)
    with pytest.raises(ValueError, match="it has Dense .* already; .* make another one"):
        outer.add(inner)
    assert len(outer.layers) == 2
