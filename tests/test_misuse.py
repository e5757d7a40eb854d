"""Mistakes of users that no other test has: each error says what was wanted and what was got."""

import numpy as np
import pytest

import pyconv
import pyconv.onnx
from pyconv import constraints, initializers, losses, optimizers
from pyconv.layers import Conv2D, Dense, Layer, Normalization
from pyconv.preprocessing.image import ImageDataGenerator, image_dataset_from_directory

IMAGES = np.zeros((2, 4, 4, 3), np.float32)


class ReturnsNothing(Layer):
    def call(self, x):
        x * 2  # a return is missing


def built():
    return pyconv.Sequential([pyconv.Input((3,)), Dense(2)])


def flow_through(function):
    return ImageDataGenerator(preprocessing_function=function).flow(IMAGES)[0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Dense(10**12), ValueError, "units must be a positive integer up to 2147483647"),
        (
            lambda: Dense(2, activation="rleu"),
            ValueError,
            "activation must be one of .*, got 'rleu'; did you mean 'relu'",
        ),
        (
            lambda: Conv2D(8, "3"),
            TypeError,
            r"kernel_size must be an integer or \(height, width\), got '3'",
        ),
        (lambda: Dense(0), ValueError, "units must be a positive integer, got 0"),
        (lambda: Conv2D.from_config(5), TypeError, "Conv2D.from_config: config must be a dict"),
        (lambda: Dense(2)(np.array([[None]])), TypeError, "must be an array .*, got an object"),
        (lambda: Dense(2)(None), TypeError, "got a NoneType"),
        (
            lambda: Normalization(mean=0, variance=[1, -4]),
            ValueError,
            "variance must be at least 0, got -4.0",
        ),
        (
            lambda: losses.CategoricalCrossentropy(axis=5)([[1, 0]], [[0.5, 0.5]]),
            ValueError,
            r"axis must be an axis of the output, \(1, 2\), .*got 5",
        ),
        (
            lambda: losses.CategoricalFocalCrossentropy(axis=5)([[1, 0]], [[0.5, 0.5]]),
            ValueError,
            "axis must be an axis of the output",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy(axis=5)([1], [[0.5, 0.5]]),
            ValueError,
            "axis must be an axis of the output",
        ),
        (
            lambda: losses.Dice(axis=(1, 9))([[1, 0]], [[0.5, 0.5]]),
            ValueError,
            r"Dice: axis must be axes of the output, \(1, 2\), got \(1, 9\)",
        ),
        (
            lambda: initializers.VarianceScaling(input_axes=[4], output_axes=[0])((2, 3)),
            ValueError,
            r"must be axes of the weight, \(2, 3\), got \[4\] and \[0\]",
        ),
        (lambda: constraints.UnitNorm("a"), TypeError, "UnitNorm: axis must be an integer"),
        (lambda: constraints.MaxNorm(axis=[0, 1.5]), TypeError, "MaxNorm: axis must be an integer"),
        (
            lambda: constraints.MaxNorm(axis=5)(np.ones((2, 2))),
            ValueError,
            r"MaxNorm: axis must be axes of the weight, \(2, 2\), got 5",
        ),
        (
            lambda: constraints.MinMaxNorm(2, 1),
            ValueError,
            "min_value must be at most max_value, got 2 and 1",
        ),
        (lambda: optimizers.SGD().apply_gradients(5), TypeError, r"wants pairs .*, got 5"),
        (lambda: optimizers.SGD().apply_gradients([5]), TypeError, r"wants pairs .*, got \[5\]"),
        (lambda: ImageDataGenerator(rescale="a"), TypeError, "rescale must be a number"),
        (lambda: flow_through(lambda x: None), ValueError, r"return an image .*, got object"),
        (lambda: flow_through(lambda x: x[:2]), ValueError, r"\(4, 4, 3\), got .* \(2, 4, 3\)"),
        (lambda: ImageDataGenerator().flow(IMAGES)["a"], TypeError, "index must be an integer"),
        (lambda: pyconv.viz.network_diagram(5), TypeError, "model must be a Sequential, got 5"),
        (lambda: pyconv.profile(5), TypeError, "profile: filepath must be a str or a path"),
        (
            lambda: built().save(""),
            ValueError,
            "save: filepath must name a file or a folder, got ''",
        ),
        (lambda: built().save("a\0b"), ValueError, "save: filepath must name a file or a folder"),
        (lambda: built().save(5), TypeError, "save: filepath must be a str or a path, got 5"),
        (lambda: built().save("a.onnx"), ValueError, r"ONNX is read, not written.*\.keras"),
        (lambda: built().save_weights(5), TypeError, "save_weights: filepath must be a str"),
        (lambda: built().load_weights(5), TypeError, "load_weights: filepath must be a str"),
        (
            lambda: pyconv.interop.load_torch_state(built(), 5),
            TypeError,
            "load_torch_state: source, where it is no mapping, must be a str or a path, got 5",
        ),
        (
            lambda: pyconv.interop.torch_state(built(), 5),
            TypeError,
            "torch_state: names must be a list of names, got 5",
        ),
        (
            lambda: pyconv.Sequential([pyconv.Input((3,)), ReturnsNothing()]),
            TypeError,
            r"ReturnsNothing 'returns_nothing.*': call must return an array \(N, ...\), got None",
        ),
        (lambda: pyconv.onnx.load(5), TypeError, "onnx.load: filepath must be a str or a path"),
        (lambda: pyconv.models.load_model(5), TypeError, "load_model: filepath must be a str"),
        (
            lambda: pyconv.callbacks.ModelCheckpoint(""),
            ValueError,
            "ModelCheckpoint: filepath must name a file",
        ),
    ],
)
def test_says_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_saving_over_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"save: .* is a folder; give the name of a file"):
        built().save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_paths_of_bytes(tmp_path):
    path = bytes(tmp_path / "model.keras")
    model = built()
    model.save(path)
    for loaded, own in zip(
        pyconv.models.load_model(path).get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(loaded, own)


def test_a_log_of_other_bytes_is_not_appended_to(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xff\xfe\x00e\n")
    model = built()
    model.compile("sgd", "mse")
    logger = pyconv.callbacks.CSVLogger(path, append=True)
    with pytest.raises(ValueError, match="log.csv must begin with a column 'epoch'"):
        model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0, callbacks=[logger])
    assert path.read_bytes() == b"\xff\xfe\x00e\n"


def test_a_folder_without_images(tmp_path):
    pytest.importorskip("PIL")
    (tmp_path / "cat").mkdir()
    with pytest.raises(ValueError, match="No images found in directory"):
        image_dataset_from_directory(tmp_path)
