"""Images in folders, split data sets and padded sequences of keras.utils."""

import os

import numpy as np
import pytest

import pyconv.compat.keras as keras
import pyconv.compat.tensorflow as tf
from pyconv import compat
from pyconv.compat.keras.utils import image_dataset_from_directory, pad_sequences, split_dataset

pytest.importorskip("PIL")


@pytest.fixture(autouse=True)
def keras3():
    compat.select("keras3")
    yield
    compat.select("keras2")


@pytest.fixture
def folder(tmp_path):
    """Ten images of one colour, 20 x 30, in three classes and a folder below one."""
    for i in range(10):
        name = os.path.join(f"class_{i % 3}", "below" if i == 9 else "")
        os.makedirs(tmp_path / name, exist_ok=True)
        keras.utils.save_img(tmp_path / name / f"{i}.png", np.full((20, 30, 3), i), scale=False)
    return tmp_path


def colours(data):
    return [int(x[0, 0, 0]) for batch in data for x in batch[0]]


def test_batches_of_a_folder(folder, capsys):
    data = image_dataset_from_directory(folder, batch_size=4, image_size=(8, 6), shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 3 classes.\n"
    assert isinstance(data, tf.data.Dataset)
    assert data.class_names == ["class_0", "class_1", "class_2"]
    assert len(data) == 3
    assert [os.path.basename(path)[0] for path in data.file_paths] == list("0369147258")
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(4, 8, 6, 3), (4, 8, 6, 3), (2, 8, 6, 3)]
    assert batches[0][0].dtype == np.float32
    assert batches[0][1].dtype == np.int32
    assert colours(data) == [0, 3, 6, 9, 1, 4, 7, 2, 5, 8]
    assert np.concatenate([y for _, y in data]).tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_an_image_is_resized_as_the_layer_does(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (12, 9, 3)).astype(np.float32)
    keras.utils.save_img(tmp_path / "a.png", image, scale=False)
    resizing = keras.layers.Resizing(5, 5, crop_to_aspect_ratio=True)
    options = {"labels": None, "image_size": (5, 5), "verbose": False}
    (x,) = image_dataset_from_directory(tmp_path, crop_to_aspect_ratio=True, **options)
    np.testing.assert_allclose(x[0], resizing(image), 1e-5)
    (x,) = image_dataset_from_directory(tmp_path, data_format="channels_first", **options)
    assert x.shape == (1, 3, 5, 5)


def test_labels_of_each_kind(folder):
    options = {"shuffle": False, "image_size": (2, 2), "verbose": False}
    _, y = next(iter(image_dataset_from_directory(folder, label_mode="categorical", **options)))
    assert y[[0, 4, 9]].tolist() == np.eye(3).tolist()
    data = image_dataset_from_directory(folder, labels=[1, 0] * 5, label_mode="binary", **options)
    assert data.class_names == ["0", "1"]
    assert next(iter(data))[1][:2].tolist() == [[1.0], [0.0]]
    data = image_dataset_from_directory(folder, label_mode=None, **options)
    assert data.class_names is None
    assert next(iter(data)).shape == (10, 2, 2, 3)
    one = next(iter(image_dataset_from_directory(folder, batch_size=None, **options)))
    assert one[0].shape == (2, 2, 3)
    assert one[1].shape == ()


def test_a_new_order_at_each_pass_and_the_same_in_each_run(folder):
    options = {"image_size": (2, 2), "seed": 7, "verbose": False}
    first, second = (image_dataset_from_directory(folder, **options) for _ in range(2))
    orders = [colours(first), colours(first)]
    assert orders[0] != orders[1]
    assert [colours(second), colours(second)] == orders
    assert sorted(orders[0]) == list(range(10))


def test_a_split_has_each_image_once(folder, capsys):
    options = {"image_size": (2, 2), "seed": 3, "validation_split": 0.3}
    train, val = image_dataset_from_directory(folder, subset="both", **options)
    assert "Using 7 files for training.\nUsing 3 files for validation." in capsys.readouterr().out
    assert sorted(colours(train) + colours(val)) == list(range(10))
    alone = image_dataset_from_directory(folder, subset="validation", **options)
    assert sorted(alone.file_paths) == sorted(val.file_paths)


def test_a_network_trains_on_it(folder):
    data = image_dataset_from_directory(folder, image_size=(4, 4), batch_size=4, verbose=False)
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(data.cache().prefetch(tf.data.AUTOTUNE), epochs=2, verbose=0)
    assert len(history.history["accuracy"]) == 2
    assert model.predict(data, verbose=0).shape == (10, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": "other"}, "`labels` argument should be"),
        ({"labels": [0]}, "Expected the lengths of `labels` to match the number of files"),
        ({"labels": [0], "class_names": ["a"]}, "only pass `class_names` if"),
        ({"label_mode": "other"}, "`label_mode` argument must be"),
        ({"label_mode": "binary"}, "there must be exactly 2"),
        ({"color_mode": "other"}, "`color_mode` must be one of"),
        ({"class_names": ["a"]}, "`class_names` passed did not match"),
        ({"validation_split": 2}, "`validation_split` must be between 0 and 1"),
        ({"subset": "training"}, "`validation_split` must be set"),
        ({"validation_split": 0.5, "subset": "other"}, "`subset` must be either"),
        ({"validation_split": 0.5, "subset": "both"}, "you must provide a `seed`"),
        ({"format": "other"}, "`format` should be either"),
        ({"image_size": "8"}, "image_size"),
        ({"interpolation": "area"}, "interpolation must be"),
    ],
)
def test_wrong_arguments_of_a_folder(folder, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        image_dataset_from_directory(folder, **arguments)


def test_no_images(tmp_path):
    with pytest.raises(ValueError, match="No images found in directory"):
        image_dataset_from_directory(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        image_dataset_from_directory(tmp_path / "none")


# --- splits and sequences -----------------------------------------------------------------------

ROWS = np.arange(20).reshape(10, 2)


@pytest.mark.parametrize(
    "dataset",
    [[ROWS, ROWS], tf.data.Dataset.from_tensor_slices((ROWS, ROWS)), zip(ROWS, ROWS, strict=False)],
)
def test_a_data_set_is_split(dataset):
    left, right = split_dataset(dataset, left_size=0.6)
    assert (len(left), len(right)) == (6, 4)
    assert [int(x[0]) for x, _ in left] == [0, 2, 4, 6, 8, 10]
    assert [int(y[1]) for _, y in right] == [13, 15, 17, 19]


def test_the_sizes_of_a_split():
    assert [len(part) for part in split_dataset(ROWS, right_size=3)] == [7, 3]
    assert [len(part) for part in split_dataset(ROWS, 2, 0.5)] == [2, 5]
    left, right = split_dataset(ROWS, 5, shuffle=True, seed=1)
    again, _ = split_dataset(ROWS, 5, shuffle=True, seed=1)
    assert [x.tolist() for x in left] == [x.tolist() for x in again]
    assert sorted(int(x[0]) for part in (left, right) for x in part) == list(range(0, 20, 2))


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({}, ValueError, "At least one of"),
        ({"left_size": "a"}, TypeError, "Invalid `left_size`"),
        ({"left_size": 1.5}, ValueError, "`left_size` should be a float"),
        ({"right_size": 10}, ValueError, "`right_size` should be an integer"),
        ({"left_size": 0.6, "right_size": 0.6}, ValueError, "greater than 1"),
        ({"left_size": 6, "right_size": 6}, ValueError, "should be smaller"),
        ({"left_size": 0.01}, ValueError, "is empty"),
    ],
)
def test_wrong_sizes(sizes, error, message):
    with pytest.raises(error, match=message):
        split_dataset(ROWS, **sizes)


def test_what_cannot_be_split():
    with pytest.raises(TypeError, match="The `dataset` argument must be"):
        split_dataset({"a": ROWS}, 2)


def test_sequences_are_padded_and_cut():
    rows = [[1], [2, 3], [4, 5, 6], []]
    assert pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6], [0, 0, 0]]
    post = pad_sequences(rows, 2, "float32", "post", "post", -1.0)
    assert post.tolist() == [[1, -1], [2, 3], [4, 5], [-1, -1]]
    assert post.dtype == np.float32
    vectors = pad_sequences([np.ones((1, 2)), np.ones((2, 2))])
    assert vectors.tolist() == [[[0, 0], [1, 1]], [[1, 1], [1, 1]]]
    words = pad_sequences([["a"], ["b", "c"]], dtype=object, value="-", padding="post")
    assert words.tolist() == [["a", "-"], ["b", "c"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((x for x in ([1],)),), "must be iterable"),
        (([1, 2],), "Found non-iterable"),
        (([[1]], None, "int32", "middle"), "padding must be"),
        (([[1]], None, "int32", "pre", "middle"), "truncating must be"),
        (([[[1]], [[1, 2]]],), "must have one shape"),
        (([["a"]], None, "int32", "pre", "pre", "-"), "is not compatible"),
    ],
)
def test_wrong_sequences(arguments, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(*arguments)


SERIES = np.arange(100.0).reshape(50, 2)


def windows(*args, **arguments):
    return list(keras.utils.timeseries_dataset_from_array(*args, **arguments))


@pytest.mark.parametrize("batch_size", [4, 128])
@pytest.mark.parametrize(
    ("length", "stride", "rate", "start", "end"),
    [(9, 1, 1, None, None), (5, 3, 2, None, None), (4, 2, 3, 7, 44), (1, 1, 1, 0, 50)],
)
def test_windows_of_a_series(length, stride, rate, start, end, batch_size):
    arguments = {"start_index": start, "end_index": end, "batch_size": batch_size}
    found = windows(SERIES, None, length, stride, rate, **arguments)
    first, last = start or 0, end or 50
    begins = range(first, last - (length - 1) * rate, stride)
    expected = np.stack([SERIES[at : at + length * rate : rate] for at in begins])
    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert [len(x) for x in found[:-1]] == [batch_size] * (len(begins) // batch_size)
    targets = SERIES[:, 0] * 2
    data = keras.preprocessing.timeseries_dataset_from_array(
        SERIES, targets, length, stride, rate, **arguments
    )
    assert len(data) == len(found)
    for (x, y), wanted in zip(data, found, strict=True):
        np.testing.assert_array_equal(x, wanted)
        np.testing.assert_array_equal(y, x[:, 0, 0] * 2)


def test_windows_end_with_the_targets():
    (batch,) = windows(SERIES[:, 0], SERIES[3:10, 0], 3)
    np.testing.assert_array_equal(batch[1], SERIES[3:10, 0])
    assert batch[0].shape == (7, 3)


def test_order_of_windows():
    def made():
        return keras.utils.timeseries_dataset_from_array(
            SERIES[:, 0], SERIES[:, 1], 5, batch_size=None, shuffle=True, seed=3
        )

    def passes(data):
        return [[(x.tolist(), float(y)) for x, y in data] for _ in range(2)]

    first, second = passes(made())
    assert first != second
    assert sorted(first) == sorted(second)
    assert all(y == x[0] + 1 for x, y in first)
    assert passes(made()) == [first, second]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_index": -1}, "`start_index` must be 0 or higher .* got -1"),
        ({"start_index": 50}, "`start_index` must be .* 50, got 50"),
        ({"end_index": -1}, "`end_index` must be higher than `start_index`, 0"),
        ({"start_index": 9, "end_index": 9}, "`end_index` must be higher than `start_index`, 9"),
        ({"sampling_rate": 0}, "`sampling_rate` must be higher than 0"),
        ({"sequence_stride": 50}, "`sequence_stride` must be .* lower than .* 50, got 50"),
        ({"format": "jax"}, "`format` should be"),
        ({"batch_size": 0}, "batch_size must be a positive"),
    ],
)
def test_wrong_windows(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras.utils.timeseries_dataset_from_array(SERIES, None, 3, **arguments)
