"""``keras.applications``: the networks, their inputs and files of weights."""

import subprocess
import sys

import numpy as np
import pytest

import pyconv.compat.keras as keras
from pyconv import compat
from pyconv.compat._unsupported import NotInPyconvError
from pyconv.compat.keras import applications, layers

SMALL = {"weights": None, "input_shape": (32, 32, 3)}
X = np.random.default_rng(1).random((2, 32, 32, 3)).astype("float32")


@pytest.fixture(autouse=True)
def keras2():
    compat.select("keras2")
    yield
    compat.select("keras2")


def filled(weights):
    """Return drawn weights of these shapes: of convolutions as He et al. have them."""
    rng = np.random.default_rng(0)
    found = []
    for shape in map(np.shape, weights):
        drawn = rng.standard_normal(shape)
        is_kernel = len(shape) > 1
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        found.append(drawn * scale if is_kernel else np.abs(1 + 0.1 * drawn))
    return found


@pytest.mark.parametrize(
    ("name", "count", "mean", "deviation"),
    [  # of Keras 3.15 with these weights, in float32 on JAX
        ("VGG16", 14_714_688, 4.688976, 2.890374),
        ("VGG19", 20_024_384, 3.872373, 2.376252),
        ("ResNet50", 23_587_712, 199.787, 223.8105),
        ("ResNet50V2", 23_564_800, 79.80606, 116.022),
        ("DenseNet121", 7_037_504, 0.1793166, 0.2865051),
        ("MobileNet", 3_228_864, 0.09697548, 0.139183),
        ("MobileNetV2", 2_257_984, 0.1625928, 0.2332837),
    ],
)
def test_features(name, count, mean, deviation):
    model = getattr(applications, name)(include_top=False, pooling="avg", **SMALL)
    assert model.count_params() == count
    model.set_weights(filled(model.get_weights()))
    y = model.predict(X, verbose=0)
    np.testing.assert_allclose([y.mean(), y.std()], [mean, deviation], rtol=2e-5)


def test_tops():
    assert applications.MobileNet(classes=10, **SMALL).count_params() == 3_239_114
    odd = {"weights": None, "input_shape": (33, 47, 3)}
    model = applications.MobileNetV2(classes=10, alpha=1.4, **odd)
    assert model.count_params() == 4_381_642
    assert model.get_layer("block_6_pad").padding == ((1, 1), (0, 1))
    model = applications.VGG16(classes=10, **SMALL)
    names = [layer.name for layer in model.layers[-4:]]
    assert names == ["flatten", "fc1", "fc2", "predictions"]
    assert model.name == "vgg16"


def test_a_network_is_trained_and_read(tmp_path):
    inputs = layers.Input((32, 32, 3))
    base = applications.MobileNetV2(
        include_top=False, weights=None, input_tensor=inputs, alpha=0.35, pooling="max"
    )
    model = keras.Model(base.input, layers.Dense(2, activation="softmax")(base.output))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, [0, 1], verbose=0)
    base.save_weights(tmp_path / "w.h5")
    read = applications.MobileNetV2(
        include_top=False, weights=tmp_path / "w.h5", input_shape=(32, 32, 3), alpha=0.35,
        pooling="max",
    )  # fmt: skip
    assert np.array_equal(read.predict(X, verbose=0), base.predict(X, verbose=0))


def test_weights_of_imagenet(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    options = {"include_top": False, "input_shape": (32, 32, 3)}
    with pytest.raises(NotInPyconvError, match=r"vgg16_weights.*_notop.h5, which is not there"):
        applications.VGG16(**options)
    made = applications.VGG16(weights=None, **options)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    made.save_weights(folder / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
    read = applications.VGG16(weights="imagenet", **options)
    assert all(map(np.array_equal, read.get_weights(), made.get_weights()))


@pytest.mark.parametrize(
    ("module", "wanted"),
    [  # of Keras 3.15
        ("vgg16", [-63.939, -96.779, -123.68, 116.061, 83.221, 56.32]),
        ("mobilenet", [-1.0, -0.8431373, -0.6862745, 0.4117647, 0.5686275, 0.7254902]),
        ("densenet", [-2.117904, -1.685574, -1.107277, 0.9645517, 1.465686, 2.029978]),
    ],
)
def test_preprocess_input(module, wanted):
    images = np.arange(12.0).reshape(1, 2, 2, 3) * 20
    function = getattr(applications, module).preprocess_input
    found = function(images)
    np.testing.assert_allclose(found.ravel()[[0, 1, 2, 9, 10, 11]], wanted, rtol=1e-6)
    first = function(np.moveaxis(images, -1, 1), data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), found, rtol=1e-6)
    tensor = layers.Input((2, 2, 3))
    model = keras.Model(tensor, function(tensor))
    np.testing.assert_allclose(model.predict(images, verbose=0), found, rtol=1e-5, atol=1e-5)


def test_imports():
    program = """
import pyconv.compat
pyconv.compat.install()
from keras.applications import VGG16, resnet50
from keras.applications.resnet50 import ResNet50, preprocess_input as caffe
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input as tf
import tensorflow.keras.applications.vgg19 as vgg19
from keras.applications.inception_v3 import InceptionV3
assert vgg19.VGG19.__name__ == "VGG19" and resnet50.ResNet50 is ResNet50
assert caffe is not tf
try:
    InceptionV3(weights=None)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "InceptionV3: not in pyconv; there are VGG, ResNet" in done.stdout, done.stderr


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"VGG16: input_shape must be .* got \(28, 28, 3\)"):
        applications.VGG16(weights=None, input_shape=(28, 28, 3))
    with pytest.raises(ValueError, match="pooling must be None, 'avg' or 'max', got 'sum'"):
        applications.ResNet50(pooling="sum", **SMALL)
    with pytest.raises(ValueError, match="classes must be 1000"):
        applications.ResNet50(classes=10)
    with pytest.raises(ValueError, match=r"preds must be \(N, 1000\)"):
        applications.vgg16.decode_predictions(np.ones((1, 10)))
    with pytest.raises(ValueError, match="mode must be"):
        applications.imagenet_utils.preprocess_input(X, mode="none")
