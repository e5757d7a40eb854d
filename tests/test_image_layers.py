"""What all layers of images have in common: dicts, boxes, masks, either order of channels."""

import json
import pickle

import numpy as np
import pytest

import pyconv
import pyconv.compat.keras as keras
from pyconv import layers

X = np.random.default_rng(0).random((4, 9, 8, 3), np.float32)
BOXES = {
    "boxes": np.array([[[1.0, 2, 5, 8], [3, 3, 7, 9]]] * 4, np.float32),
    "labels": np.array([[3, 4]] * 4),
}
MAKE = {
    "AugMix": {"value_range": (0, 1), "factor": 0.5},
    "AutoContrast": {"value_range": (0, 1)},
    "CenterCrop": {"height": 5, "width": 4},
    "ContrastLimitedAdaptiveHistogramEqualization": {
        "value_range": (0, 1),
        "tile_grid_size": (2, 2),
    },
    "CutMix": {},
    "Cutout": {"size": 3},
    "Equalization": {"value_range": (0, 1)},
    "MaxNumBoundingBoxes": {"max_number": 3},
    "MixUp": {"alpha": 1.0},
    "RandAugment": {"value_range": (0, 1)},
    "RandomBrightness": {"factor": 0.5, "value_range": (0, 1)},
    "RandomColorDegeneration": {"factor": 0.5, "value_range": (0, 1)},
    "RandomColorJitter": {
        "value_range": (0, 1),
        "brightness_factor": 0.3,
        "contrast_factor": 0.4,
        "saturation_factor": 0.7,
        "hue_factor": (0.1, 0.3),
    },
    "RandomContrast": {"factor": 0.5, "value_range": (0, 1)},
    "RandomCrop": {"height": 5, "width": 4, "per_image": True},
    "RandomElasticTransform": {"value_range": (0, 1)},
    "RandomErasing": {"factor": (1, 1), "value_range": (0, 1)},
    "RandomFlip": {},
    "RandomGaussianBlur": {"factor": (1, 1), "kernel_size": (3, 5), "value_range": (0, 1)},
    "RandomGrayscale": {"factor": 0.5},
    "RandomHue": {"factor": 0.5, "value_range": (0, 1)},
    "RandomInvert": {"factor": 1.0, "value_range": (0, 1)},
    "RandomPerspective": {"factor": (1, 1), "scale": 0.5},
    "RandomPosterization": {"factor": (2, 5), "value_range": (0, 1)},
    "RandomRotation": {"factor": 0.3},
    "RandomSaturation": {"factor": 0.8},
    "RandomSharpness": {"factor": 0.9, "value_range": (0, 1)},
    "RandomShear": {"x_factor": 0.4, "y_factor": (0.1, 0.3)},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": (0.1, 0.2)},
    "RandomZoom": {"height_factor": 0.4},
    "Resizing": {"height": 5, "width": 6},
    "Solarization": {"threshold_factor": 0.6, "value_range": (0, 1)},
}
DRAW_NOTHING = (
    "AutoContrast",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "MaxNumBoundingBoxes",
    "Resizing",
)


def made(name, /, **more):
    seed = {} if name in DRAW_NOTHING else {"seed": 3}
    return getattr(layers, name)(**MAKE[name], **seed, **more)


def turned(x):
    return np.moveaxis(x, -1, -3)


@pytest.mark.parametrize("name", MAKE)
def test_what_is_drawn_is_what_is_done(name):
    layer, other = made(name), made(name)
    changed = layer(X, training=True)
    how = other.get_random_transformation(X)
    np.testing.assert_array_equal(other.transform_images(X, how), changed)
    assert how["input_shape"] == X.shape
    if name not in DRAW_NOTHING:
        assert not np.array_equal(layer(X, training=True), changed)
        assert other.get_random_transformation(X, training=False) is None
        first, again = (other.get_random_transformation(X, seed=8) for _ in range(2))
        np.testing.assert_array_equal(
            other.transform_images(X, first), other.transform_images(X, again)
        )
    # The next batch is that of a layer that drew nothing by hand.
    np.testing.assert_array_equal(other(X, training=True), made_after(name, 1)(X, training=True))


def made_after(name, batches):
    layer = made(name)
    for _ in range(batches):
        layer(X, training=True)
    return layer


@pytest.mark.parametrize("name", MAKE)
def test_channels_first_is_the_same_change_of_turned_images(name):
    for training in (True, False):
        last, first = made(name), made(name, data_format="channels_first")
        y = last(X, training=training)
        np.testing.assert_array_equal(turned(y), first(turned(X), training=training))
        assert first.compute_output_shape((None, 3, 9, 8)) == (None, *turned(y).shape[1:])
        assert first.compute_output_shape((3, 9, 8)) == turned(y).shape[1:]
        # One image has what the first image of a batch has, where they are not mixed.
        one = made(name, data_format="channels_first")(turned(X)[0], training=training)
        assert one.shape == turned(y).shape[1:]
        how = first.get_random_transformation(turned(X))
        np.testing.assert_array_equal(
            first.transform_images(turned(X), how), turned(last.transform_images(X, how_last(how)))
        )


def how_last(how):
    """Return a change with what is there for each pixel turned."""
    if "batch_masks" in how:
        return {**how, "batch_masks": np.moveaxis(how["batch_masks"], 1, 3)}
    return how


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_configurations_and_pickles(name, data_format):
    layer = made(name, data_format=data_format, bounding_box_format="xywh", name="own")
    x = X if data_format == "channels_last" else turned(X)
    config = layer.get_config()
    assert config["data_format"] == data_format
    assert config["bounding_box_format"] == "xywh"
    again = type(layer).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    copied = pickle.loads(pickle.dumps(layer))
    assert type(copied) is type(layer)
    expected = layer(x, training=True)
    np.testing.assert_array_equal(copied(x, training=True), expected)
    np.testing.assert_array_equal(again(x, training=True), expected)
    # Half-way in its stream too.
    copied = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(copied(x, training=True), layer(x, training=True))


def test_other_layers_of_channels_first_are_pickled():
    layer = layers.Conv2D(2, 3, data_format="channels_first")
    x = turned(X)
    y = layer(x)
    copied = pickle.loads(pickle.dumps(layer))
    assert type(copied) is type(layer)
    assert copied.data_format == "channels_first"
    np.testing.assert_array_equal(copied(x), y)
    model = pyconv.Sequential(
        [pyconv.Input((3, 9, 8)), layer, layers.Flatten(data_format="channels_first")]
    )
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict(x, verbose=0), model.predict(x, verbose=0)
    )
    own = keras.layers.MaxPooling2D(data_format="channels_first")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(own))(x), own(x))


@pytest.mark.parametrize("name", [name for name in MAKE if name != "CutMix"])
@pytest.mark.parametrize("training", [True, False])
def test_dicts(name, training):
    layer = made(name, bounding_box_format="xyxy")
    labels = np.eye(4, dtype=np.float32)
    masks = (X[..., :1] > 0.5).astype(np.float32)
    data = {"images": X, "labels": labels, "bounding_boxes": BOXES, "segmentation_masks": masks}
    result = layer({**data, "else": "kept"}, training=training)
    np.testing.assert_array_equal(result["images"], made(name)(X, training=training))
    assert result["else"] == "kept"
    size = result["images"].shape[:3]
    assert result["segmentation_masks"].shape == (*size, 1)
    if name not in ("AugMix", "MixUp"):
        assert set(np.unique(result["segmentation_masks"])) <= {0, 1}
    count = {"MaxNumBoundingBoxes": 3, "MixUp": 4 if training else 2}.get(name, 2)
    assert result["bounding_boxes"]["boxes"].shape == (4, count, 4)
    assert result["bounding_boxes"]["labels"].shape == (4, count)
    if name != "MixUp":
        np.testing.assert_array_equal(result["labels"], labels)
    if not training and name not in DRAW_NOTHING and name != "RandomCrop":
        np.testing.assert_array_equal(result["images"], X)
        np.testing.assert_array_equal(result["bounding_boxes"]["boxes"], BOXES["boxes"])
    one = {
        "images": X[0],
        "labels": labels[0],
        "bounding_boxes": {"boxes": BOXES["boxes"][0], "labels": BOXES["labels"][0]},
        "segmentation_masks": masks[0],
    }
    single = layer(one, training=training)
    assert single["images"].shape == result["images"].shape[1:]
    assert single["labels"].shape == (4,)
    assert single["bounding_boxes"]["boxes"].shape == (count, 4)
    assert single["segmentation_masks"].shape == result["segmentation_masks"].shape[1:]


@pytest.mark.parametrize(
    ("name", "how", "expected"),
    # By Keras 3.15 (jax), of images (12, 10).
    [
        (
            "RandomShear",
            {"shear_factor": [[0.3, -0.2]]},
            [[0, 1.76, 4.5, 9.08], [0.25, 3.06, 8.25, 12]],
        ),
        (
            "RandomZoom",
            {"height_zoom": [[0.8]], "width_zoom": [[1.25]]},
            [[1.7, 1.125, 4.9, 8.625], [3.3, 2.375, 8.1, 12]],
        ),
        (
            "RandomTranslation",
            {"translations": [[2.5, -1]]},
            [[3.5, 1, 7.5, 7], [5.5, 2, 10, 10]],
        ),
        (
            "RandomRotation",
            {"angle": [40]},
            [[0, 2.49745, 6.48999, 9.66487], [1.74396, 0.692345, 10, 10.677425]],
        ),
        (
            "RandomPerspective",
            {
                "apply_perspective": [True],
                "start_points": [[[0, 0], [9, 0], [0, 11], [9, 11]]],
                "end_points": [[[0, 0], [8, 1], [1, 10], [9.5, 10.5]]],
            },
            [[1.11518, 1.82193, 5.47436, 7.50016], [3.070644, 2.891856, 9.5, 10.5]],
        ),
        ("RandomFlip", {"flips": [[True]]}, [[5, 4, 9, 10], [1, 1, 7, 9]]),
    ],
)
def test_boxes_move_with_images_as_those_of_keras(name, how, expected):
    boxes = {"boxes": np.array([[[1.0, 2, 5, 8], [3, 3, 9, 11]]]), "labels": np.ones((1, 2))}
    layer = getattr(layers, name)(**MAKE[name], bounding_box_format="xyxy")
    moved = layer.transform_bounding_boxes(boxes, {**how, "input_shape": (1, 12, 10, 3)})
    np.testing.assert_allclose(moved["boxes"][0], expected, atol=2e-5)
    # In another format, and by a change that has no format of its own.
    other = getattr(layers, name)(**MAKE[name], bounding_box_format="rel_yxyx")
    given = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", "rel_yxyx", 12, 10)
    relative = other.transform_bounding_boxes(given, {**how, "input_shape": (1, 12, 10, 3)})
    back = keras.utils.bounding_boxes.convert_format(relative, "rel_yxyx", "xyxy", 12, 10)
    np.testing.assert_allclose(back["boxes"][0], expected, atol=2e-5)


@pytest.mark.parametrize("name", ["RandomCrop", "CenterCrop", "Resizing", "RandomFlip"])
def test_boxes_are_where_their_things_are(name):
    # A bright rectangle of whole cells, whose box is around it before and after.
    x = np.zeros((8, 12, 12, 1), np.float32)
    x[:, 4:8, 5:7] = 1
    boxes = {"boxes": np.array([[[5, 4, 7, 8]]] * 8), "labels": np.ones((8, 1))}
    sizes = {"RandomCrop": (9, 10), "CenterCrop": (6, 8), "Resizing": (24, 36)}
    options = {}
    if name in sizes:
        options = dict(zip(("height", "width"), sizes[name], strict=True))
    if name == "Resizing":
        options["interpolation"] = "nearest"
    if name == "RandomCrop":
        options["per_image"] = True
    layer = getattr(layers, name)(**options, bounding_box_format="xyxy")
    result = layer({"images": x, "bounding_boxes": boxes}, training=True)
    for image, box in zip(result["images"], result["bounding_boxes"]["boxes"], strict=True):
        rows, columns, _ = np.nonzero(image)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box[0], seen)


def test_lists_of_boxes_of_several_lengths_are_filled_up():
    layer = layers.MaxNumBoundingBoxes(3)
    boxes = {"boxes": [[[1, 2, 3, 4], [5, 6, 7, 8]], [[1, 1, 2, 2]]], "labels": [[1, 2], [3]]}
    made_boxes = layer({"images": X[:2], "bounding_boxes": boxes})["bounding_boxes"]
    assert made_boxes["labels"].tolist() == [[1, 2, -1], [3, -1, -1]]
    assert made_boxes["boxes"][1].tolist() == [[1, 1, 2, 2], [0, 0, 0, 0], [-1, -1, -1, -1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.RandomFlip()({"image": X}), "a dict must have 'images', got"),
        (
            lambda: layers.RandomFlip()({"images": X, "bounding_boxes": BOXES}),
            "pass `bounding_box_format`, for example",
        ),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")(
                {"images": X, "bounding_boxes": BOXES["boxes"]}
            ),
            "dict with keys 'boxes' and 'labels'",
        ),
        (lambda: layers.RandomFlip(bounding_box_format="xxyy"), "bounding_box_format must be one"),
        (
            lambda: layers.CutMix(bounding_box_format="xyxy")(
                {"images": X, "bounding_boxes": BOXES}
            ),
            "there is no rule for bounding boxes",
        ),
        (
            lambda: layers.MixUp()({"images": X, "labels": np.arange(4)}, training=True),
            "labels must be one-hot",
        ),
        (lambda: layers.RandomShear(1.5), "x_factor must be from 0 to 1"),
        (lambda: layers.RandomShear((0.1, 0.2, 0.3)), "x_factor must be a number or two"),
        (lambda: layers.RandomPerspective(scale=2), "scale must be from 0 to 1"),
        (lambda: layers.RandomPerspective(interpolation="cubic"), "interpolation must be"),
        (lambda: layers.RandomElasticTransform(fill_mode="edge"), "fill_mode must be one of"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "kernel_size must be an odd number"),
        (lambda: layers.MixUp(alpha=0), "alpha must be"),
        (lambda: layers.RandAugment(num_ops=-1), "num_ops must be"),
        (lambda: layers.AugMix(chain_depth=0), "chain_depth must be"),
        (lambda: layers.MaxNumBoundingBoxes(0), "max_number must be"),
        (lambda: layers.Pipeline([3]), "layers must hold layers only"),
        (lambda: layers.Pipeline.from_config({"name": "a"}), "must have a list of `layers`"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        call()


def test_images_without_channels_are_taken_as_one_image_with_a_warning():
    with pytest.warns(UserWarning, match=r"is taken as one image \(H, W, C\), as Keras"):
        shape = layers.RandomFlip().compute_output_shape((None, 28, 28))
    assert shape == (None, 28, 28)


def test_keras_layers_change_dicts_too_if_they_are_not_told_about_training():
    layer = keras.layers.RandomInvert((1, 1), value_range=(0, 1))
    result = layer({"images": X, "labels": np.eye(4)})
    np.testing.assert_allclose(result["images"].numpy(), 1 - X)
    pipeline = keras.layers.Pipeline([layer, keras.layers.RandomInvert((1, 1), value_range=(0, 1))])
    np.testing.assert_allclose(pipeline(X), X, atol=1e-6)


def test_a_pipeline_is_its_layers_one_after_the_other():
    def parts():
        return [layers.RandomFlip(seed=1), layers.CenterCrop(5, 5), layers.Rescaling(2.0)]

    pipeline = layers.Pipeline(parts())
    expected = X
    for layer in parts():
        expected = layer(expected, training=True)
    np.testing.assert_array_equal(pipeline(X, training=True), expected)
    assert pipeline.compute_output_shape((None, 9, 8, 3)) == (None, 5, 5, 3)
    assert pipeline(X[0]).shape == (5, 5, 3)
    revived = layers.deserialize(json.loads(json.dumps(layers.serialize(pipeline))))
    np.testing.assert_array_equal(revived(X), pipeline(X))
    data = {"images": X, "labels": np.eye(4)}
    images = layers.Pipeline(parts()[:2])(data, training=True)["images"]
    np.testing.assert_array_equal(images * 2, expected)
    model = pyconv.Sequential(
        [pyconv.Input((9, 8, 3)), layers.Pipeline(parts()), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(X, np.ones(4), verbose=0)
    assert model.predict(X, verbose=0).shape == (4, 1)


def test_one_image_is_a_batch_for_what_was_drawn_for_a_batch():
    # Keras 3.15's results: MixUp, RandomErasing, and boxes of RandomShear and RandomZoom.
    layers, image = keras.layers, np.random.default_rng(0).random((4, 5, 3), np.float32)
    mixed = layers.MixUp().transform_images(image, {"mix_weight": 1, "permutation_order": [0]})
    np.testing.assert_array_equal(mixed, image[np.newaxis])
    boxes = {"boxes": np.array([[2.0, 1, 4, 3], [6, 4, 8, 6]]), "labels": np.array([1, 2])}
    how = {"shear_factor": np.array([[0.1, 0.0]]), "input_shape": (10, 8, 3)}
    shear = layers.RandomShear(bounding_box_format="xyxy")
    alone = shear.transform_bounding_boxes(boxes, how)["boxes"]
    batch = {name: value[np.newaxis] for name, value in boxes.items()}
    np.testing.assert_array_equal(alone, shear.transform_bounding_boxes(batch, how)["boxes"])
    assert alone.shape == (1, 2, 4)
