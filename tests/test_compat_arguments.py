"""The arguments and methods of Keras 1 and 2."""

import io
import warnings
import weakref
from contextlib import redirect_stdout

import numpy as np
import pytest

import pyconv
import pyconv.compat.keras as keras
from pyconv import compat
from pyconv._recordable import is_recordable
from pyconv.compat.keras import layers
from pyconv.layers import Dropout
from pyconv.layers._conv_pool import ConvPool

X = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
Y = np.arange(20) % 2
ONE_HOT = keras.utils.np_utils.to_categorical(Y, 2)


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: layers.Convolution2D(4, 3, 5), {"kernel_size": (3, 5), "filters": 4}),
        (lambda: layers.Conv2D(4, 3), {"kernel_size": (3, 3), "strides": (1, 1)}),
        (
            lambda: layers.Convolution2D(
                nb_filter=4, nb_row=2, nb_col=3, border_mode="same", subsample=(2, 2)
            ),
            {"filters": 4, "kernel_size": (2, 3), "padding": "same", "strides": (2, 2)},
        ),
        (
            lambda: layers.Convolution2D(4, 3, 3, init="he_normal", bias=False, dim_ordering="tf"),
            {"use_bias": False},
        ),
        (lambda: layers.AtrousConvolution2D(4, 3, 3, atrous_rate=2), {"dilation_rate": (2, 2)}),
        (lambda: layers.MaxPooling2D((2, 2), border_mode="same"), {"padding": "same"}),
        (lambda: layers.MaxPooling2D(pool_size=3, stride=1), {"strides": (1, 1)}),
        (lambda: layers.Dense(output_dim=3, init="uniform", input_dim=4), {"units": 3}),
        (lambda: layers.Dropout(p=0.25), {"rate": 0.25}),
        (
            lambda: layers.Conv2D(2, 3, batch_input_shape=(None, 8, 8, 3)),
            {"declared_shape": (None, 8, 8, 3)},
        ),
    ],
)
def test_old_arguments(old, new):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = old()
    assert {name: getattr(layer, name) for name in new} == new


def test_the_order_of_theano():
    layer = layers.Conv2D(4, 3, dim_ordering="th")
    assert layer.compute_output_shape((None, 3, 8, 9)) == (None, 4, 6, 7)


def test_stride_gives_a_hint():
    with pytest.warns(UserWarning, match="stride is called strides"):
        layers.MaxPooling2D(2, stride=2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        # The slide's order of arguments by place.
        (lambda: layers.Convolution2D(16, 2, 1, "same", "relu", (32, 32, 3)), "name the others"),
        (lambda: layers.Convolution2D(16, nb_row=3), "nb_row and nb_col must be given together"),
        (lambda: layers.Conv2D(16, nb_filter=3, filters=2), "nb_filter is the old name of filters"),
        (lambda: layers.Dense(3, unit=4), "did you mean 'units'"),
        (lambda: keras.Model(inputs=[], outputs=[]), "it needs inputs"),
        (lambda: layers.Dense(2)([keras.Input((3,)), keras.Input((3,))]), "takes one input, got 2"),
        (
            lambda: keras.Model(keras.Input((3,)), layers.Dense(2)(keras.Input((3,)))),
            "not among the model's inputs",
        ),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        wrong()


def test_three_integers_are_strides_in_keras_3():
    compat.select("keras3")
    assert layers.Conv2D(4, 3, 2).strides == (2, 2)


@pytest.mark.parametrize(
    "get",
    [
        lambda: keras.layers.LSTM(3),
        lambda: keras.applications.InceptionV3(weights=None),
        lambda: keras.backend.rnn(),
        lambda: keras.datasets.imdb.load_data,
        lambda: keras.utils.multi_gpu_model(2),
    ],
)
def test_what_is_not_there_says_what_to_use(get):
    with pytest.raises(compat._unsupported.NotInPyconvError, match="not in pyconv; .*[a-z]"):
        get()


def test_names_count_from_1_in_keras_2_and_from_0_in_keras_3():
    keras.backend.clear_session()
    assert [layers.Dense(1).name, layers.Dense(1).name] == ["dense_1", "dense_2"]
    assert layers.MaxPooling2D().name == "max_pooling2d_1"
    compat.select("keras3")
    assert [layers.Dense(1).name, layers.Dense(1).name] == ["dense", "dense_1"]


def net():
    model = keras.models.Sequential()
    model.add(layers.Flatten(input_shape=(8, 8, 3)))
    model.add(layers.Dense(2, activation="softmax"))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_accuracy_goes_by_either_name():
    model = net()
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["val_accuracy"], logs.get("val_acc"), "accuracy" in logs))

    history = model.fit(
        X, ONE_HOT, nb_epoch=2, verbose=0, callbacks=[Look()], validation_data=[X, ONE_HOT]
    )
    assert list(history.history) == ["loss", "acc", "val_loss", "val_acc"]
    assert history.history["accuracy"] is history.history["acc"]
    assert seen[0][0] == seen[0][1] == history.history["val_accuracy"][0]
    assert seen[0][2]
    with pytest.raises(KeyError):
        history.history["mse"]


def batches(size=5):
    while True:
        for at in range(0, len(X), size):
            yield X[at : at + size], ONE_HOT[at : at + size]


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps_per_epoch": 4, "epochs": 2, "workers": 4},
        {"samples_per_epoch": 20, "nb_epoch": 2, "max_q_size": 3, "nb_worker": 2},
    ],
)
def test_fit_generator(arguments):
    pyconv.utils.set_random_seed(0)
    model = net()
    start = model.get_weights()
    history = model.fit_generator(
        batches(), verbose=0, validation_data=batches(10), validation_steps=2, **arguments
    )
    same = net()
    same.set_weights(start)
    expected = same.fit(X, ONE_HOT, 5, 2, 0, shuffle=False)
    np.testing.assert_array_equal(history.history["loss"], expected.history["loss"])
    np.testing.assert_array_equal(model.get_weights()[0], same.get_weights()[0])
    assert len(history.history["val_acc"]) == 2


def test_evaluate_and_predict_by_generators_and_classes():
    model = net()
    assert model.evaluate_generator(batches(), 4) == pytest.approx(
        model.evaluate(X, ONE_HOT, verbose=0)
    )
    outputs = model.predict_generator(batches(), steps=4)
    np.testing.assert_array_equal(outputs, model.predict_proba(X))
    np.testing.assert_array_equal(model.predict_classes(X), outputs.argmax(1))


def test_predict_is_silent_in_keras_2(capsys):
    net().predict(X)
    assert capsys.readouterr().out == ""


def test_bar_of_keras_2():
    out = io.StringIO()
    with redirect_stdout(out):
        net().fit(X, ONE_HOT, batch_size=8)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["Train on 20 samples", "Epoch 1/1"]
    assert lines[2].startswith("20/20 [==============================] - 0s - loss: ")
    assert " - acc: " in lines[2]


def test_checkpoints_count_epochs_from_0_in_names_of_files(tmp_path):
    path = str(tmp_path / "w.{epoch:02d}-{val_accuracy:.2f}.safetensors")
    saved = keras.callbacks.ModelCheckpoint(path, period=2)
    net().fit(X, ONE_HOT, epochs=3, verbose=0, callbacks=[saved], validation_data=(X, ONE_HOT))
    assert [file.name[:5] for file in tmp_path.iterdir()] == ["w.01-"]


def test_a_loaded_model_has_the_older_methods_too(tmp_path):
    model = net()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / "model.safetensors")
    loaded = keras.models.load_model(tmp_path / "model.safetensors")
    assert isinstance(loaded.layers[1], layers.Dense)
    assert isinstance(loaded.optimizer, keras.optimizers.SGD)
    np.testing.assert_array_equal(loaded.predict_classes(X), model.predict_classes(X))


def test_a_class_of_the_user_s_takes_old_arguments_as_well():
    class Head(layers.Dense):
        pass

    assert Head(output_dim=3).units == 3
    assert Head(3).name.startswith("head_")


def test_a_chain_of_calls_is_a_sequential():
    inputs = keras.Input((8, 8, 3))
    features = keras.Sequential([layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D()])
    x = features(inputs)
    assert x.shape == (None, 3, 3, 4)
    model = keras.Model(inputs=inputs, outputs=layers.Dense(2)(layers.Flatten()(x)), name="net")
    assert (model.name, model.output_shape) == ("net", (None, 2))
    inner = features(X)
    outer = inner.reshape(20, -1) @ model.get_weights()[2] + model.get_weights()[3]
    np.testing.assert_allclose(model.predict(X), outer, rtol=1e-5, atol=1e-5)


def test_a_model_in_a_sequential_shares_its_layers():
    model = net()
    twice = keras.Sequential([model, layers.Activation("linear")])
    np.testing.assert_array_equal(twice.predict(X), model.predict(X))
    assert twice.layers[0] is model
    assert twice.get_weights()[0] is not model.weights[0]
    assert twice.weights[0] is model.weights[0]


def test_older_names_of_parts():
    dense = layers.Dense(
        3,
        W_regularizer=keras.regularizers.l1l2(0.1, 0.2),
        W_constraint=keras.constraints.maxnorm(3),
        kernel_initializer=keras.initializers.he_normal(seed=1),
    )
    assert dense.kernel_regularizer.get_config() == {"l1": 0.1, "l2": 0.2}
    assert dense.kernel_constraint.max_value == 3
    assert keras.saving.load_model is keras.models.load_model


@pytest.mark.cpu
def test_layers_are_as_fast_as_those_of_pyconv():
    model = keras.Sequential()
    model.add(layers.Convolution2D(4, 3, 3, activation="relu", input_shape=(8, 8, 3)))
    model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(2, activation="softmax"))
    steps = model._steps()
    assert isinstance(steps[0], ConvPool)
    assert all(isinstance(layer, Dropout) or is_recordable(layer) for layer in model.layers)
    expected = np.array(model._forward(X, training=False))
    np.testing.assert_array_equal(model._predictor(model._layers, steps, X), expected)


def test_layers_of_ones_own_are_not_taken_for_others():
    class Half(layers.Conv2D):
        def forward(self, x, training, logits=False):
            return super().forward(x, training, logits) / 2

    model = keras.Sequential([Half(4, 3, input_shape=(8, 8, 3)), layers.MaxPooling2D()])
    assert model._steps() == model.layers
    assert not is_recordable(model.layers[0])


def test_clear_session_frees_models_that_nobody_has():
    layer = keras.layers.Dense(2)
    model = keras.Model(start := keras.Input((3,)), layer(start))
    freed = weakref.ref(model), weakref.ref(layer)
    del model, layer, start
    keras.backend.clear_session()
    assert [reference() for reference in freed] == [None, None]
