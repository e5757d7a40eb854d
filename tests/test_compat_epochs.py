"""How long epochs of Keras 3's fit are, and what callbacks see of several steps together."""

import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf

X, Y = np.ones((80, 4), np.float32), np.ones((80, 1), np.float32)  # ten batches of 8


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    monkeypatch.setattr(compat._era, "_suggested", False)


def compiled(**arguments):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **arguments)
    return model


class Counted(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs, self.predicted = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append([])

    def on_train_batch_end(self, batch, logs=None):
        self.epochs[-1].append(batch)

    def on_predict_batch_end(self, batch, logs=None):
        self.predicted.append((batch, len(logs["outputs"])))


def lengths(model, **arguments):
    """Steps of each epoch, as calls of callbacks count them."""
    counted = Counted()
    model.fit(X, Y, batch_size=8, shuffle=False, callbacks=[counted], verbose=0, **arguments)
    return [len(steps) for steps in counted.epochs]


@pytest.mark.parametrize(
    ("steps", "expected", "warned"),
    [
        (10, [10, 10, 10, 10], False),
        (5, [5, 5, 5, 5], False),
        (9, [9, 1, 9, 1], True),
        (11, [10, 10, 10, 10], True),
    ],
)
def test_an_epoch_ends_with_the_arrays_as_in_keras_3(steps, expected, warned, recwarn):
    model = compiled()
    assert lengths(model, epochs=4, steps_per_epoch=steps) == expected
    assert model.optimizer.iterations == sum(expected)
    assert warned == any("ran out of data" in str(w.message) for w in recwarn)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(10, [10, 10, 10]), (4, [4, 4, 2]), (9, [9, 1, 9]), (11, [10, 10, 10]), (None, [10, 10, 10])],
)
@pytest.mark.filterwarnings("ignore:.*ran out of data")
def test_an_epoch_ends_with_the_data_set_as_in_keras_3(steps, expected):
    seen = []

    def rows():
        for x, y in zip(X, Y, strict=True):
            seen.append(x)
            yield x, y

    types = (tf.float32, tf.float32)
    data = tf.data.Dataset.from_generator(rows, output_types=types).batch(8)
    counted, model = Counted(), compiled()
    model.fit(data, epochs=3, steps_per_epoch=steps, callbacks=[counted], verbose=0)
    assert [len(epoch) for epoch in counted.epochs] == expected
    batches = [np.stack(seen[at : at + 8]) for at in range(0, len(seen), 8)]
    for i, batch in enumerate(batches):  # an epoch begins anew where the last one ran out of data
        np.testing.assert_array_equal(batch, X[8 * (i % 10) : 8 * (i % 10) + 8])


@pytest.mark.parametrize("suggested", [False, True])
def test_in_keras_2_and_tensorflow_2_epochs_go_on_into_a_new_pass(suggested, monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras3" if suggested else "keras2")
    monkeypatch.setattr(compat._era, "_suggested", suggested)
    assert lengths(compiled(), epochs=4, steps_per_epoch=9) == [9, 9, 9, 9]


def test_steps_of_an_epoch_are_whole_executions():
    model = compiled(steps_per_execution=2)
    assert lengths(model, epochs=2, steps_per_epoch=5) == [3, 2]
    assert model.optimizer.iterations == 10


@pytest.mark.parametrize(("together", "expected"), [
    (1, [(0, 32), (1, 32), (2, 16)]),
    (2, [(1, 64), (3, 16)]),
    (7, [(6, 80)]),
])  # fmt: skip
def test_callbacks_of_predict_see_the_outputs_of_an_execution(together, expected):
    counted, model = Counted(), compiled(steps_per_execution=together)
    outputs = model.predict(X, callbacks=[counted], verbose=0)
    assert counted.predicted == expected
    np.testing.assert_array_equal(outputs, model.predict(X, verbose=0))


def test_limits_for_trying_a_script():
    model = compiled()
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(3)
    try:
        with pytest.warns(UserWarning, match="Limiting epochs to 2"):
            assert lengths(model, epochs=4) == [3, 3]
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
    assert lengths(model, epochs=4) == [10] * 4
    with pytest.raises(ValueError, match="set_max_epochs: max_epochs must be .*-1"):
        keras.config.set_max_epochs(-1)


@pytest.mark.parametrize("kind", [np.array, list, tuple])
def test_numbers_are_a_column(kind):
    # As Keras: y = 2x + 1, from numbers without an axis of their own.
    x = kind([0.0, 0.25, 0.5, 1.0])
    y = np.array([1.0, 1.5, 2.0, 3.0])
    for first in ([keras.Input((1,))], []):
        model = keras.Sequential([*first, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.5), "mse")
        model.fit(x, y, epochs=300, verbose=0)
        np.testing.assert_allclose(model.predict(kind([2.0]), verbose=0), [[5.0]], atol=1e-3)


def test_inputs_without_an_axis():
    inputs = keras.Input(shape=())
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    data = tf.data.Dataset.from_generator(
        lambda: iter([np.arange(2), np.arange(3)]),
        output_signature=tf.TensorSpec((None,), tf.int32),
    )
    np.testing.assert_array_equal(model.predict(data, verbose=0), [0, 1, 0, 1, 2])
    np.testing.assert_array_equal(model.predict(np.arange(4.0), verbose=0), np.arange(4))


# --- tf.TensorSpec --------------------------------------------------------------------------------


def test_from_generator_gives_the_types_of_its_signature():
    def rows(stop):
        for i in range(stop):
            yield {"image": [i, i + 1]}, i

    signature = ({"image": tf.TensorSpec((2,), tf.float32)}, tf.TensorSpec((), tf.uint8))
    data = tf.data.Dataset.from_generator(rows, args=(3,), output_signature=signature)
    images, labels = next(iter(data.batch(3)))
    assert images["image"].dtype == np.float32
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(images["image"], [[0, 1], [1, 2], [2, 3]])
    old = tf.data.Dataset.from_generator(lambda: rows(2), ({"image": tf.int32}, tf.float64))
    assert [(x["image"].dtype, y.dtype) for x, y in old] == [(np.int32, np.float64)] * 2


@pytest.mark.parametrize(("item", "error", "message"), [
    ([1.0, 2.0, 3.0], ValueError, r"arrays of shape \(2,\), got \(3,\)"),
    (1, ValueError, r"got \(\)"),
])  # fmt: skip
def test_from_generator_says_what_does_not_fit(item, error, message):
    data = tf.data.Dataset.from_generator(
        lambda: [item], output_signature=tf.TensorSpec((2,), tf.float32)
    )
    with pytest.raises(error, match=message):
        list(data)


def test_from_generator_wants_the_form_of_its_signature():
    pair = (tf.TensorSpec((), tf.float32), tf.TensorSpec((), tf.int32))
    with pytest.raises(TypeError, match="tuples of 2, got 1"):
        list(tf.data.Dataset.from_generator(lambda: [1], output_signature=pair))
    with pytest.raises(TypeError, match="must give int32, got float64"):
        list(tf.data.Dataset.from_generator(lambda: [(1.0, 2.5)], output_signature=pair))
    assert len(list(tf.data.Dataset.from_generator(lambda: [[1.0, 2]], output_signature=pair))) == 1
    spec = tf.TensorSpec((None, 2), tf.float32)
    assert spec.is_compatible_with(np.ones((5, 2), np.float32))
    assert not spec.is_compatible_with(np.ones((5, 3), np.float32))


# --- a layer that knows its model -----------------------------------------------------------------


def test_a_layer_may_have_its_model_as_an_attribute():
    class Knowing(keras.layers.Layer):
        def call(self, x):
            return x

    layer = Knowing()
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    layer.of = model
    model.compile("sgd", "mse")  # it once walked from one to the other without an end
    assert "loss" in model.fit(X, Y, verbose=0).history
