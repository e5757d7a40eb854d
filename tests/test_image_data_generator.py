"""ImageDataGenerator, images from folders, and data sets of batches."""

import numpy as np
import pytest
from test_augmentation import warped

import pyconv
from pyconv.preprocessing.image import (
    ImageDataGenerator,
    array_to_img,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
)

X = np.random.default_rng(0).random((10, 6, 8, 3), np.float32)
Y = np.arange(10)


class Drawn:
    """Stands for a random generator: what it draws is known."""

    def __init__(self, *values):
        self.values = list(values)

    def uniform(self, low, high, size):
        share = self.values.pop(0)
        return low + (high - low) * np.broadcast_to(np.array(share, float), size)

    def random(self, size):
        return np.broadcast_to(np.array(self.values.pop(0), float), size)


def matrix(turn=0.0, down=0.0, right=0.0, shear=0.0, zoom=(1.0, 1.0), size=(6, 8)):
    """Return Keras 2's matrix: rotation, movement, shear and zoom around the middle."""
    turn, shear = np.deg2rad(turn), np.deg2rad(shear)
    rotation = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    move = [[1, 0, down], [0, 1, right], [0, 0, 1]]
    sheared = [[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]]
    middle = [[1, 0, size[0] / 2 - 0.5], [0, 1, size[1] / 2 - 0.5], [0, 0, 1]]
    product = np.array(middle) @ rotation @ move @ sheared @ np.diag([*zoom, 1])
    return (product @ np.linalg.inv(middle))[:2].reshape(6)


def test_warps_are_those_of_keras_2():
    generator = ImageDataGenerator(
        rotation_range=30,
        height_shift_range=0.5,
        width_shift_range=0.25,
        shear_range=20,
        zoom_range=(0.5, 1.5),
        fill_mode="reflect",
    )
    # As shares of the ranges: turn and shear, down, right, zoom of rows and of columns.
    y = generator.changed(X, Drawn([[0.75], [0.25]], 0.6, 0.9, [[0.8], [0.1]]))
    expected = matrix(15, 0.1 * 6, 0.2 * 8, -10, (1.3, 0.6))
    for image, got in zip(X, y, strict=True):
        np.testing.assert_allclose(
            got, warped(image.astype(float), expected, "reflect", 0, False), atol=2e-6
        )


def test_flips_shifts_of_channels_and_brightness():
    flip = ImageDataGenerator(horizontal_flip=True, vertical_flip=True)
    np.testing.assert_array_equal(flip.changed(X, Drawn([0.7, 0.2])), X[:, :, ::-1])
    np.testing.assert_array_equal(flip.changed(X, Drawn([0.2, 0.7])), X[:, ::-1])
    lifted = ImageDataGenerator(channel_shift_range=0.5).changed(X, Drawn(0.75))
    most = X.max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(lifted, np.minimum(X + 0.25, most), atol=1e-7)
    bright = ImageDataGenerator(brightness_range=(0.5, 1.5)).changed(X, Drawn(0.75))
    np.testing.assert_allclose(bright, X * 1.25, rtol=1e-6)


@pytest.mark.parametrize("shift", [3, [1, 2], 2.0])
def test_shifts_in_columns(shift):
    generator = ImageDataGenerator(width_shift_range=shift, fill_mode="wrap")
    rolls = [np.roll(X[0], by, axis=1) for by in range(-2, 3)]
    seen = [generator.random_transform(X[0], seed=seed) for seed in range(20)]
    whole = [any(np.array_equal(image, roll) for roll in rolls) for image in seen]
    assert all(whole) if shift != 2.0 else not any(whole)
    assert len({image.tobytes() for image in seen}) > 2


def test_standardization():
    x = X * 50
    generator = ImageDataGenerator(
        featurewise_center=True, featurewise_std_normalization=True, rescale=0.5
    )
    with pytest.warns(UserWarning, match=r"need fit\(x\) first"):
        generator.standardize(x)
    generator.fit(x)
    expected = (x * 0.5 - x.mean(axis=(0, 1, 2))) / (x.std(axis=(0, 1, 2)) + 1e-6)
    np.testing.assert_allclose(generator.standardize(x), expected, rtol=1e-4, atol=1e-5)
    one = ImageDataGenerator(samplewise_std_normalization=True).standardize(x[0])
    np.testing.assert_allclose(one, (x[0] - x[0].mean()) / x[0].std(), rtol=1e-4, atol=1e-5)
    plus = ImageDataGenerator(preprocessing_function=lambda image: image + 1, rescale=2.0)
    np.testing.assert_allclose(plus.standardize(x), (x + 1) * 2)


def test_zca_whitening_makes_pixels_uncorrelated():
    mixed = np.random.default_rng(1).normal(size=(2000, 6)) @ np.triu(np.ones((6, 6)))
    x = mixed.reshape(2000, 2, 3, 1)
    generator = ImageDataGenerator(zca_whitening=True)
    generator.fit(x)
    flat = generator.standardize(x).reshape(2000, 6)
    np.testing.assert_allclose(flat.T @ flat / 2000, np.eye(6), atol=2e-3)


def test_flow_gives_each_image_once_a_pass_and_goes_on():
    flow = ImageDataGenerator().flow(X, Y, batch_size=4, seed=1)
    assert (len(flow), flow.n, flow.batch_size) == (3, 10, 4)
    passes = [[next(flow) for _ in range(3)] for _ in range(2)]
    orders = []
    for batches in passes:
        labels = np.concatenate([y for _, y in batches])
        assert sorted(labels) == list(Y)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X[labels])
        orders.append(labels.tolist())
    assert orders[0] != orders[1]
    again = ImageDataGenerator().flow(X, Y, batch_size=4, seed=1)
    assert next(again)[1].tolist() == orders[0][:4]
    assert flow[-1][0].shape == (2, 6, 8, 3)
    with pytest.raises(IndexError, match="there are 3 batches"):
        flow[3]


def test_flow_with_weights_without_labels_and_of_a_part():
    generator = ImageDataGenerator(validation_split=0.3)
    _, y, weight = generator.flow(X, Y, shuffle=False, sample_weight=Y / 2)[0]
    np.testing.assert_array_equal(weight, y / 2)
    assert generator.flow(X)[0].shape == X.shape
    parts = [
        generator.flow(X, Y, shuffle=False, subset=subset)[0][1].tolist()
        for subset in ("validation", "training")
    ]
    assert parts == [[0, 1, 2], [3, 4, 5, 6, 7, 8, 9]]


@pytest.mark.parametrize("arguments", [{}, {"steps_per_epoch": 2}])
def test_fit_takes_a_flow(arguments):
    model = pyconv.Sequential(
        [pyconv.Input(X.shape[1:]), pyconv.layers.Flatten(), pyconv.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    generator = ImageDataGenerator(width_shift_range=0.1, horizontal_flip=True)
    flow = generator.flow(X, Y, batch_size=4)
    model.fit(flow, epochs=3, verbose=0, validation_data=generator.flow(X, Y), **arguments)
    assert model.optimizer.iterations == 3 * arguments.get("steps_per_epoch", 3)
    assert isinstance(model.evaluate(flow, verbose=0), float)


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("cat", "dog", "eel")):
        (tmp_path / name).mkdir()
        for i in range(4):
            pixels = np.full((6, 5, 3), 20 * number + i)
            array_to_img(pixels, scale=False).save(tmp_path / name / f"{i}.png")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    return tmp_path


def test_flow_from_directory(folder, capsys):
    generator = ImageDataGenerator(rescale=0.5, validation_split=0.25)
    flow = generator.flow_from_directory(folder, target_size=(3, 4), batch_size=6, seed=1)
    assert capsys.readouterr().out == "Found 12 images belonging to 3 classes.\n"
    assert flow.class_indices == {"cat": 0, "dog": 1, "eel": 2}
    x, y = next(flow)
    assert x.shape == (6, 3, 4, 3)
    assert y.shape == (6, 3)
    assert (x[:, 0, 0, 0] // 10 == y.argmax(1)).all()
    names = {
        subset: generator.flow_from_directory(folder, subset=subset).filenames
        for subset in ("validation", "training")
    }
    assert [name[-5:] for name in names["validation"]] == ["0.png"] * 3
    assert len(names["training"]) == 9
    two = generator.flow_from_directory(
        folder, classes=["eel", "cat"], class_mode="binary", color_mode="grayscale", shuffle=False
    )
    x, y = two[0]
    assert x.shape == (8, 256, 256, 1)
    assert y.tolist() == [0] * 4 + [1] * 4


def test_image_dataset_from_directory(folder):
    parts = [
        image_dataset_from_directory(
            folder, image_size=(6, 5), validation_split=0.25, subset=subset, shuffle=False
        )
        for subset in ("training", "validation")
    ]
    assert parts[0].class_names == ["cat", "dog", "eel"]
    assert [part.n for part in parts] == [9, 3]
    x, y = parts[1][0]
    assert (x[:, 0, 0, 0].tolist(), y.tolist()) == ([3, 23, 43], [0, 1, 2])


def test_images_and_arrays(tmp_path):
    array = np.random.default_rng(1).integers(0, 256, (5, 4, 3)).astype(np.float32)
    array_to_img(array, scale=False).save(tmp_path / "a.png")
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png")), array)
    assert img_to_array(load_img(tmp_path / "a.png", grayscale=True)).shape == (5, 4, 1)
    scaled = img_to_array(array_to_img(array / 1000 - 5))
    assert (scaled.min(), scaled.max()) == (0, 255)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ImageDataGenerator(fill_mode="edge"), "fill_mode must be one of"),
        (lambda: ImageDataGenerator(zoom_range=2.0), "zoom_range must be from 0 to 1"),
        (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), "zoom_range must be"),
        (lambda: ImageDataGenerator(rotation_range=-5), "rotation_range must be"),
        (lambda: ImageDataGenerator(data_format="channels_first"), "data_format must be"),
        (lambda: ImageDataGenerator(preprocessing_function=3), "must be callable"),
        (lambda: ImageDataGenerator().flow(X[0]), r"x must be \(N, H, W, C\).*newaxis"),
        (lambda: ImageDataGenerator().flow(X, Y[:3]), "same number of samples"),
        (lambda: ImageDataGenerator().flow(X, subset="test"), "subset must be"),
        (lambda: ImageDataGenerator().flow(X, save_to_dir="nowhere"), "save_to_dir says"),
        (lambda: ImageDataGenerator().flow(X, batch_size=0), "batch_size must be a positive"),
        (lambda: ImageDataGenerator().flow_from_directory("/nowhere"), "there is no folder"),
        (lambda: image_dataset_from_directory(".", label_mode="one-hot"), "label_mode must be"),
        (lambda: image_dataset_from_directory(".", subset="training"), "given together"),
        (lambda: load_img("x.png", color_mode="cmyk"), "color_mode must be one of"),
        (lambda: array_to_img(np.zeros((2, 2, 5))), "1, 3 or 4 channels"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        call()


def test_py_dataset_is_told_of_epochs():
    told = []

    class Batches(pyconv.utils.Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[index : index + 1], Y[index : index + 1]

        def on_epoch_end(self):
            told.append("end")

    model = pyconv.Sequential(
        [pyconv.Input(X.shape[1:]), pyconv.layers.Flatten(), pyconv.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(Batches(), epochs=2, verbose=0)
    assert (told, model.optimizer.iterations) == (["end"] * 2, 4)
    assert len(list(Batches())) == 2


@pytest.mark.parametrize(
    ("channels", "name", "file_format", "mode"),
    [
        (1, "a.png", None, "L"),
        (4, "a.png", None, "RGBA"),
        (4, "a.jpg", None, "RGB"),
        (4, "a.image", "jpg", "RGB"),
    ],
)
def test_saved_images(tmp_path, channels, name, file_format, mode):
    from PIL import Image

    array = np.random.default_rng(0).integers(0, 256, (6, 5, channels)).astype(np.float32)
    save_img(tmp_path / name, array, file_format=file_format, scale=False)
    image = Image.open(tmp_path / name)
    assert (image.mode, image.size) == (mode, (5, 6))
    if image.format == "PNG":
        np.testing.assert_array_equal(img_to_array(image), array)
    with pytest.raises(ValueError, match="must have 1, 3 or 4 channels"):
        save_img(tmp_path / name, np.zeros((4, 4, 2)))


def test_warps_flip_as_flips_behind_them_do():
    ranges = {"rotation_range": 40, "width_shift_range": 0.2, "zoom_range": 0.3}
    both = ImageDataGenerator(**ranges, horizontal_flip=True, vertical_flip=True)
    drawn = [[0.9], [0.5]], 0.3, 0.8, [[0.2], [0.7]]
    warped_only = ImageDataGenerator(**ranges).changed(X, Drawn(*drawn))
    for up in (0.2, 0.7):
        for back in (0.2, 0.7):
            y = both.changed(X, Drawn(*drawn, [up, back]))
            expected = warped_only[:, :: -1 if up < 0.5 else 1, :: -1 if back < 0.5 else 1]
            np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"rotation_range": 15, "width_shift_range": 0.1, "horizontal_flip": True},
        {"height_shift_range": 0.2, "vertical_flip": True, "rescale": 1 / 255},
        {"brightness_range": (0.5, 1.5), "zoom_range": 0.2},
        {"rescale": 0.5},
        {},
        {"channel_shift_range": 0.25, "samplewise_center": True},
        {"preprocessing_function": lambda x: x * 2},
    ],
)
def test_fit_trains_on_what_the_flow_gives(options):
    weights = np.random.default_rng(2).random((6 * 8 * 3, 1), np.float32)
    sample_weight = np.linspace(0.5, 2, 10)

    def trained(train):
        model = pyconv.Sequential(
            [pyconv.Input(X.shape[1:]), pyconv.layers.Flatten(), pyconv.layers.Dense(1)]
        )
        model.compile(pyconv.optimizers.SGD(1e-3), "mse")
        model.set_weights([weights, np.zeros(1)])
        flow = ImageDataGenerator(**options).flow(X, Y, 4, sample_weight=sample_weight, seed=3)
        train(model, flow)
        return model.get_weights()[0]

    def by_hand(model, flow):
        for _ in range(2):
            for number in range(len(flow)):
                model.train_on_batch(*flow[number])
            flow.on_epoch_end()

    fitted = trained(lambda model, flow: model.fit(flow, epochs=2, shuffle=False, verbose=0))
    np.testing.assert_allclose(fitted, trained(by_hand), rtol=1e-6, atol=1e-7)


def test_an_argument_of_the_generator_set_between_batches_holds_from_the_next_one_on():
    generator = ImageDataGenerator()
    flow = generator.flow(X, Y, batch_size=5, shuffle=False, seed=1)
    np.testing.assert_array_equal(flow[0][0], X[:5])
    generator.brightness_range = (0.5, 0.5)
    np.testing.assert_array_equal(flow[1][0], X[5:] * 0.5)


def test_fit_says_what_is_wrong_with_a_flow():
    model = pyconv.Sequential(
        [pyconv.Input(X.shape[1:]), pyconv.layers.Flatten(), pyconv.layers.Dense(3)]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="fit: y"):
        model.fit(ImageDataGenerator().flow(X, Y, batch_size=5), verbose=0)
