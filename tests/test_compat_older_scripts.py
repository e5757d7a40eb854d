"""What scripts of Keras 1 and 2 use of Keras's older paths and arguments, and of older packages."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat import _era, _older_packages
from pyconv.compat.keras import layers

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


SCRIPT = """
import collections, time
import numpy as np
from scipy.misc import imresize, toimage
from sklearn.cross_validation import train_test_split
from sklearn.grid_search import GridSearchCV
assert issubclass(list, collections.Iterable)
assert np.zeros(2, np.float).dtype == np.float64 and np.asscalar(np.array([3])) == 3
assert time.clock() <= time.clock()
assert toimage(np.zeros((4, 6, 3))).size == (6, 4)
assert imresize(np.zeros((4, 6, 3), np.uint8), (8, 12)).shape == (8, 12, 3)
assert train_test_split is GridSearchCV
print("fine")
"""


def test_older_names_of_packages(tmp_path):
    pytest.importorskip("scipy")
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn/__init__.py").write_text("")
    (tmp_path / "sklearn/model_selection.py").write_text("train_test_split = GridSearchCV = list")
    (tmp_path / "old.py").write_text(SCRIPT)
    run = [sys.executable, "-m", "pyconv.compat", str(tmp_path / "old.py")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.stdout == "fine\n", done.stderr


def test_images_of_numbers(tmp_path):
    # The rule of scipy 1.2: the smallest is 0, the largest 255, with rounding.
    given = RNG.normal(size=(5, 7)).astype(np.float32)
    scaled = (given - given.min()) * (255 / (given.max() - given.min()))
    wanted = (scaled + 0.5).astype(np.uint8)
    assert np.array_equal(np.array(_older_packages.toimage(given)), wanted)
    whole = RNG.integers(0, 256, (3, 5, 7), dtype=np.uint8)
    found = np.array(_older_packages.toimage(whole))
    assert np.array_equal(found, np.moveaxis(whole, 0, 2))
    _older_packages.imsave(tmp_path / "a.png", whole)
    assert np.array_equal(_older_packages.imread(tmp_path / "a.png"), found)
    assert _older_packages.imread(tmp_path / "a.png", flatten=True).shape == (5, 7)
    doubled = np.array(Image.fromarray(found).resize((14, 10), Image.Resampling.BILINEAR))
    for size in (200, 2.0, (10, 14)):
        assert np.array_equal(_older_packages.imresize(found, size), doubled)


def test_older_modules_are_attributes():
    assert keras.layers.convolutional.ZeroPadding2D is layers.ZeroPadding2D
    assert keras.layers.advanced_activations.LeakyReLU is layers.LeakyReLU
    assert keras.engine.topology.Layer is layers.Layer
    assert keras.utils.generic_utils.Progbar is keras.utils.Progbar
    with pytest.raises(AttributeError, match=r"keras\.layers.*has no attribute 'convolution'"):
        keras.layers.convolution  # noqa: B018


def test_rates_have_the_methods_of_theano():
    sgd = keras.optimizers.SGD(lr=0.5)
    sgd.lr.set_value(0.25)
    assert sgd.lr.get_value() == np.float32(0.25)


def test_initializers_of_tensorflow():
    made = tf.random_normal_initializer(mean=2.0, stddev=0.01)(shape=(30, 40), dtype="float32")
    assert abs(float(np.mean(made)) - 2) < 0.01
    assert np.all(np.asarray(tf.constant_initializer(3.0)((2,))) == 3)
    assert np.all(np.asarray(tf.zeros_initializer()((2,))) == 0)


def test_names_with_slashes(tmp_path):
    def make():
        inputs = keras.Input((6, 6, 2))
        x = layers.Conv2D(3, 3, name="fire2/squeeze")(inputs)
        return keras.Model(inputs, layers.Flatten()(x))

    model, other = make(), make()
    x = RNG.random((2, 6, 6, 2), np.float32)
    assert model.get_layer("fire2/squeeze").name == "fire2/squeeze"
    wanted = model.predict(x, verbose=0)
    model.save_weights(tmp_path / "w.h5")
    other.load_weights(tmp_path / "w.h5")
    assert np.array_equal(other.predict(x, verbose=0), wanted)
    other = make()
    other.load_weights(tmp_path / "w.h5", by_name=True)
    assert np.array_equal(other.predict(x, verbose=0), wanted)
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        read = keras.models.load_model(tmp_path / name)
        assert read.get_layer("fire2/squeeze").kernel_size == (3, 3)
        assert np.array_equal(read.predict(x, verbose=0), wanted)
    compat.select("keras3")  # as Keras 3 has it
    with pytest.raises(ValueError, match="without '/'"):
        make()


def test_names_with_slashes_in_scripts_of_tensorflow(monkeypatch):
    monkeypatch.setattr(_era, "_chosen", None)
    monkeypatch.setattr(_era, "_suggested", False)
    _era.suggest("keras3")
    assert layers.Dense(2, name="a/b").name == "a/b"


def test_mode_of_batch_normalization(tmp_path):
    x = RNG.normal(3, 2, (8, 5)).astype(np.float32)
    layer = layers.BatchNormalization(mode=2, input_shape=(5,))
    model = keras.Sequential([layer])
    model.compile("sgd", "mse")
    layer.trainable = False
    model.compile("sgd", "mse")
    wanted = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, atol=2e-6)
    model.save(tmp_path / "m.h5")
    read = keras.models.load_model(tmp_path / "m.h5")
    np.testing.assert_allclose(read.predict(x, verbose=0), wanted, atol=2e-6)
    read.train_on_batch(x, x)
    assert np.all(np.asarray(read.layers[0].moving_mean) == 0)
    with pytest.raises(ValueError, match=r"BatchNormalization '.*': mode must be 0.* got 1"):
        layers.BatchNormalization(mode=1)


@pytest.mark.parametrize("mode", [0, 2])
def test_modes_before_a_relu(mode):
    model = keras.Sequential(
        [layers.BatchNormalization(mode=mode, input_shape=(5,)), layers.Activation("relu")]
    )
    model.compile("sgd", "mse")
    x = RNG.normal(3, 2, (8, 5)).astype(np.float32)
    mean, variance = (x.mean(0), x.var(0)) if mode == 2 else (0, 1)
    wanted = np.maximum((x - mean) / np.sqrt(variance + 1e-3), 0)
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5, atol=2e-6)
    model.fit(x, x, verbose=0)


def test_gradient_of_mode_2_is_that_of_training():
    x, dy = RNG.normal(size=(2, 8, 5)).astype(np.float32)
    today, older = layers.BatchNormalization(), layers.BatchNormalization(mode=2)
    for layer, training in ((today, True), (older, False)):
        layer(x, training=training)
    assert np.array_equal(older.backward(dy.copy(), True), today.backward(dy.copy(), True))


COUNT = 0


def parts_of(x):
    """Return what a Lambda for each column gives, whose functions take numbers of the loops."""
    global COUNT
    inputs = keras.Input((3,))
    found = [layers.Lambda(lambda z: z[:, i : i + 1])(inputs) for i in range(3)]  # noqa: B023
    for number in range(3):
        COUNT = number
        found.append(layers.Lambda(lambda z: z[:, COUNT : COUNT + 1] * 10)(inputs))  # noqa: B023
    return keras.Model(inputs, layers.concatenate(found)).predict(x, verbose=0).tolist()


@pytest.mark.parametrize(
    ("version", "wanted"), [("keras2", [1, 2, 3, 10, 20, 30]), ("keras3", [3, 3, 3, 30, 30, 30])]
)
def test_numbers_of_loops_in_functions(version, wanted):
    """Keras 2 runs the function where the layer is called, Keras 3 with each batch."""
    compat.select(version)
    assert parts_of(np.array([[1.0, 2.0, 3.0]])) == [wanted]


def test_functions_see_what_changes_in_variables():
    factor = keras.backend.variable(2.0)
    model = keras.Sequential([layers.Lambda(lambda z: z * factor, input_shape=(1,))])
    assert model.predict(np.ones((1, 1)), verbose=0) == 2
    keras.backend.set_value(factor, 3.0)
    assert model.predict(np.ones((1, 1)), verbose=0) == 3
