"""Imports that published scripts begin with, and ``tensorflow_datasets``."""

import subprocess
import sys

import numpy as np
import pytest

from pyconv.compat import _tensorflow_datasets as tfds
from pyconv.compat.keras.datasets import mnist

# Each is used below, to see that it is what it is called.
IMPORTS = """
from keras.backend.tensorflow_backend import set_session
from keras.callbacks import BaseLogger
from keras.engine import InputSpec, Layer, get_source_inputs
from keras.engine.base_layer import Layer as Base
from keras.engine.topology import Container, merge
from keras.layers.normalization.batch_normalization import BatchNormalization
from keras.backend.common import _EPSILON
from keras.optimizers import adam_v2, gradient_descent_v2
from keras.preprocessing.sequence import pad_sequences
from keras.regularizers import WeightRegularizer
from keras.utils import get_source_inputs as also
from keras.utils.data_utils import OrderedEnqueuer
from keras.utils.layer_utils import convert_all_kernels_in_model
from keras_preprocessing.image import ImageDataGenerator
import tensorflow.compat.v2 as v2
from tensorflow.data import AUTOTUNE, Dataset
from tensorflow.keras.mixed_precision import experimental
from tensorflow.keras.optimizers.experimental import AdamW
from tensorflow.keras.optimizers.schedules import CosineDecay, ExponentialDecay
from tensorflow.keras.experimental import CosineDecay as Older
from tensorflow.math import confusion_matrix
from tensorflow.python.client import device_lib
from tensorflow.python.framework import ops
from tensorflow.python.ops import summary_ops_v2
import tensorflow.python.training.moving_averages
from tensorflow.random import set_seed
import tensorflow_datasets
import keras, tensorflow
"""
USES = """
assert adam_v2.Adam is keras.optimizers.Adam
assert gradient_descent_v2.SGD(learning_rate=0.5).lr == 0.5
assert BatchNormalization is keras.layers.BatchNormalization
assert issubclass(BaseLogger, keras.callbacks.Callback)
assert Base is Layer is keras.layers.Layer
assert Container is keras.Model
assert _EPSILON == 1e-7
assert merge is keras.layers.merge
assert pad_sequences([[1], [2, 3]]).tolist() == [[0, 1], [2, 3]]
x = keras.Input((4,))
assert get_source_inputs(keras.layers.Dense(2)(x)) == also(x) == [x]
assert InputSpec(shape=(None, 8)).ndim == 2
assert WeightRegularizer(l1=0.5).l1 == 0.5
assert ImageDataGenerator is keras.preprocessing.image.ImageDataGenerator
assert v2.constant is tensorflow.constant
assert list(Dataset.range(2).map(lambda i: i + 1, num_parallel_calls=AUTOTUNE)) == [1, 2]
assert CosineDecay is Older is tensorflow.keras.optimizers.schedules.CosineDecay
assert ExponentialDecay(1.0, 1, 0.5)(1) == 0.5
assert AdamW is keras.optimizers.AdamW
assert confusion_matrix([0, 1], [0, 0]).tolist() == [[1, 0], [1, 0]]
assert device_lib.list_local_devices()[0].device_type == "CPU"
assert experimental.set_policy is keras.mixed_precision.set_policy
set_session(None), ops.reset_default_graph(), set_seed(1)
for missing in (OrderedEnqueuer, summary_ops_v2, convert_all_kernels_in_model):
    try:
        missing(1)
    except ImportError as error:
        print(error)
"""


def run(code):
    code = "import pyconv.compat; pyconv.compat.install()\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_imports_of_scripts():
    code, out, error = run(IMPORTS + USES)
    assert code == 0, error
    assert out.splitlines()[0].startswith("keras.utils.data_utils.OrderedEnqueuer: not in pyconv")
    assert "convert_all_kernels_in_model: not in pyconv; filters of Theano" in out


@pytest.mark.parametrize("line", ["import keras.legacy", "import tensorflow.examples.tutorials"])
def test_modules_that_are_not_there(line):
    code, _, error = run(line)
    assert code == 1
    assert "not in pyconv" in error.splitlines()[-1]


@pytest.fixture
def digits(monkeypatch):
    x = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2)
    y = (np.arange(20) % 10).astype(np.uint8)
    monkeypatch.setattr(mnist, "load_data", lambda: ((x[:15], y[:15]), (x[15:], y[15:])))
    return x[..., None], y


def test_data_sets_by_name(digits):
    x, y = digits
    data, info = tfds.load("mnist", as_supervised=True, with_info=True)
    assert sorted(data) == ["test", "train"]
    images, labels = zip(*data["train"], strict=True)
    np.testing.assert_array_equal(images, x[:15])
    np.testing.assert_array_equal(labels, y[:15])
    assert images[0].dtype == np.uint8
    assert labels[0].dtype == np.int64
    assert info.splits["train"].num_examples == 15
    assert info.features["label"].names[3] == info.features["label"].int2str(3) == "3"
    assert info.features["image"].shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("split", "wanted"),
    [
        ("train[:20%]", range(3)),
        ("train[80%:]", range(12, 15)),
        ("train[2:4]", range(2, 4)),
        ("train[-2:]", range(13, 15)),
        ("test[:2]+train[:1]", [15, 16, 0]),
        ("all", range(20)),
    ],
)
def test_splits(digits, split, wanted):
    x, y = digits
    items = list(tfds.as_numpy(tfds.load("mnist:3.*.*", split=split)))
    np.testing.assert_array_equal([item["image"] for item in items], x[list(wanted)])
    np.testing.assert_array_equal([item["label"] for item in items], y[list(wanted)])


def test_batches_and_lists_of_splits(digits):
    x, _ = digits
    (train,), test = tfds.load("mnist", split=(["train"], "test"), batch_size=4, as_supervised=True)
    assert [len(labels) for _, labels in train] == [4, 4, 4, 3]
    assert len(test) == 2
    whole = tfds.load("mnist", split="test", batch_size=-1)
    np.testing.assert_array_equal(tfds.as_numpy(whole)["image"], x[15:])


def test_wrong_names():
    with pytest.raises(ValueError, match="no data set 'cats_vs_dogs'; it has cifar10, cifar100"):
        tfds.load("cats_vs_dogs")
    with pytest.raises(ValueError, match="split must be such as 'train'"):
        tfds.load("shapes10", split="validation")


def test_the_base_of_merging_layers():
    imports = "import keras\nfrom keras.layers.merge import _Merge, add\n"
    code, _, error = run(imports + "assert issubclass(_Merge, keras.layers.Layer)")
    assert code == 0, error
