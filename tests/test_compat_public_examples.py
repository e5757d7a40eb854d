"""What public examples of image classifiers and autoencoders do beside the plain path."""

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras.utils import np_utils

layers = keras.layers
rng = np.random.default_rng(0)
X = rng.standard_normal((8, 5, 5, 2)).astype(np.float32)


class Masked(layers.Layer):
    """A convolution whose kernel is masked in each call, as in PixelCNN."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(2, 3, padding="same")

    def build(self, input_shape):
        self.conv.build(input_shape)
        sizes = self.conv.kernel.get_shape()
        assert sizes.as_list() == [3, 3, 2, 2]
        self.mask = np.zeros(sizes, np.float32)
        self.mask[: sizes[0] // 2] = 1.0

    def call(self, inputs):
        self.conv.kernel.assign(self.conv.kernel * self.mask)
        return self.conv(inputs)


@pytest.mark.parametrize("within", [False, True])
def test_a_kernel_is_masked_in_each_call(within):
    masked = Masked()

    class Around(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = masked

        def call(self, x):
            return 2 * self.inner(x)

    inputs = keras.Input((5, 5, 2))
    outputs = Around()(inputs) if within else masked(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(X, X, epochs=3, verbose=0)
    kernel, bias = (np.array(w) for w in masked.conv.get_weights())
    assert np.abs(kernel[2]).max() > 0  # the last step's, which the next call takes away
    plain = keras.Sequential([keras.Input((5, 5, 2)), layers.Conv2D(2, 3, padding="same")])
    plain.set_weights([kernel * masked.mask, bias])
    wanted = plain.predict(X, verbose=0) * (2 if within else 1)
    np.testing.assert_allclose(model.predict(X, verbose=0), wanted, rtol=1e-5, atol=1e-6)


def test_variables_of_tensorflow_are_assigned_in_each_call():
    class Counts(layers.Layer):
        def __init__(self):
            super().__init__()
            self.calls = tf.Variable(0.0, trainable=False)

        def call(self, x):
            self.calls.assign_add(1.0)
            return x * 1.0

    layer = Counts()
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layer(inputs))
    before = float(layer.calls)
    for _ in range(3):
        model.predict(np.ones((4, 2)), verbose=0)
    assert float(layer.calls) == before + 3


def test_one_hot_of_a_tensor():
    inputs = keras.Input((2, 3), dtype="int32")
    model = keras.Model(inputs, layers.Dense(1)(tf.one_hot(inputs, 4)))
    assert model.output_shape == (None, 2, 3, 1)
    x = np.arange(6).reshape(1, 2, 3) % 4
    kernel = np.array([[1.0], [2.0], [3.0], [4.0]], np.float32)
    model.set_weights([kernel, np.zeros(1)])
    np.testing.assert_array_equal(model.predict(x, verbose=0)[..., 0], kernel[x, 0])


def test_batches_behind_each_other():
    dense = layers.Dense(3)
    with tf.GradientTape() as tape:
        both = layers.Concatenate(axis=0)([dense(X[:3, 0, 0]), dense(X[3:, 0, 0])])
        loss = tf.reduce_sum(both * both)
    assert both.shape == (8, 3)
    found = tape.gradient(loss, dense.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(dense(X[:, 0, 0])))
    for one, wanted in zip(found, tape.gradient(loss, dense.trainable_variables), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-5)
    with pytest.raises(ValueError, match="axis"):
        layers.Concatenate(axis=0)([keras.Input((2,)), keras.Input((2,))])


def test_classes_of_arrays_of_tensorflow_may_be_keys():
    classes = np.argmax(tf.one_hot([2, 0], 3), axis=1)
    assert {"a": 1}[dict.fromkeys(classes, "a")[classes[0]]] == 1
    assert set(classes) == {0, 2}
    with pytest.raises(TypeError, match="unhashable"):
        hash(classes)


def test_random_numbers_of_the_shape_of_an_input():
    inputs = keras.Input((3,))
    hidden = layers.Dense(2)(inputs)
    alpha = layers.Lambda(lambda x: K.random_uniform((K.shape(x)[0], 1)))(hidden)
    model = keras.Model(inputs, layers.multiply([hidden, alpha]))
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])


def test_a_call_that_leaves_tensors_is_still_an_error():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2), layers.Lambda(lambda x: np.cumsum(np.array(x), 1))]
    )
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match="plain array of its input"):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def test_functions_of_one_size_of_the_batch():
    weights = rng.random((4, 1)).astype(np.float32)
    first, second = keras.Input((3,)), keras.Input((3,))
    mean = layers.Lambda(lambda xs: weights * xs[0] + (1 - weights) * xs[1])([first, second])
    model = keras.Model([first, second], mean)
    assert model.output_shape == (None, 3)
    a, b = rng.random((2, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(
        model.predict([a, b], verbose=0), weights * a + (1 - weights) * b, rtol=1e-6
    )


def test_bases_of_merging_layers_of_keras_2():
    class Mean(layers._Merge):
        def _merge_function(self, inputs):
            return (inputs[0] + inputs[1]) / 2

    first, second = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([first, second], Mean()([first, second]))
    assert model.predict([np.ones((1, 3)), np.zeros((1, 3))], verbose=0).tolist() == [[0.5] * 3]
    assert "_Merge" not in layers.__all__


def test_random_features():
    layer = layers.RandomFourierFeatures(6, scale=2.0)
    y = layer(X[:, 0, 0])
    kernel, bias, scale = (np.asarray(w) for w in layer.weights)
    assert scale.tolist() == [2.0]
    assert layer.trainable_weights == []
    assert bias.min() >= 0
    assert bias.max() < 2 * np.pi
    np.testing.assert_allclose(y, np.cos(X[:, 0, 0] @ kernel / 2 + bias), rtol=1e-4, atol=1e-5)
    named = layers.RandomFourierFeatures(3, "laplacian", trainable=True)
    named.build((None, 8))
    assert [np.shape(w) for w in named.trainable_weights] == [(1,)]
    assert float(layers.RandomFourierFeatures(3)(np.ones((1, 8))).shape[1]) == 3
    assert type(layer).from_config(layer.get_config()).scale == 2.0


def test_architectures_as_yaml():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="head")])
    again = keras.models.model_from_yaml(model.to_yaml())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    yaml = pytest.importorskip("yaml")
    import json

    written = yaml.safe_dump(json.loads(model.to_json()))
    assert keras.models.model_from_yaml(written).count_params() == 10
    with pytest.raises(ValueError, match="model_from_yaml"):
        keras.models.model_from_yaml("!!python/object/apply:os.getcwd []")


def test_classes_of_probabilities():
    rows = [[0.1, 0.9], [0.8, 0.2]]
    assert np_utils.categorical_probas_to_classes(rows).tolist() == [1, 0]
    assert np_utils.probas_to_classes(rows).tolist() == [1, 0]
    assert np_utils.probas_to_classes([[0.4], [0.6]]).tolist() == [0, 1]


def test_accuracy_of_one_output_for_labels_of_a_row():
    found = keras.metrics.binary_accuracy([[0, 1, 1, 1]], [[0.7]])
    assert np.asarray(found).tolist() == [[0.0, 1.0, 1.0, 1.0]]
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", lambda y, p: K.mean(K.square(y - p)), metrics=["accuracy"])
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    labels = np.array([[0, 1, 1, 1]])
    assert model.evaluate(np.ones((1, 2)), labels, verbose=0)[1] == 0.75


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("lite", "converter"), ("contrib", "tf.keras"), ("app", "argparse"),
        ("layers", "tf.keras.layers"), ("estimator", "fit"),
    ],
)  # fmt: skip
def test_parts_of_tensorflow_that_are_not_there_say_what_to_use(name, instead):
    with pytest.raises(ImportError, match=instead):
        getattr(tf, name).anything()


@pytest.mark.parametrize("by_name", [False, True])
def test_steps_in_functions_of_tensors(by_name):
    """What Keras 1 and 2 train by hand follows fit."""

    def made():
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(5, activation="tanh"), layers.BatchNormalization(),
             layers.Dense(3, activation="softmax")]
        )  # fmt: skip
        fixed = np.random.default_rng(2)
        model.set_weights([fixed.random(np.shape(w)) + 0.1 for w in model.get_weights()])
        return model

    x, y = rng.random((6, 4)).astype(np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    wanted, found = made(), made()
    wanted.compile(keras.optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy")
    images, labels = K.placeholder((None, 4)), K.placeholder((None, 3))
    loss = K.mean(K.categorical_crossentropy(labels, found(images)))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    weights = found.trainable_weights
    updates = found.get_updates_for([images])
    if by_name:
        updates += optimizer.get_updates(params=weights, loss=loss)
    else:
        updates += optimizer.get_updates(loss, weights)
    train = K.function([images, labels, K.learning_phase()], [loss], updates)
    for _ in range(3):
        step = wanted.fit(x, y, batch_size=6, verbose=0).history["loss"]
        assert train([x, y, 1])[0] == pytest.approx(step[0], rel=1e-5)
    for one, other in zip(found.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    test = K.function([images, labels, K.learning_phase()], [loss])
    before = found.get_weights()
    wanted_loss = wanted.evaluate(x, y, verbose=0)
    assert test([x, y, 0])[0] == pytest.approx(wanted_loss, rel=1e-4)
    assert all(map(np.array_equal, before, found.get_weights()))
    with pytest.raises(NotImplementedError, match="get_updates"):
        K.function([images], [loss], [(weights[0], 0)])
    with pytest.raises(TypeError, match="a list of weights"):
        optimizer.get_updates(loss)
