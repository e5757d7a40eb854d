"""Layers that change images at random, against the same changes written with numpy."""

import colorsys
import copy

import numpy as np
import pytest

import pyconv
from pyconv import backend, layers
from pyconv.layers._augmentation import leading

X = np.random.default_rng(0).random((6, 9, 7, 3), np.float32)


def outside(i, n, mode):
    """Return the cell that stands for cell i of n, None for the constant."""
    if 0 <= i < n:
        return i
    table = {
        "constant": None,
        "nearest": min(max(i, 0), n - 1),
        "reflect": [*range(n), *reversed(range(n))][i % (2 * n)],
        "wrap": i % n,
    }
    return table[mode]


def cell(image, i, j, mode, value):
    r, c = outside(i, image.shape[0], mode), outside(j, image.shape[1], mode)
    return np.full(image.shape[2], value) if r is None or c is None else image[r, c]


def warped(image, matrix, mode, value, nearest):
    """Return the image by the formula, in float64."""
    h, w, _ = image.shape
    y = np.empty(image.shape)
    for i, j in np.ndindex(h, w):
        r, c = matrix.reshape(2, 3) @ [i, j, 1]
        if nearest:
            y[i, j] = cell(image, int(np.round(r)), int(np.round(c)), mode, value)
            continue
        r0, c0 = int(np.floor(r)), int(np.floor(c))
        y[i, j] = sum(
            cell(image, r0 + a, c0 + b, mode, value) * abs(1 - a - (r - r0)) * abs(1 - b - (c - c0))
            for a in (0, 1)
            for b in (0, 1)
        )
    return y


def warp(x, matrices, *options):
    return backend.cpu.augment(x, [("affine", matrices, *options)])


@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("nearest", [False, True])
def test_affine_transform(isa, mode, nearest):
    rng = np.random.default_rng(1)
    matrices = np.array([[1, 0, 0, 0, 1, 0]] * 6) + rng.normal(0, 0.3, (6, 6))
    matrices[:, [2, 5]] *= 20
    # Movements alone take another path: small ones, none at all, and out of the image.
    for n, (down, right) in enumerate([(0.25, -1.5), (-3, 2), (0, 0), (40.5, -11.75)]):
        matrices[n] = [1, 0, down, 0, 1, right]
    y = warp(X, matrices, "nearest" if nearest else "bilinear", mode, -1.0)
    for image, matrix, got in zip(X, matrices, y, strict=True):
        expected = warped(image.astype(np.float64), matrix, mode, -1.0, nearest)
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 3), (7, 33), (32, 32), (13, 41)])
@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect", "wrap"])
def test_colours_that_turn_and_zoom(isa, size, mode):
    h, w = size
    x = np.random.default_rng(3).random((24, h, w, 3), np.float32)
    matrices = np.empty((24, 6))
    middle = np.array([h - 1, w - 1]) / 2
    for n, matrix in enumerate(matrices):  # some read just within what surrounds an image
        turn, zoom = n * np.pi / 12, (1, 1.25, 1.5, 2)[n % 4]
        axes = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        matrix[:] = np.column_stack([axes, middle - axes @ middle]).ravel()
    y = warp(x, matrices, "bilinear", mode, 0.5)
    for image, matrix, got in zip(x, matrices, y, strict=True):
        np.testing.assert_allclose(got, warped(image, matrix, mode, 0.5, False), atol=1e-5)


def test_affine_transform_is_that_of_keras():
    # keras.ops.image.affine_transform (3.15, jax) of arange(16) by [1, 0, -1.3, 0, 1, 0.6, 0, 0].
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    moved = np.array([[1, 0, 0.6, 0, 1, -1.3]])
    rows = {
        "reflect": [2.7, 2.4, 3.1, 4.1],
        "wrap": [5.1, 3.3, 3.1, 4.1],
        "constant": [-1, 1.38, 3.1, 4.1],
        "nearest": [2.4, 2.4, 3.1, 4.1],
    }
    for mode, row in rows.items():
        y = warp(x, moved, "bilinear", mode, -1.0)
        np.testing.assert_allclose(y[0, 0, :, 0], row, atol=1e-6)


@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_crop_flip(mode, channels):
    rng = np.random.default_rng(2)
    x = rng.random((40, 5, 6, channels), np.float32)
    cuts = np.concatenate([rng.integers(-9, 9, (40, 2)), rng.integers(0, 2, (40, 2))], axis=1)
    y = backend.cpu.augment(x, [("crop_flip", cuts, (4, 7), mode, 0.5)])
    for image, (top, left, up, back), got in zip(x, cuts, y, strict=True):
        expected = np.array(
            [[cell(image, top + i, left + j, mode, 0.5) for j in range(7)] for i in range(4)]
        )
        expected = expected[::-1] if up else expected
        np.testing.assert_array_equal(got, expected[:, ::-1] if back else expected)


def crop(cuts, size=(4, 4), mode="constant"):
    return "crop_flip", cuts, size, mode, 0.0


CUTS = np.zeros((6, 4), np.int64)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (crop(CUTS[:, :3]), r"cuts must have shape"),
        (crop(CUTS * 1.0), "cuts must be an array of int64"),
        (crop(CUTS + 2**40), "cuts must be from"),
        (crop(CUTS, (0, 4)), "size must be at least 1"),
        (crop(CUTS, mode="edge"), "fill_mode must"),
        (("affine", np.full((6, 6), np.nan), "nearest", "wrap", 0.0), "matrices must be from"),
        (("affine", np.zeros((6, 6)), "cubic", "wrap", 0.0), "interpolation must be"),
        (("erase", CUTS + 20, np.zeros((6, 3), np.float32)), "boxes must lie inside"),
        (("erase", CUTS, np.zeros((6, 1), np.float32)), "values"),
        (("scale", np.zeros((6, 1), np.float32), 0.0, 1.0), "factors must have shape"),
        (("contrast", np.zeros((6, 1), np.float32), 0.0), "'contrast' has 4 items, got 3"),
        (("contrast", np.zeros((6, 1), np.float32), "a", 1.0), "wrong types"),
        (("grey", np.full((6, 1), np.nan, np.float32), 0.0, 1.0), "factors must be from"),
        (("hue", np.zeros((6, 1), np.float32)), "'hue' has 4 items, got 2"),
        (("blur", 3), "a stage must be 'crop_flip'"),
        ((), "stages must be tuples"),
    ],
)
def test_wrong_stages(stage, message):
    with pytest.raises((ValueError, TypeError), match=message):
        backend.cpu.augment(X, [stage])


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_stages_one_after_the_other(isa, kind):
    rng = np.random.default_rng(5)
    data = (255 * rng.random((9, 9, 7, 3))).astype(kind)
    rows = np.array([8, 0, 3, 3, 7, 1])
    matrices = np.array([[1, 0, 0, 0, 1, 0]] * 6) + rng.normal(0, 0.2, (6, 6))
    boxes = np.array([[0, 3, 1, 4]] * 6)
    values = rng.random((6, 3), np.float32)
    numbers = rng.random((6, 2), np.float32)
    first = [crop(CUTS + 1, (8, 8)), ("scale", numbers, 0.0, 200.0)]
    for stages in [
        [],
        [("erase", boxes, values), ("contrast", numbers[:, :1], 0.0, 255.0)],
        [*first, ("affine", matrices, "bilinear", "constant", 3.0), ("erase", boxes, values)],
        [("affine", matrices, "nearest", "wrap", 0.0), *first, crop(CUTS, (3, 3))],
    ]:
        expected = data[rows].astype(np.float32)
        for stage in stages:
            expected = backend.cpu.augment(expected, [stage])
        np.testing.assert_array_equal(backend.cpu.augment(data, stages, rows), expected)


def test_scale_and_contrast():
    rng = np.random.default_rng(6)
    numbers = rng.normal(1, 1, (6, 2)).astype(np.float32)
    y = backend.cpu.augment(X, [("scale", numbers, -0.5, 1.5)])
    factor, added = numbers.T[:, :, None, None, None].astype(np.float64)
    np.testing.assert_allclose(y, np.clip(X * factor + added, -0.5, 1.5), atol=1e-6)
    y = backend.cpu.augment(X, [("contrast", numbers[:, :1].copy(), 0.0, 1.0)])
    mean = X.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    np.testing.assert_allclose(y, np.clip((X - mean) * factor + mean, 0, 1), atol=1e-6)
    hole = X.copy()
    hole[0, 0, 0, 0] = np.nan
    assert np.isnan(backend.cpu.augment(hole, [("scale", numbers, 0.0, 1.0)])).sum() == 1


def colours(shape):
    """Return pixels with all orders of the channels, ties of two and of three, and black."""
    rng = np.random.default_rng(8)
    x = rng.random((*shape, 3), np.float32)
    x[rng.random(shape) < 0.3] *= 0
    ties = rng.random(shape) < 0.3
    x[ties, rng.integers(0, 3)] = x[ties, rng.integers(0, 3)]
    return x


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (5, 29)])
def test_colours(isa, size):
    x = colours((6, *size))
    numbers = np.array([[0], [0.25], [0.5], [1], [-0.4], [1.75]], np.float32)
    grey = (x.astype(np.float64) @ [0.2989, 0.587, 0.114])[..., np.newaxis]
    factor = numbers[..., np.newaxis, np.newaxis].astype(np.float64)
    y = backend.cpu.augment(x, [("grey", numbers, 0.0, 1.0)])
    np.testing.assert_allclose(y, np.clip(x + factor * (grey - x), 0, 1), atol=1e-6)
    assert np.ptp(y[3], axis=-1).max() == 0  # all three the same bits
    more = np.array([[0], [0.25], [1], [1.5], [4], [1e7]], np.float32)
    y = backend.cpu.augment(x, [("saturation", more, -np.inf, np.inf)])
    turned = backend.cpu.augment(x * 4 - 1, [("hue", numbers, -1.0, 3.0)])
    for n, at in np.ndindex(6, size[0] * size[1]):
        h, s, v = colorsys.rgb_to_hsv(*x[n].reshape(-1, 3)[at].astype(float))
        expected = colorsys.hsv_to_rgb(h, min(s * more[n, 0], 1), v)
        np.testing.assert_allclose(y[n].reshape(-1, 3)[at], expected, atol=1e-6)
        expected = colorsys.hsv_to_rgb((h + numbers[n, 0]) % 1, s, v)
        got = (turned[n].reshape(-1, 3)[at] + 1) / 4
        np.testing.assert_allclose(got, expected, atol=3e-6)


LAYERS = [
    lambda: layers.RandomFlip(seed=3),
    lambda: layers.RandomCrop(4, 5, seed=3),
    lambda: layers.RandomCrop(9, 7, seed=3, per_image=True, padding=2),
    lambda: layers.RandomTranslation(0.4, (-0.2, 0.5), seed=3),
    lambda: layers.RandomRotation(0.3, "nearest", seed=3),
    lambda: layers.RandomZoom(0.5, 0.2, "constant", seed=3, fill_value=2.0),
    lambda: layers.RandomErasing(1.0, value_range=(0, 1), seed=3),
    lambda: layers.Cutout((4, 3), seed=3),
    lambda: layers.RandomBrightness(0.4, (0, 1), seed=3),
    lambda: layers.RandomContrast((0.2, 0.7), (0, 1), seed=3),
    lambda: layers.RandomGrayscale(0.6, seed=3),
    lambda: layers.RandomColorDegeneration(0.8, (0, 1), seed=3),
    lambda: layers.RandomSaturation(0.8, (0, 1), seed=3),
    lambda: layers.RandomHue(0.8, (0, 1), seed=3),
]


@pytest.mark.parametrize("make", LAYERS)
def test_layers(make, threads):
    layer = make()
    shape = layer.compute_output_shape((None, *X.shape[1:]))
    first, second = layer(X, training=True), layer(X, training=True)
    assert first.shape == (len(X), *shape[1:])
    assert not np.array_equal(first, second)
    # The same bits for any number of threads, and from where a state was taken.
    threads(3)
    again = make()
    np.testing.assert_array_equal(again(X, training=True), first)
    resumed = type(layer).from_config(layer.get_config() | {"seed": 9})
    resumed.set_state(again.get_state())
    np.testing.assert_array_equal(resumed(X, training=True), second)
    np.testing.assert_array_equal(copy.deepcopy(make())(X, training=True), first)
    # One image alone, and none at all.
    assert layer(X[0], training=True).shape == shape[1:]
    assert layer.compute_output_shape(X[0].shape) == shape[1:]
    assert layer(X[:0], training=True).shape == (0, *shape[1:])
    if shape[1:] == X.shape[1:]:
        np.testing.assert_array_equal(layer(X), X)
        assert layer.backward(first, need_dx=True) is first
    layer(X, training=True)
    with pytest.raises(ValueError, match="no gradient; put it before"):
        layer.backward(first, need_dx=True)


def test_random_flip_flips_half_of_the_images():
    x = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1).repeat(4000, 0)
    y = layers.RandomFlip(seed=0)(x, training=True).reshape(-1, 4)
    kinds, counts = np.unique(y, axis=0, return_counts=True)
    assert kinds.tolist() == [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    assert (abs(counts - 1000) < 4 * np.sqrt(4000 * 0.25 * 0.75)).all()


def windows(y, x, height, width):
    """Return the places of x from which the images y are cut."""
    corners = list(np.ndindex(x.shape[1] - height + 1, x.shape[2] - width + 1))
    found = []
    for image, cut in zip(x, y, strict=True):
        found += [c for c in corners if np.array_equal(image[c[0] :, c[1] :][:height, :width], cut)]
    assert len(found) == len(y)
    return found


def test_random_crop_has_one_place_a_batch_and_per_image_one_each():
    x = np.random.default_rng(3).random((60, 6, 6, 1), np.float32)
    layer = layers.RandomCrop(4, 5, seed=1)
    seen = [windows(layer(x, training=True), x, 4, 5) for _ in range(40)]
    assert all(len(set(places)) == 1 for places in seen)
    assert {places[0] for places in seen} == set(np.ndindex(3, 2))
    each = layers.RandomCrop(4, 5, seed=1, per_image=True)(x, training=True)
    assert set(windows(each, x, 4, 5)) == set(np.ndindex(3, 2))


def test_random_crop_of_padded_images():
    x = np.ones((200, 4, 4, 1), np.float32)
    y = layers.RandomCrop(4, 4, seed=1, per_image=True, padding=1)(x, training=True)
    padded = np.pad(x[:1], ((0, 0), (1, 1), (1, 1), (0, 0)))[0]
    cuts = {padded[i : i + 4, j : j + 4].tobytes() for i, j in np.ndindex(3, 3)}
    assert {image.tobytes() for image in y} == cuts


def test_random_crop_outside_of_training():
    x = np.arange(48, dtype=np.float32).reshape(1, 6, 8, 1)
    # The largest window in the middle, 6x6, resized to 3x3: the means of 2x2 cells.
    means = x[0, :, 1:7, 0].reshape(3, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(layers.RandomCrop(3, 3)(x)[0, :, :, 0], means)
    np.testing.assert_array_equal(layers.RandomCrop(6, 8)(x), x)
    middle = layers.RandomCrop(4, 4, per_image=True)(x)
    np.testing.assert_array_equal(middle, x[:, 1:5, 2:6])
    # Images that are smaller than the window are resized, in training too.
    assert layers.RandomCrop(12, 4)(x, training=True).shape == (1, 12, 4, 1)


def test_cutout_and_random_erasing_change_a_rectangle():
    x = np.ones((300, 10, 12, 2), np.float32)
    for layer, least, most in [
        (layers.Cutout(4, fill_value=-1, seed=1), 4, 16),
        (layers.RandomErasing((1, 1), (0.1, 0.2), -1, (-1, 1), seed=1), 6, 35),
    ]:
        erased = layer(x, training=True) == -1
        for image in erased[:50, :, :, 0]:
            rows, columns = image.any(1).nonzero()[0], image.any(0).nonzero()[0]
            box = np.ix_(range(rows[0], rows[-1] + 1), range(columns[0], columns[-1] + 1))
            assert image[box].all()
            assert least <= image.sum() <= most
        assert erased[:, 0, 0].any()
        assert erased[:, -1, -1].any()
    half = layers.RandomErasing((0.5, 0.5), fill_value=0, seed=1)(x, training=True)
    assert 110 < (half == 0).any(axis=(1, 2, 3)).sum() < 190


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomFlip("diagonal"), "mode must be one of"),
        (lambda: layers.RandomCrop(0, 4), "height must be a positive"),
        (lambda: layers.RandomTranslation(1.5, 0), "height_factor must be from -1 to 1"),
        (lambda: layers.RandomTranslation((0, 0.1, 0.2), 0), "must be a number or two"),
        (lambda: layers.RandomRotation(0.1, fill_mode="edge"), "fill_mode must be one of"),
        (lambda: layers.RandomZoom(-1.0), "height_factor must be"),
        (lambda: layers.RandomZoom(0.1, interpolation="cubic"), "interpolation must be"),
        (lambda: layers.RandomErasing(2.0), "factor must be from 0 to 1"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "value_range must be two numbers"),
        (lambda: layers.RandomFlip(seed=-1), "seed must be from 0"),
        (lambda: layers.RandomFlip(data_format="middle"), "data_format must be None"),
        (lambda: layers.RandomFlip()(np.ones((2, 5))), "input must be"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_training_with_augmentation(tmp_path):
    pyconv.utils.set_random_seed(0)

    def net():
        return pyconv.Sequential(
            [
                pyconv.Input(X.shape[1:]),
                layers.RandomCrop(9, 7, per_image=True, padding=2, seed=1),
                layers.RandomFlip("horizontal", seed=2),
                layers.Conv2D(2, 3),
                layers.Flatten(),
                layers.Dense(1),
            ]
        )

    model = net()
    model.compile("sgd", "mse")
    y = np.arange(6.0)
    model.fit(X, y, epochs=2, verbose=0, batch_size=4)
    model.save(tmp_path / "model.safetensors")
    loaded = pyconv.models.load_model(tmp_path / "model.safetensors")
    pyconv.utils.set_random_seed(1)
    model.fit(X, y, verbose=0)
    pyconv.utils.set_random_seed(1)
    loaded.fit(X, y, verbose=0)
    for got, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int16])
def test_fit_takes_images_through_the_first_layers_as_the_model_does(kind):
    x = (255 * np.random.default_rng(1).random((10, 9, 7, 3))).astype(kind)
    y = np.arange(10.0)

    def net():
        pyconv.utils.set_random_seed(3)
        stack = [pyconv.Input(x.shape[1:]), *(make() for make in LAYERS)]
        # The second window is larger than the images, and resizes them.
        stack += [layers.RandomCrop(12, 8, seed=1), layers.RandomFlip(seed=1)]
        model = pyconv.Sequential([*stack, layers.Flatten(), layers.Dense(1)])
        model.compile(pyconv.optimizers.SGD(1e-8), "mse")
        return model

    whole, steps = net(), net()
    whole.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for _ in range(2):
        for at in range(0, 10, 4):
            steps.train_on_batch(x[at : at + 4], y[at : at + 4])
    for got, expected in zip(whole.get_weights(), steps.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)
    states = [[la.get_state() for la in m.layers if hasattr(la, "seed")] for m in (whole, steps)]
    assert states[0] == states[1]


@pytest.mark.parametrize("make", LAYERS)
def test_changes_drawn_ahead_are_those_of_the_place_in_the_stream(make):
    """Batches of any sizes, in any order of calls, are as from a layer that begins there."""
    layer = make()
    for count in (3, 3, len(X), 1, 3):
        fresh = make()
        fresh.set_state(layer.get_state())
        np.testing.assert_array_equal(
            layer(X[:count], training=True), fresh(X[:count], training=True)
        )
        assert layer.get_state() == fresh.get_state()


def test_an_argument_set_between_batches_holds_from_the_next_one_on():
    layer = layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0, seed=1)
    x = np.ones((4, 8, 8, 1), np.float32)
    assert (layer(x, training=True) == 0).sum() == 4 * 16
    layer.factor = (0.0, 0.0)
    np.testing.assert_array_equal(layer(x, training=True), x)


def test_channels_first_is_the_same_change_of_turned_images():
    x = np.random.default_rng(0).random((4, 6, 8, 3), np.float32)
    turned = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    for make in (
        lambda **k: layers.RandomCrop(4, 5, seed=1, **k),
        lambda **k: layers.RandomFlip(seed=1, **k),
    ):
        expected = make()(x, training=True).transpose(0, 3, 1, 2)
        first = make(data_format="channels_first")
        assert np.array_equal(first(turned, training=True), expected)
        assert leading([first], turned.shape) == []
