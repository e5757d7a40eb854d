"""Keras's functional API on pyconv: networks that branch, their layers, tensors and files."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

X = np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
Y = np.arange(12) % 3


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras2")
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def block(x, filters, strides=1):
    """A residual block as scripts write it."""
    y = layers.Conv2D(filters, 3, strides=strides, padding="same")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Activation("relu")(y)
    if strides != 1 or keras.backend.int_shape(x)[-1] != filters:
        x = layers.Conv2D(filters, 1, strides=strides, padding="same")(x)
    return layers.Activation("relu")(layers.add([x, y]))


def network():
    inputs = layers.Input(shape=(8, 8, 3))
    x = block(inputs, 4)
    x = block(x, 6, 2)
    towers = [layers.Conv2D(3, size, padding="same")(x) for size in (1, 3)]
    x = layers.concatenate([*towers, x], axis=-1)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.models.Model(inputs=inputs, outputs=layers.Dense(3, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_network_that_branches():
    model = network()
    assert model.name == "model_1"
    assert [layer.name for layer in model.layers[:4]] == [
        "input_1", "conv2d_1", "batch_normalization_1", "conv2d_2",
    ]  # fmt: skip
    assert model.layers[-1].output_shape == model.output_shape == (None, 3)
    assert model.get_layer("add_1").output.shape == (None, 8, 8, 4)
    assert model.get_layer(index=0) is model.layers[0]
    history = model.fit(X, Y, epochs=4, batch_size=6, validation_data=(X, Y), verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.predict_classes(X).shape == (12,)
    assert len(copy.deepcopy(model).get_weights()) == len(model.get_weights())


def test_layers_of_branches_are_in_keras_s_order():
    # By their distance from the output, and then as they are come by from there.
    inputs = layers.Input((4,))
    long = layers.Dense(4, name="long_2")(layers.Dense(4, name="long_1")(inputs))
    short = layers.Dense(4, name="short")(inputs)
    model = keras.Model(inputs, layers.add([short, long], name="sum"))
    assert [layer.name for layer in model.layers] == [
        "input_1", "long_1", "short", "long_2", "sum",
    ]  # fmt: skip


def test_deep_networks_are_copied():
    inputs = x = layers.Input((4,))
    for _ in range(300):
        x = layers.add([x, layers.Dense(4)(x)])
    model = keras.Model(inputs, x)
    again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.layers[1].output is not model.layers[1].output
    part = keras.Model(again.input, again.layers[1].output)
    np.testing.assert_array_equal(part.predict(X[0, :, :1, 0].repeat(4, 1)).shape, (8, 4))


def test_operators_are_layers():
    inputs = layers.Input((3,))
    hidden = layers.Dense(3, use_bias=False, weights=[np.eye(3) * 2])(inputs)
    result = 1 - (hidden * inputs + inputs / 4 - 2 * hidden) + np.float32(1)
    model = keras.Model(inputs, result)
    x = X[:, 0, 0]
    np.testing.assert_allclose(model.predict(x), 2 - (2 * x * x + x / 4 - 4 * x), rtol=1e-5)


@pytest.mark.parametrize("ending", [".h5", ".keras", ".safetensors"])
def test_files(ending, tmp_path):
    model = network()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / f"m{ending}")
    again = keras.models.load_model(tmp_path / f"m{ending}")
    assert [layer.name for layer in again.layers[1:]] == [la.name for la in model.layers[1:]]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    part = keras.Model(again.input, again.get_layer("add_1").output)
    assert part.predict(X).shape == (12, 8, 8, 4)


@pytest.mark.parametrize(
    "make",
    [
        keras.models.clone_model,
        lambda model: type(model).from_config(model.get_config()),
        lambda model: keras.models.model_from_json(model.to_json()),
    ],
)
def test_copies(make):
    model = network()
    copied = make(model)
    copied.set_weights(model.get_weights())
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))
    assert copied.layers[1] is not model.layers[1]


def test_parts_of_a_sequential():
    model = keras.Sequential()
    model.add(layers.Conv2D(2, 3, input_shape=(8, 8, 3)))
    model.add(layers.Flatten())
    model.add(layers.Dense(3))
    part = keras.Model(inputs=model.input, outputs=model.layers[0].output)
    np.testing.assert_allclose(part.predict(X), model.layers[0](X), rtol=1e-6)
    assert model.inputs[0].shape == (None, 8, 8, 3)
    assert model.output.shape == (None, 3)
    several = keras.Model(model.inputs, [layer.output for layer in model.layers])
    assert [y.shape for y in several.predict(X)] == [(12, 6, 6, 2), (12, 72), (12, 3)]
    unknown = keras.Sequential([layers.Dense(3)])
    with pytest.raises(AttributeError, match="input_shape"):
        _ = unknown.output


def test_models_within_models():
    inner = network()
    outer = keras.Sequential([layers.Rescaling(1.0, input_shape=(8, 8, 3)), inner])
    np.testing.assert_allclose(outer.predict(X), inner.predict(X), rtol=1e-6)
    inputs = keras.Input((8, 8, 3))
    again = keras.Model(inputs, inner(layers.Rescaling(1.0)(inputs)))
    np.testing.assert_allclose(again.predict(X), inner.predict(X), rtol=1e-6)
    frozen = keras.Model(inner.input, layers.Dense(2)(inner.layers[-2].output))
    for layer in inner.layers[:-1]:
        layer.trainable = False
    frozen.compile("sgd", "mse")
    before = inner.get_weights()[:-2]
    frozen.fit(X, np.zeros((12, 2)), verbose=0)
    for ours, kept in zip(inner.get_weights()[:-2], before, strict=True):
        np.testing.assert_array_equal(ours, kept)


def test_keras_1_s_merge():
    inputs = layers.Input((3,))
    for mode, wanted in (("sum", 2), ("mul", 1), ("ave", 1), ("max", 1)):
        model = keras.Model(input=inputs, output=layers.merge([inputs, inputs], mode=mode))
        np.testing.assert_array_equal(model.predict(np.ones((1, 3))), np.full((1, 3), wanted))
    assert layers.merge([inputs, inputs], mode="concat", concat_axis=1).shape == (None, 6)


def two_inputs():
    a, b = keras.Input((3,)), keras.Input((3,))
    keras.Model(a, layers.add([a, b]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (two_inputs, "which is not among the model's inputs"),
        (lambda: keras.Model([], keras.Input((3,))), "it needs inputs, .* got none"),
        (lambda: keras.Model(keras.Input((3,)), 3), "wants what a layer's call"),
        (lambda: (lambda t: keras.Model(t, t))(keras.Input((3,))), "not made of the input"),
        (lambda: layers.RandomFlip()(keras.Input((3, 3, 1)), training=True), "fit and not in"),
        (lambda: layers.Add()(keras.Input((3,))), "list of inputs"),
        (lambda: layers.merge([keras.Input((3,))] * 2, mode="cos"), "mode must be"),
    ],
)
def test_what_it_cannot_do(wrong, words):
    with pytest.raises((NotImplementedError, TypeError, ValueError), match=words):
        wrong()


def test_dropout_called_in_training_drops_in_predict():
    inputs = keras.Input((1000,))
    dropout = layers.Dropout(0.5, seed=1)
    always = keras.Model(inputs, dropout(inputs, training=True))
    y = always.predict(np.ones((2, 1000)), verbose=0)
    assert set(np.unique(y)) == {0, 2}
    assert (dropout(np.ones((1, 1000))) == 1).all()
    assert (always.predict(np.ones((2, 1000)), verbose=0) != y).any()
    assert type(dropout).__name__ == "Dropout"


def test_normalization_called_outside_of_training_keeps_its_statistics():
    inputs = keras.Input((4,))
    norm = layers.BatchNormalization()
    outputs = layers.Dense(1)(layers.ReLU()(norm(inputs, training=False)))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(3, 2, (64, 4))
    gamma = np.array(norm.gamma)
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    assert (norm.moving_mean == 0).all()
    assert (norm.moving_variance == 1).all()
    assert (norm.gamma != gamma).any()


def test_layers_are_built_by_a_call_on_an_input():
    layer = layers.Conv2D(2, 3)
    assert not layer.built
    layer(keras.Input((8, 8, 3)))
    assert layer.built
    assert layer.kernel.shape == (3, 3, 3, 2)
    assert layers.MaxPooling2D().built

    class Own(layers.ReLU):
        def build(self, input_shape):
            super().build(input_shape)

    own = Own()
    assert not own.built
    own(keras.Input((3,)))
    assert own.built


def test_clones_of_called_layers():
    images = keras.Input((6, 6, 1))
    x = layers.Conv2D(2, 3, padding="same", name="c")(images)
    model = keras.Model(images, layers.Dense(2)(layers.Flatten()(layers.add([images, x]))))

    def call(layer, inputs):
        made = layer(inputs)
        return layers.Dropout(0.5)(made) if isinstance(layer, layers.Dense) else made

    again = keras.models.clone_model(model, call_function=call, recursive=True)
    assert isinstance(again.layers[-1], layers.Dropout)
    assert len(again.layers) == len(model.layers) + 1
    again.set_weights(model.get_weights())
    x = np.random.default_rng(0).random((3, 6, 6, 1))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.get_layer("c") is not model.get_layer("c")
    with pytest.raises(TypeError, match="call_function must be callable"):
        keras.models.clone_model(model, call_function=3)


def test_methods_that_are_not_here_say_what_is():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(AttributeError, match="'quantize': not in pyconv; pyconv computes in float"):
        model.quantize("int8")
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'$"):
        model.unheard_of()
    assert not hasattr(model, "export")


# --- inputs by name, configurations and copies ----------------------------------------------------


def plain():
    inputs = keras.Input((3,), name="a")
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(4)(inputs)), name="net")


def test_one_input_by_its_name():
    model, x = plain(), np.ones((2, 3), np.float32)
    y = model(x)
    np.testing.assert_array_equal(model({"a": x}), y)
    assert model({"a": keras.Input((3,))}).shape == (None, 2)
    with pytest.warns(UserWarning, match="structure of `inputs` doesn't match .*'a', got"):
        np.testing.assert_array_equal(model({"a": x, "b": x[:, :1]}), y)
    np.testing.assert_array_equal(model(x[..., None]), y)  # as Keras takes an axis of one away
    merged = keras.layers.add([keras.Input((3,), name="p"), keras.Input((3,), name="q")])
    ends = list(merged.inputs)
    several = keras.Model({"p": ends[0], "q": ends[1]}, merged)
    with pytest.warns(UserWarning, match=r"Expected: a dict of \['p', 'q'\], got a list"):
        several.predict([x, x], verbose=0)


@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_files_and_configurations_keep_a_model_functional(ending, tmp_path):
    model, x = plain(), np.ones((2, 3), np.float32)
    model.save(tmp_path / f"m.{ending}")
    again = [
        keras.models.load_model(tmp_path / f"m.{ending}"),
        keras.models.model_from_json(model.to_json()),
        keras.Model.from_config(model.get_config()),
        type(model).from_config(model.get_config()),
    ]
    for made in again:
        assert type(made) is type(model)
        assert [layer.name for layer in made.layers] == [layer.name for layer in model.layers]
        assert all(type(a) is type(b) for a, b in zip(made.layers, model.layers, strict=True))
    np.testing.assert_array_equal(again[0].predict(x, verbose=0), model.predict(x, verbose=0))


def test_layers_of_a_configuration_are_those_of_keras():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    made = keras.Sequential.from_config(model.get_config())
    assert type(made) is keras.Sequential
    assert type(made.layers[0]) is keras.layers.Dense
    assert made.get_config() == model.get_config()


def test_a_subclass_with_arguments_of_its_own_from_its_configuration():
    class Net(keras.Model):
        def __init__(self, *args, factor=1, **kwargs):
            super().__init__(*args, **kwargs)
            self.factor = factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    inputs = keras.Input((3,))
    model = Net(inputs=inputs, outputs=keras.layers.Dense(2)(inputs), factor=3)
    made = Net.from_config(model.get_config())
    assert (type(made), made.factor, made.name) == (Net, 3, model.name)
    assert made.count_params() == 8


def test_clones_of_compiled_and_of_own_models(monkeypatch):
    class Net(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    clone = keras.models.clone_model(Net())
    assert type(clone) is Net
    assert clone(np.ones((2, 3))).shape == (2, 2)
    model = plain()
    model.compile("adam", "mse", metrics=["mae"])
    for era, compiled in (("keras3", True), ("keras2", False)):
        monkeypatch.setattr(compat._era, "_chosen", era)
        made = keras.models.clone_model(model)
        assert made.compiled is compiled
    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    assert keras.models.clone_model(model).get_compile_config() == model.get_compile_config()


def test_the_input_of_a_part_is_keras_own():
    inputs = keras.Input((None, 2))
    x = keras.layers.Dense(3, name="first")(inputs)
    part = keras.Model(x, keras.layers.Dense(4, name="second")(x))
    assert isinstance(part.layers[0], keras.layers.InputLayer)
    assert [layer.name for layer in part.layers[1:]] == ["second"]


def test_layers_cannot_be_set():
    for model in (plain(), keras.Sequential()):
        with pytest.raises(AttributeError, match=r"`Model.layers` attribute is reserved"):
            model.layers = []


@pytest.mark.parametrize("kind", ["stack", "functional", "two outputs"])
def test_a_model_that_is_no_more_leaves_no_weights(kind):
    gc.collect()
    gc.disable()
    try:
        if kind == "stack":
            model = keras.Sequential([layers.Dense(3, input_shape=(2,)), layers.Dense(1)])
        else:
            inputs = keras.Input((2,))
            hidden = layers.Dense(3)(inputs)
            ends = [layers.Dense(n)(hidden) for n in ((1, 2) if kind == "two outputs" else (1,))]
            model = keras.Model(inputs, ends if len(ends) > 1 else ends[0])
            del inputs, hidden, ends
        assert model.layers[-1].output is model.outputs[-1]
        with_weights = [layer for layer in model.layers if layer.weights]
        first, kept = with_weights[0], [weakref.ref(layer) for layer in with_weights]
        del model, with_weights
        assert [ref() for ref in kept] == [first] + [None] * (len(kept) - 1)
    finally:
        gc.enable()
    with pytest.raises(AttributeError, match="the model whose layer it was is no more"):
        _ = first.output
