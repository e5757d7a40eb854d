"""Images whose files and labels are in a table: what Keras's ``flow_from_dataframe`` gives."""

import os

import numpy as np
import pytest
from PIL import Image

import pyconv
from pyconv.preprocessing.image import ImageDataGenerator, img_to_array

NAMES = [f"{'below/' if i % 3 == 0 else ''}{i}.png" for i in range(7)]
KINDS = ["dog", "cat", "owl", "dog", "cat", "owl", "dog"]
TABLE = {
    "filename": [*NAMES, "gone.png"],
    "class": [*KINDS, "cat"],
    "several": [["cat", "dog"], ["owl"], "dog", ["cat"], ["dog"], ["owl", "cat"], "cat", "emu"],
    "age": np.arange(8) * 0.5,
    "size": np.arange(8) * 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("images")
    os.mkdir(path / "below")
    rng = np.random.default_rng(0)
    for name in NAMES:
        pixels = rng.integers(0, 255, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / name)
    return path


def flow(folder, generator=None, **given):
    made = ImageDataGenerator() if generator is None else generator
    options = {"target_size": (4, 5), "batch_size": 3, "shuffle": False, **given}
    with pytest.warns(UserWarning, match="1 of 8 files in x_col='filename' are left out"):
        return made.flow_from_dataframe(TABLE, folder, **options)


def test_images_and_classes(folder, capsys):
    batches = flow(folder)
    assert "Found 7 validated image filenames belonging to 3 classes." in capsys.readouterr().out
    assert batches.class_indices == {"cat": 0, "dog": 1, "owl": 2}
    assert batches.filenames == NAMES
    x, y = (np.concatenate(parts) for parts in zip(*(batches[i] for i in range(3)), strict=True))
    np.testing.assert_array_equal(x[4], img_to_array(Image.open(folder / NAMES[4])))
    np.testing.assert_array_equal(y.argmax(axis=1), [1, 0, 2, 1, 0, 2, 1])
    np.testing.assert_array_equal(y.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"class_mode": "sparse"}, [1, 0, 2]),
        ({"y_col": "several"}, [[1, 1, 0], [0, 0, 1], [0, 1, 0]]),
        ({"class_mode": "raw", "y_col": "age"}, [0, 0.5, 1]),
        ({"class_mode": "raw", "y_col": ["age", "size"]}, [[0, 0], [0.5, 2], [1, 4]]),
        ({"classes": ["owl", "dog"]}, [[0, 1], [1, 0], [0, 1]]),
        ({"classes": ["owl", "dog"], "class_mode": "binary"}, [1, 0, 1]),
        ({"y_col": "several", "classes": ["owl", "cat"]}, [[0, 1], [1, 0], [0, 1]]),
    ],
)
def test_targets(folder, given, wanted):
    np.testing.assert_array_equal(flow(folder, **given)[0][1], wanted)


def test_other_targets(folder):
    ages, sizes = flow(folder, class_mode="multi_output", y_col=["age", "size"])[1][1]
    np.testing.assert_array_equal(ages, [1.5, 2, 2.5])
    np.testing.assert_array_equal(sizes, [6, 8, 10])
    x, y = flow(folder, class_mode="input")[0]
    np.testing.assert_array_equal(x, y)
    assert flow(folder, class_mode=None)[2].shape == (1, 4, 5, 3)
    assert [part.tolist() for part in flow(folder, class_mode="sparse", weight_col="age")[1]][
        1:
    ] == [[1, 0, 2], [1.5, 2, 2.5]]


def test_parts_follow_what_is_left_out(folder):
    generator = ImageDataGenerator(validation_split=0.3)
    assert flow(folder, generator, subset="validation").filenames == NAMES[:2]
    assert flow(folder, generator, subset="training").filenames == NAMES[2:]
    batches = flow(folder, generator, subset="training", classes=["owl", "dog"])
    assert batches.filenames == [NAMES[i] for i in (2, 3, 5, 6)]


def test_paths_need_no_folder(folder):
    table = {"path": [str(folder / name) for name in NAMES], "class": KINDS}
    batches = ImageDataGenerator().flow_from_dataframe(table, x_col="path", batch_size=7, seed=1)
    assert batches.filepaths == table["path"]
    model = pyconv.Sequential(
        [pyconv.layers.GlobalAvgPool2D(input_shape=(256, 256, 3)), pyconv.layers.Dense(3)]
    )
    model.compile("sgd", "mse")
    assert len(model.fit(batches, epochs=2, verbose=0).history["loss"]) == 2


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"x_col": "file"}, KeyError, "there is no column 'file'; there are .'filename', 'class'"),
        ({"y_col": "age"}, TypeError, "y_col='age' must hold texts.*got .*0.0.*astype"),
        ({"class_mode": "binary"}, ValueError, "class_mode='binary' needs 2 classes, got 3"),
        ({"class_mode": "many"}, ValueError, "class_mode must be one of .*got 'many'"),
        ({"class_mode": "multi_output"}, TypeError, "y_col must be a list of columns"),
        ({"x_col": "age"}, TypeError, "x_col='age' must hold texts"),
        ({"columns": 1}, TypeError, "there is no argument 'columns'"),
    ],
)
@pytest.mark.filterwarnings("ignore:flow_from_dataframe")
def test_errors(folder, given, error, text):
    with pytest.raises(error, match=f"flow_from_dataframe: {text}"):
        ImageDataGenerator().flow_from_dataframe(TABLE, folder, **given)
