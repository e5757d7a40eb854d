"""Names and arguments that published scripts for MNIST and CIFAR use."""

import os

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv.compat._autodiff import pull_back, watched
from pyconv.compat.keras import backend as K  # noqa: N812
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 8, 6, 3), dtype=np.uint8)
X, Y = RNG.normal(size=(12, 4)).astype(np.float32), np.arange(12) % 3


def small(units=3, **compiled):
    model = keras.Sequential([layers.Dense(units, activation="softmax", input_shape=(4,))])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    return model


def test_average_pooling_has_a_default():
    assert layers.AveragePooling2D()(np.ones((1, 4, 4, 1))).shape == (1, 2, 2, 1)
    assert layers.AveragePooling2D((3, 3)).pool_size == (3, 3)


def test_older_arguments_of_a_board(tmp_path):
    board = keras.callbacks.TensorBoard(str(tmp_path), batch_size=32, write_grads=True)
    small().fit(X, Y, callbacks=[board], verbose=0)
    assert os.listdir(tmp_path) == ["train"]


@pytest.mark.parametrize("old", ["mse", "MSE", "mae", "mape", "msle", "kld", "cosine_proximity"])
def test_older_names_of_losses(old):
    y, p = RNG.uniform(0.1, 1, (2, 3, 4))
    wanted = keras.losses.get(old.lower() if old != "cosine_proximity" else "cosine_similarity")
    assert getattr(keras.losses, old) is wanted
    np.testing.assert_allclose(getattr(keras.losses, old)(y, p), wanted(y, p))
    assert keras.metrics.binary_crossentropy is keras.losses.binary_crossentropy


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("categorical_crossentropy", {}),
        ("categorical_crossentropy", {"from_logits": True, "label_smoothing": 0.1}),
        ("binary_crossentropy", {}),
        ("mean_squared_error", {}),
    ],
)
def test_losses_as_functions_have_gradients(name, options):
    p = RNG.uniform(0.1, 0.9, (3, 4))
    y, function = np.eye(4)[:3], getattr(keras.losses, name)
    given = watched(p.astype(np.float32))
    rows = function(y, given, **options)
    weights = np.array([1, 2, -1], np.float32)
    found = pull_back(rows.node, weights)[given.node]
    wanted = np.zeros_like(p)
    for place in np.ndindex(p.shape):
        step = np.zeros_like(p)
        step[place] = 1e-2
        above, below = (np.asarray(function(y, p + s * step, **options)) for s in (1, -1))
        wanted[place] = ((above - below) * weights).sum() / 2e-2
    np.testing.assert_allclose(found, wanted, rtol=5e-2, atol=5e-3)
    model = small()
    model.compile("sgd", keras.losses.sparse_categorical_crossentropy)
    assert type(model.objective.loss).__name__ == "SparseCategoricalCrossentropy"


def test_models_are_written_into_new_folders(tmp_path):
    model = small()
    model.save_weights(tmp_path / "a" / "cp-0001.ckpt")
    other = small()
    other.load_weights(tf.train.latest_checkpoint(tmp_path / "a"))
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    model.save(str(tmp_path / "b" / "my_model"))
    again = keras.models.load_model(str(tmp_path / "b" / "my_model"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    os.mkdir(tmp_path / "empty")
    assert tf.train.latest_checkpoint(tmp_path / "empty") is None


def test_models_are_written_into_folders(tmp_path):
    model = small()
    model.save(f"{tmp_path}/a/", save_format="tf")
    again = keras.models.load_model(f"{tmp_path}/a/")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "a")
    again.load_weights(tmp_path / "a")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_initializations_of_keras_1():
    from pyconv.compat.keras import initializations

    assert np.abs(initializations.uniform((50, 50), scale=0.5, name="w")).max() == pytest.approx(
        0.5, abs=0.01
    )
    assert float(initializations.normal((100, 100), scale=2.0).std()) == pytest.approx(2, abs=0.1)
    layer = layers.Dense(3, init=lambda shape, name=None: initializations.one(shape, name=name))
    assert layer(np.ones((1, 2))).tolist() == [[2, 2, 2]]


def test_functions_of_the_backend():
    assert K.argmax([[1, 3, 2]]).tolist() == [1]
    assert K.expand_dims([1, 2]).shape == (2, 1)
    assert K.concatenate([np.ones((2, 1)), np.ones((2, 3))]).shape == (2, 4)
    assert K.eval(K.variable([1.0, 2.0])).tolist() == [1, 2]
    assert float(K.eval(keras.optimizers.SGD(0.25).lr)) == 0.25
    assert K.repeat(np.ones((2, 3)), 4).shape == (2, 4, 3)
    assert K.random_normal((2, 3), seed=1).tolist() == K.random_normal((2, 3), seed=1).tolist()
    assert K.in_train_phase(1, lambda: 2) == 2
    np.testing.assert_allclose(K.dot(X, X.T[:, :3]), X @ X.T[:, :3], rtol=1e-5)
    total = K.variable(1.0)
    K.update_add(total, 2.0)
    assert float(K.moving_average_update(total, 1.0, 0.5)) == 2


def test_functions_of_tensorflow():
    assert [part.shape for part in tf.split(X, 2, axis=1)] == [(12, 2), (12, 2)]
    assert tf.argmax([[1, 3], [5, 2]]).tolist() == [1, 0]
    assert tf.one_hot([1], depth=3).tolist() == [[0, 1, 0]]
    assert tf.range(2, 8, 3).tolist() == [2, 5]
    assert tf.pad(np.ones((1, 2)), [[0, 0], [1, 1]]).tolist() == [[0, 1, 1, 0]]
    assert tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).tolist() == [[1, 0], [1, 1]]
    assert tf.math.reduce_prod((2, 3)).numpy() == 6
    assert tf.nn.top_k([[1.0, 3.0, 2.0]], k=2).indices.tolist() == [[1, 2]]
    assert tf.math.in_top_k([1, 0], [[1.0, 3.0], [1.0, 2.0]], 1).tolist() == [True, False]
    assert tf.random.gamma([5], alpha=[0.25]).shape == (5, 1)
    drawn = tf.random.uniform((50,), 0, 3, dtype=tf.int32)
    assert drawn.dtype == np.int32
    assert set(drawn.tolist()) == {0, 1, 2}
    assert sorted(tf.random.shuffle(np.arange(5)).tolist()) == [0, 1, 2, 3, 4]
    logits, labels = RNG.normal(size=(3, 4)), np.array([0, 2, 1])
    rows = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    wanted = -np.log(tf.nn.softmax(logits).numpy()[np.arange(3), labels])
    np.testing.assert_allclose(rows, wanted, rtol=1e-5)
    _, variance = tf.nn.moments(X, axes=[0])
    np.testing.assert_allclose(variance, X.var(axis=0), rtol=1e-5)
    assert tf.function(lambda x: x)(3) == tf.function()(lambda x: x)(3) == 3
    assert tf.py_function(lambda x: x * 2, [np.ones(2)], tf.float32).tolist() == [2, 2]


def test_images_of_tensorflow():
    image = tf.image
    small_one = image.resize(IMAGES, (4, 3))
    wanted = IMAGES.reshape(2, 4, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(small_one, wanted, rtol=1e-5)
    assert image.resize(IMAGES[0], (4, 3), method="nearest").dtype == np.uint8
    unit = image.convert_image_dtype(IMAGES, tf.float32)
    np.testing.assert_allclose(unit, IMAGES / np.float32(255), rtol=1e-6)
    assert image.convert_image_dtype(unit, tf.uint8).tolist() == IMAGES.tolist()
    part = image.crop_to_bounding_box(IMAGES[0], 1, 2, 3, 4)
    assert part.tolist() == IMAGES[0, 1:4, 2:6].tolist()
    whole = image.pad_to_bounding_box(part, 1, 2, 8, 6)
    assert whole[1:4, 2:6].tolist() == part.tolist()
    assert int(whole[0].sum()) == 0
    padded = image.resize_with_crop_or_pad(IMAGES[0], 10, 4)
    assert padded[1:9].tolist() == IMAGES[0, :, 1:5].tolist()
    assert image.flip_left_right(IMAGES).tolist() == IMAGES[:, :, ::-1].tolist()
    assert image.rgb_to_grayscale(unit).shape == (2, 8, 6, 1)
    standard = np.asarray(image.per_image_standardization(IMAGES))
    np.testing.assert_allclose(standard.std(axis=(1, 2, 3)), 1, rtol=1e-5)
    assert image.random_crop(IMAGES[0], (4, 4, 3)).shape == (4, 4, 3)
    np.testing.assert_allclose(image.adjust_saturation(unit, 1.0), unit, atol=1e-6)
    np.testing.assert_allclose(image.adjust_brightness(unit, 0.1), unit + 0.1, rtol=1e-6)
    flat = image.adjust_contrast(unit, 0.0)
    np.testing.assert_allclose(flat[0, 0, 0], unit[0].mean(axis=(0, 1)), rtol=1e-5)


def test_variables_of_tensorflow_are_trained():
    w, b = tf.Variable(tf.zeros((4, 2)), name="w"), tf.Variable([1.0, 2.0])
    optimizer = tf.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(tf.matmul(X, w) + b))
    gradients = tape.gradient(loss, [w, b])
    np.testing.assert_allclose(gradients[1], [24.0, 48.0], rtol=1e-6)
    optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
    np.testing.assert_allclose(b.numpy(), [1 - 2.4, 2 - 4.8], rtol=1e-6)
    assert b.assign([3.0, 3.0]).assign_add([1.0, 0.0]).tolist() == [4, 3]
    assert (w.name, w.trainable, tf.Variable(3).dtype) == ("w", True, np.int32)
    with pytest.raises(ValueError, match="assign wants shape"):
        b.assign([1.0])


def test_numbers_go_to_a_board(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "run"))
    assert not tf.summary.scalar("lost", 1.0, step=0)
    with writer.as_default():
        tf.summary.scalar("loss", tf.constant(0.5), step=1)
        tf.summary.histogram("w", X, step=1)
    writer.close()
    (name,) = os.listdir(tmp_path / "run")
    content = (tmp_path / "run" / name).read_bytes()
    assert b"loss" in content
    assert b"lost" not in content


def test_estimators_of_scikit_learn():
    from pyconv.compat.keras.wrappers import KerasClassifier, KerasRegressor

    classifier = KerasClassifier(small, units=3, epochs=2, batch_size=4, verbose=0)
    history = classifier.fit(X, Y + 5)
    assert len(history.history["loss"]) == 2
    assert set(classifier.predict(X).tolist()) <= {5, 6, 7}
    np.testing.assert_allclose(classifier.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    assert 0 <= classifier.score(X, Y + 5) <= 1
    assert classifier.set_params(units=4).get_params() == {
        "units": 4, "epochs": 2, "batch_size": 4, "verbose": 0, "build_fn": small,
    }  # fmt: skip

    def line():
        model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
        model.compile("sgd", "mse")
        return model

    regressor = KerasRegressor(line, epochs=1, verbose=0)
    regressor.fit(X, X[:, 0])
    error = np.mean((regressor.predict(X) - X[:, 0]) ** 2)
    np.testing.assert_allclose(regressor.score(X, X[:, 0]), -error, rtol=1e-4)


def test_a_drawing_of_a_function(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Lambda(lambda x: x * 2, name="twice")(inputs))
    assert "twice" in keras.utils.plot_model(model, str(tmp_path / "m.png"))
