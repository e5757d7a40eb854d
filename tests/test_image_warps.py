"""Shears, perspectives, distortions, blurs, mixtures, policies and tiles of images."""

import cv2
import numpy as np
import pytest
import torch
from test_augmentation import cell, warped

from pyconv import layers
from pyconv.layers._sampling import sampled
from pyconv.layers.random_perspective import homographies

X = np.random.default_rng(0).random((3, 9, 8, 3), np.float32)


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "wrap"])
def test_shear(mode):
    layer = layers.RandomShear(0.4, (0.1, 0.3), fill_mode=mode, fill_value=0.5, seed=1)
    shears = layer.get_random_transformation(X)["shear_factor"]
    assert (abs(shears) <= [0.4, 0.3]).all()
    assert (abs(shears[:, 1]) >= 0.1).all()
    y = layer.transform_images(X, {"shear_factor": shears})
    for image, (x_by_row, y_by_column), got in zip(X, shears, y, strict=True):
        matrix = np.array([1, y_by_column, 0, x_by_row, 1, 0])
        expected = warped(image.astype(np.float64), matrix, mode, 0.5, False)
        np.testing.assert_allclose(got, expected, atol=2e-6)


CORNERS = np.array([[[0, 0], [7, 0], [0, 8], [7, 8]]] * 3, np.float32)


def test_homographies_are_those_of_opencv():
    end = CORNERS + np.random.default_rng(1).normal(0, 1, CORNERS.shape).astype(np.float32)
    for one, to, found in zip(end, CORNERS, homographies(CORNERS, end), strict=True):
        np.testing.assert_allclose(found, cv2.getPerspectiveTransform(one, to), atol=1e-5)


@pytest.mark.parametrize("nearest", [False, True])
def test_perspective(nearest):
    end = CORNERS + np.random.default_rng(1).normal(0, 1, CORNERS.shape)
    kind = "nearest" if nearest else "bilinear"
    layer = layers.RandomPerspective(interpolation=kind, fill_value=0.25)
    how = {"start_points": CORNERS, "end_points": end, "apply_perspective": [True, False, True]}
    y = layer.transform_images(X, how)
    np.testing.assert_array_equal(y[1], X[1])
    for n in (0, 2):
        matrix = homographies(CORNERS, end)[n]
        for i, j in np.ndindex(9, 8):
            c, r, scale = matrix @ [j, i, 1]
            place = np.array([[r / scale, c / scale]])
            expected = read(X[n], place, nearest, "constant", 0.25)
            np.testing.assert_allclose(y[n, i, j], expected[0], atol=1e-5)


def read(image, places, nearest, mode, value):
    """Return the image's values at places, from the formula."""
    found = []
    for r, c in places:
        if nearest:
            found.append(cell(image, int(np.round(r)), int(np.round(c)), mode, value))
            continue
        r0, c0 = int(np.floor(r)), int(np.floor(c))
        found.append(
            sum(
                cell(image, r0 + a, c0 + b, mode, value)
                * abs(1 - a - (r - r0))
                * abs(1 - b - (c - c0))
                for a in (0, 1)
                for b in (0, 1)
            )
        )
    return np.array(found)


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "wrap", "mirror"])
@pytest.mark.parametrize("nearest", [False, True])
def test_images_read_at_any_places(mode, nearest):
    rng = np.random.default_rng(2)
    rows, columns = rng.uniform(-20, 25, (3, 2, 5)), rng.uniform(-20, 25, (3, 2, 5))
    y = sampled(X, rows, columns, "nearest" if nearest else "bilinear", mode, 0.25)
    for n, image in enumerate(X):
        given, like = image, mode
        if mode == "mirror":  # numpy's name of it
            given, like = np.pad(image, ((40, 40), (40, 40), (0, 0)), "reflect"), "constant"
        shift = 40 if mode == "mirror" else 0
        places = np.stack([rows[n].ravel(), columns[n].ravel()], 1) + shift
        expected = read(given, places, nearest, like, 0.25)
        np.testing.assert_allclose(y[n].reshape(-1, 3), expected, atol=1e-5)


def test_elastic_transform_reads_images_at_places_nearby():
    # Of ramps the changed image tells where each pixel is from.
    rows, columns = np.meshgrid(np.arange(32.0), np.arange(30.0), indexing="ij")
    image = np.random.default_rng(1).random((32, 30))
    x = np.stack([rows, columns, image], -1)[np.newaxis].astype(np.float32)
    layer = layers.RandomElasticTransform((1, 1), (0.5, 0.5), fill_mode="nearest", seed=4)
    y = layer(x, training=True)[0]
    moves = y[..., :2] - x[0, ..., :2]
    assert 0.05 < abs(moves).max() < 8
    assert abs(np.diff(moves, axis=0)[4:-4, 4:-4]).max() < abs(moves).max()
    inside = np.s_[4:-4, 4:-4]
    expected = cv2.remap(
        image.astype(np.float32), y[..., 1].copy(), y[..., 0].copy(), cv2.INTER_LINEAR
    )
    np.testing.assert_allclose(y[inside][..., 2], expected[inside], atol=0.05)  # in 32nds of a cell
    how = layer.get_random_transformation(x)
    masks = (x[..., 2:] > 0.5).astype(np.float32)
    assert set(np.unique(layer.transform_segmentation_masks(masks, how))) == {0, 1}
    for still in ({"factor": 0.0}, {"scale": 0.0}):
        kept = layers.RandomElasticTransform(**still)(x, training=True)
        np.testing.assert_array_equal(kept, x)


@pytest.mark.parametrize("size", [3, (5, 3), (1, 7)])
def test_gaussian_blur(size):
    layer = layers.RandomGaussianBlur(0.5, size, value_range=(0, 1))
    how = {"should_apply_blur": [True, False, True], "blur_factor": [0.4, 0.9]}
    y = layer.transform_images(X, how)
    across, down = (
        np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / sigma) ** 2)
        for n, sigma in zip(layer.kernel_size, (0.4, 0.9), strict=True)
    )
    kernel = torch.tensor(np.outer(down / down.sum(), across / across.sum()))
    x = torch.tensor(X.transpose(0, 3, 1, 2), dtype=torch.float64)
    expected = torch.nn.functional.conv2d(
        x, kernel.repeat(3, 1, 1, 1), padding=tuple(n // 2 for n in kernel.shape), groups=3
    )
    np.testing.assert_allclose(y[[0, 2]], expected.numpy().transpose(0, 2, 3, 1)[[0, 2]], atol=1e-6)
    np.testing.assert_array_equal(y[1], X[1])
    drawn = [layer.get_random_transformation(X)["should_apply_blur"].mean() for _ in range(500)]
    assert 0.2 < np.mean(drawn) < 0.3  # of a probability from 0 to 0.5


def test_jitter_is_four_layers_one_after_the_other():
    factors = {"brightness": 0.3, "contrast": 0.4, "saturation": 0.7, "hue": 0.5}
    options = {f"{name}_factor": factor for name, factor in factors.items()}
    layer = layers.RandomColorJitter((0, 1), **options, seed=2)
    how = layer.get_random_transformation(X)
    expected = X
    for name, factor in factors.items():
        one = getattr(layers, f"Random{name.capitalize()}")(factor, value_range=(0, 1))
        expected = one.transform_images(expected, how[f"random_{name}"])
    np.testing.assert_array_equal(layer.transform_images(X, how), expected)
    same = layers.RandomColorJitter((0, 1))(X, training=True)
    np.testing.assert_array_equal(same, X)


def test_mixup():
    layer = layers.MixUp(0.4)
    how = {"permutation_order": [1, 0, 2], "mix_weight": [0.25, 0.5, 0.125]}
    share = np.array(how["mix_weight"]).reshape(3, 1, 1, 1)
    expected = share * X + (1 - share) * X[[1, 0, 2]]
    np.testing.assert_allclose(layer.transform_images(X, how), expected, atol=1e-6)
    labels = layer.transform_labels(np.eye(3), how)
    np.testing.assert_allclose(labels, [[0.25, 0.75, 0], [0.5, 0.5, 0], [0, 0, 1]])
    boxes = {"boxes": np.arange(12.0).reshape(3, 1, 4), "labels": [[1], [2], [3]]}
    mixed = layer.transform_bounding_boxes(boxes, how)
    assert mixed["labels"].tolist() == [[1, 2], [2, 1], [3, 3]]
    assert mixed["boxes"][0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    drawn = layer.get_random_transformation(np.ones((20000, 1, 1, 1)))["mix_weight"]
    # Of a Beta distribution of two parameters a: mean 1/2, variance 1 / (4 * (2 * a + 1)).
    assert abs(drawn.mean() - 0.5) < 0.01
    assert abs(drawn.var() - 1 / 7.2) < 0.005


def test_cutmix_puts_rectangles_of_others_in():
    images = np.arange(200.0, dtype=np.float32).reshape(200, 1, 1, 1) * np.ones((1, 10, 12, 1))
    data = {"images": images, "labels": np.eye(200)}
    layer = layers.CutMix(seed=1)
    how = layer.get_random_transformation(images)
    other = how["permutation_order"]
    assert sorted(other) == list(range(200))
    y = layer.transform_images(images, how)[..., 0]
    labels = layer.transform_labels(data["labels"], how)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    kept = labels[np.arange(200), np.arange(200)]
    for n in range(200):
        assert set(np.unique(y[n])) <= {n, other[n]}
        if other[n] == n:
            continue
        rows, columns = np.nonzero(y[n] == other[n])
        if rows.size:  # a rectangle
            sides = np.ptp(rows) + 1, np.ptp(columns) + 1
            assert sides[0] * sides[1] == rows.size
        # The share of labels is that of the area, but for the cells that the edges cross.
        assert abs((1 - kept[n]) * 120 - rows.size) <= 23
    areas = 1 - how["mix_weight"]
    assert 0.4 < areas.mean() < 0.6  # of Beta distributions


LAYERS_OF_POLICIES = {
    "random_shear": layers.RandomShear(),
    "random_translation": layers.RandomTranslation(0, 0),
    "random_rotation": layers.RandomRotation(0),
    "random_brightness": layers.RandomBrightness(0, value_range=(0, 1)),
    "random_color_degeneration": layers.RandomColorDegeneration(0, value_range=(0, 1)),
    "random_contrast": layers.RandomContrast(0, value_range=(0, 1)),
    "random_sharpness": layers.RandomSharpness(0, value_range=(0, 1)),
    "random_posterization": layers.RandomPosterization(4, value_range=(0, 1)),
    "solarization": layers.Solarization(value_range=(0, 1)),
    "auto_contrast": layers.AutoContrast(value_range=(0, 1)),
    "equalization": layers.Equalization(value_range=(0, 1)),
}


def test_rand_augment_does_what_it_chose():
    layer = layers.RandAugment((0, 1), num_ops=2, factor=0.4, seed=1)
    seen = set()
    for _ in range(80):
        how = layer.get_random_transformation(X)
        expected = X
        for index in how["layer_idxes"]:
            name = list(LAYERS_OF_POLICIES)[index]
            seen.add(name)
            one = LAYERS_OF_POLICIES[name]
            expected = one.transform_images(expected, how["transforms"][name])
        np.testing.assert_array_equal(layer.transform_images(X, how), expected)
    assert seen == set(LAYERS_OF_POLICIES)
    np.testing.assert_array_equal(layers.RandAugment(num_ops=0)(X, training=True), X)


@pytest.mark.parametrize("all_ops", [True, False])
def test_augmix_mixes_its_chains(all_ops):
    layer = layers.AugMix((0, 1), num_chains=2, chain_depth=4, all_ops=all_ops, seed=1)
    seen = set()
    for _ in range(40):
        how = layer.get_random_transformation(X)
        weights, kept = how["chain_mixing_weights"], how["weight_sample"]
        np.testing.assert_allclose(weights.sum(), 1)
        mixed = np.zeros(X.shape)
        for weight, chain in zip(weights, how["chain_transforms"], strict=True):
            one = X
            for link in chain:
                seen.add(link["layer_name"])
                step = LAYERS_OF_POLICIES[link["layer_name"]]
                one = step.transform_images(one, link["transformation"])
            mixed += weight * one
        expected = np.clip(kept * X + (1 - kept) * mixed, 0, 1)
        np.testing.assert_allclose(layer.transform_images(X, how), expected, atol=1e-5)
    assert len(seen) == (11 if all_ops else 7)


def test_tiles_of_contrast_are_those_of_keras():
    # Keras 3.15 (jax); the limit is 60 * 9 / 256 of the 9 pixels of a tile.
    x = (np.arange(36) * 7 % 30 * 8).reshape(1, 6, 6, 1).astype(np.float32)
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(
        clip_limit=60, tile_grid_size=(2, 2)
    )
    expected = [
        [0.0, 63.75, 146.9792, 180.625, 231.3889, 56.6667],
        [127.5, 191.25, 245.5556, 30.1042, 86.7708, 141.6667],
        [223.125, 26.5625, 89.1319, 136.3542, 194.103, 255.0],
        [47.8125, 127.5, 196.2674, 233.75, 28.9236, 99.1667],
        [185.9375, 249.6875, 26.5625, 87.9514, 140.6829, 198.3333],
        [0.0, 95.625, 151.7014, 196.5625, 255.0, 56.6667],
    ]
    np.testing.assert_allclose(layer(x)[0, :, :, 0], expected, atol=1e-3)
    # One tile without a limit is an equalization.
    whole = layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
    tones = np.random.default_rng(3).integers(0, 256, (2, 16, 16, 3)).astype(np.float32)
    counts = [
        np.bincount(t.ravel().astype(int), minlength=256).cumsum()
        for t in np.moveaxis(tones, 3, 1).reshape(6, -1)
    ]
    for t, upto, got in zip(
        np.moveaxis(tones, 3, 1).reshape(6, -1),
        counts,
        np.moveaxis(whole(tones), 3, 1).reshape(6, -1),
        strict=True,
    ):
        expected = (upto[t.astype(int)] - upto.min()) * 255 / (256 - upto.min())
        np.testing.assert_allclose(got, expected, atol=1e-3)
