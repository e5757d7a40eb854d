"""Values that no choice, size or table can be: the error names what they were given for."""

import re

import numpy as np
import pytest

import pyconv
import pyconv.compat.keras as keras
from pyconv import (
    bounding_boxes,
    initializers,
    interop,
    layers,
    losses,
    metrics,
    models,
    optimizers,
)

BOXES = np.array([[0, 0, 2, 2], [1, 1, 3, 4]], np.float32)


def kind_name(value):
    return type(value).__name__


NOT_CHOICES = ([], {}, 2, object(), np.zeros(0), np.ones((2, 2)), slice(1))


@pytest.mark.parametrize("value", NOT_CHOICES, ids=kind_name)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda v: layers.Conv2D(2, 3, data_format=v), "data_format"),
        (lambda v: layers.Conv2D(2, 3, dtype=v), "dtype"),
        (lambda v: keras.layers.Conv2D(2, 3, data_format=v), "data_format"),
        (lambda v: layers.RandomFlip(v), "mode"),
        (lambda v: layers.RandomRotation(0.1, fill_mode=v), "fill_mode"),
        (lambda v: layers.RandomRotation(0.1, interpolation=v), "interpolation"),
        (lambda v: layers.RandomElasticTransform(fill_mode=v), "fill_mode"),
        (lambda v: layers.Resizing(2, 2, fill_mode=v), "fill_mode"),
        (lambda v: layers.Branches([[layers.ReLU()]], merge=v), "merge"),
        (lambda v: pyconv.regularizers.OrthogonalRegularizer(mode=v), "mode"),
        (lambda v: initializers.VarianceScaling(mode=v), "mode"),
        (lambda v: pyconv.zoo.vgg_cifar(depth=v), "depth"),
        (lambda v: pyconv.filters.box_filter(np.ones((3, 3)), 3, border=v), "border"),
        (lambda v: pyconv.backend.set_conv_algorithm(v), "algorithm"),
        (lambda v: pyconv.utils.image_dataset_from_directory(".", label_mode=v), "label_mode"),
        (lambda v: bounding_boxes.crop(BOXES, 0, 0, 1, 1, v), "bounding_box_format"),
        (lambda v: bounding_boxes.convert_format(BOXES, v, "xyxy"), "source"),
        (lambda v: bounding_boxes.compute_ciou(BOXES, BOXES, v), "bounding_box_format"),
    ],
)
def test_choices(make, name, value):
    with pytest.raises((TypeError, ValueError), match=name):
        make(value)


@pytest.mark.parametrize("dtype", [np.ones((2, 2)), np.zeros(0), object()], ids=kind_name)
def test_dtypes_of_keras(dtype):
    with pytest.raises(ValueError, match="DTypePolicy"):
        keras.layers.Dense(2, dtype=dtype)


@pytest.mark.parametrize("value", [None, True, 3, "abc", [], object()], ids=kind_name)
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v, p: models.save_model(v, p), "save: model must be a model"),
        (lambda v, p: pyconv.saving.save_weights(v, p), "save_weights: model must be a model"),
        (lambda v, p: pyconv.saving.load_weights(v, p), "load_weights: model must be a model"),
        (lambda v, p: interop.save_torch_state(v, p), "model must be a model"),
        (lambda v, p: interop.torch_state(v), "torch_state: model must be a model"),
        (lambda v, p: models.clone_model(v), "clone_model: model must be a Sequential"),
    ],
)
def test_models(call, message, value, tmp_path):
    with pytest.raises(TypeError, match=message):
        call(value, tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def model():
    return pyconv.Sequential([layers.Input((2,)), layers.Dense(1)])


@pytest.mark.parametrize("value", [[], np.ones(2), "no"], ids=kind_name)
@pytest.mark.parametrize("name", ["overwrite", "include_optimizer", "compile", "by_name"])
def test_switches_of_files(name, value, tmp_path):
    path = tmp_path / "model.keras"
    models.save_model(model(), path)
    before = path.read_bytes()
    call = {
        "compile": lambda: models.load_model(path, compile=value),
        "by_name": lambda: model().load_weights(path, by_name=value),
    }.get(name, lambda: models.save_model(model(), path, **{name: value}))
    with pytest.raises(TypeError, match=name):
        call()
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [True, "abc", [[1, 2]], 3, np.zeros(0)], ids=kind_name)
@pytest.mark.parametrize(
    "call",
    [
        lambda v, p: models.load_model(p, custom_objects=v),
        lambda v, p: losses.deserialize("mse", v),
        lambda v, p: metrics.deserialize({"class_name": "Mean", "config": {}}, v),
        lambda v, p: pyconv.regularizers.deserialize({"class_name": "L2", "config": {}}, v),
    ],
)
def test_custom_objects(call, value, tmp_path):
    path = tmp_path / "model.keras"
    model().save(path)
    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        call(value, path)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: losses.serialize(3), TypeError, "loss must be a Loss or a function"),
        (lambda: metrics.FBetaScore(beta=1e200), ValueError, "`beta` .* be below 1e[+]100. Rec"),
        (
            lambda: metrics.FBetaScore(beta=-0.5),
            ValueError,
            "`beta` .* be > 0. Received: beta=-0.5",
        ),
        (lambda: metrics.FBetaScore(beta=float("inf")), ValueError, "`beta` argument"),
        (lambda: metrics.AUC(label_weights=()), ValueError, "label_weights must hold one number"),
        (lambda: metrics.AUC(label_weights=[np.nan]), ValueError, "label_weights must be finite"),
        (
            lambda: metrics.pearson_correlation(BOXES, BOXES, axis=None),
            TypeError,
            "axis must be an integer",
        ),
        (
            lambda: metrics.sparse_top_k_categorical_accuracy([0], [[1.0]], 1, np.zeros(0)),
            TypeError,
            "from_sorted_ids",
        ),
        (lambda: initializers.Constant(["a"]), TypeError, "value must be an array of numbers"),
        (lambda: initializers.Constant((None,)), TypeError, "value must be an array of numbers"),
        (
            lambda: initializers.Constant([1.0, 2.0])((3, 4)),
            ValueError,
            re.escape("value of shape (2,) does not fit the shape (3, 4)"),
        ),
        (
            lambda: optimizers.SGD(lambda step: 0.1),
            TypeError,
            "a function without arguments.*make a LearningRateSchedule",
        ),
        (
            lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay),
            TypeError,
            "learning_rate must be a number",
        ),
        (lambda: layers.AugMix(value_range=(1, 1)), ValueError, "two different numbers"),
        (lambda: pyconv.utils.to_categorical(-1), ValueError, "class numbers 0 or above, got -1"),
        (lambda: pyconv.utils.to_categorical(np.inf), ValueError, "class numbers, got inf"),
        (lambda: pyconv.utils.decode_top_k([[1.0]], None), TypeError, "class_names must be a list"),
        (lambda: models.clone_model(model(), None, 3), TypeError, "clone_function must be a func"),
        (lambda: pyconv.custom_objects.get_registered_name(3), TypeError, "obj must be a class"),
        (lambda: pyconv.custom_objects.get_registered_object([]), TypeError, "name must be a str"),
        (lambda: pyconv.variable.Variable("abc"), TypeError, "initializer must be an array of"),
        (lambda: pyconv.variable.Variable(1.0, dtype=[]), TypeError, "dtype must be a type of"),
    ],
)
def test_others(call, error, message):
    with pytest.raises(error, match=message):
        call()


ONE = np.ones(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: bounding_boxes.crop(v, 0, 0, 1, 1), "boxes must"),
        (lambda v: bounding_boxes.crop(BOXES, v, 0, 1, 1), "top"),
        (lambda v: bounding_boxes.crop(BOXES, 0, 0, 1, v), "width"),
        (lambda v: bounding_boxes.pad(BOXES, 0, v), "left"),
        (lambda v: bounding_boxes.convert_format(v, "xyxy", "xywh"), "boxes must"),
        (lambda v: bounding_boxes.convert_format(BOXES, "xyxy", "rel_xyxy", v, 3), "height"),
        (lambda v: bounding_boxes.clip_to_image_size(v, 3, 3), "bounding_boxes must be a dict"),
        (lambda v: bounding_boxes.compute_iou(BOXES, v, "xyxy"), "boxes2 must"),
        (lambda v: bounding_boxes.compute_ciou(v, BOXES, "xyxy"), "boxes1 must"),
        (lambda v: bounding_boxes.compute_iou(BOXES, BOXES, "rel_xyxy", image_shape=v), "image_sh"),
        (lambda v: bounding_boxes.encode_box_to_deltas(v, BOXES, "xyxy", "xyxy"), "anchors must"),
        (
            lambda v: bounding_boxes.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", variance=v),
            "variance",
        ),
        (
            lambda v: bounding_boxes.affine_transform(
                BOXES[None], v, ONE, ONE, ONE, ONE, ONE, 8, 8
            ),
            "angle must be",
        ),
        (
            lambda v: bounding_boxes.affine_transform(
                BOXES[None], ONE, ONE, ONE, ONE, ONE, ONE, v, 8
            ),
            "height must be",
        ),
    ],
)
@pytest.mark.parametrize(
    "value", ["", "abc", {"a": 1}, np.ones(7), 1j, object(), ["a", "b"]], ids=kind_name
)
def test_boxes(call, message, value):
    with pytest.raises((TypeError, ValueError), match=message):
        call(value)


def test_numbers_stand_for_all_images():
    boxes = np.stack([BOXES, BOXES])
    both = np.ones(2)
    each = (30 * both, 0.1 * both, 0.2 * both, both, 5 * both, 3 * both)
    wanted = bounding_boxes.affine_transform(boxes, *each, 8, 8)
    np.testing.assert_array_equal(
        bounding_boxes.affine_transform(boxes, 30, 0.1, 0.2, 1, 5, 3, 8, 8), wanted
    )


def test_deltas_of_dicts_have_the_same_keys():
    with pytest.raises(ValueError, match=re.escape("the keys of anchors, ['a'], got ['b']")):
        bounding_boxes.decode_deltas_to_boxes({"a": BOXES}, {"b": BOXES}, "xyxy", "xyxy")


def test_activations_of_nothing():
    for function in (pyconv.activations.sparsemax, pyconv.activations.log_softmax):
        assert function(np.zeros((2, 0))).shape == (2, 0)


random = keras.random


@pytest.mark.parametrize(
    "value", ["", "abc", {"a": 1}, object(), [None], 1j, np.ones((2, 2))], ids=kind_name
)
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: random.normal(v), "normal: shape must hold integers"),
        (lambda v: random.normal((2,), dtype=v), "normal: (dtype|shape)"),
        (lambda v: random.normal((2,), seed=v), "keras.random: seed must be|normal"),
        (lambda v: random.normal((2,), v), "normal: (mean|shape)"),
        (lambda v: random.truncated_normal((3,), v), "truncated_normal: (mean|shape)"),
        (lambda v: random.uniform((3,), v), "uniform: (minval|shape)"),
        (lambda v: random.randint((3,), 0, v), "randint: (maxval|shape)"),
        (lambda v: random.gamma((3,), v), "gamma: (alpha|shape)"),
        (lambda v: random.beta((3,), 1, v), "beta: (beta|shape)"),
        (lambda v: random.binomial((3,), v, 0.5), "binomial: (counts|shape)"),
        (lambda v: random.categorical([[1.0]], v), "categorical: num_samples must be"),
        (lambda v: random.dropout(np.ones(3), v), "dropout: rate must be"),
        (lambda v: random.dropout(np.ones((3, 2)), 0.5, v), "dropout: noise_shape must have"),
    ],
)
def test_random_numbers(call, message, value):
    if "seed" in message and isinstance(value, np.ndarray):
        return  # a seed of several numbers
    with pytest.raises((TypeError, ValueError), match=message):
        call(value)


@pytest.mark.parametrize("call", [True, 3, "abc", None])
def test_calls_in_configurations(call):
    one, two = keras.Input((2,), name="one"), keras.Input((3,), name="two")
    made = keras.Model([one, two], keras.layers.concatenate([one, two], name="both"))
    config = made.get_config()
    config["layers"][-1]["inbound_nodes"] = [call]
    with pytest.raises(ValueError, match="a call must be a list or a dict"):
        keras.Model.from_config(config)
