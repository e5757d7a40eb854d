"""Filters that keep edges, against OpenCV and against their formulas in float64."""

import cv2
import numpy as np
import pytest
from test_filters import BORDERS, cases, check

import pyconv
from pyconv import filters


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("ksize", [1, 3, 5, 7, 9, 15, 31])
def test_median_of_bytes(ksize):
    for x, _, rng in cases(20 + ksize, 12):
        if x.dtype == np.uint8:
            few = rng.integers(0, 3, x.shape).astype(np.uint8)  # many are equal
            for image in (x, few):
                check(filters.median_blur(image, ksize), cv2.medianBlur(image, ksize))


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("ksize", [3, 5, 7])
def test_median_of_floats(ksize):
    for x, _, rng in cases(40 + ksize, 8):
        if x.dtype == np.float32:
            x = x + rng.standard_normal(x.shape).astype(np.float32)
            got = filters.median_blur(x, ksize)
            widths = [(ksize // 2, ksize // 2)] * 2 + [(0, 0)] * (x.ndim - 2)
            padded = np.pad(x, widths, "edge")
            windows = np.lib.stride_tricks.sliding_window_view(padded, (ksize, ksize), (0, 1))
            assert np.array_equal(got, np.median(windows, (-2, -1)))
            if ksize <= 5:
                check(got, cv2.medianBlur(x, ksize))


def exact_bilateral(x, radius, sigma_color, sigma_space, mode):
    """Return the formula's result for (H, W, C) in float64."""
    h, w = x.shape[:2]
    padded = np.pad(x.astype(float), [(radius, radius)] * 2 + [(0, 0)], mode)
    total, weights = 0, 0
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if i * i + j * j <= radius * radius:
                other = padded[radius + i :, radius + j :][:h, :w]
                difference = np.abs(other - x).sum(-1, keepdims=True)
                weight = np.exp(
                    -(i * i + j * j) / (2 * sigma_space**2) - difference**2 / (2 * sigma_color**2)
                )
                total, weights = total + weight * other, weights + weight
    return total / weights


@pytest.mark.usefixtures("isa")
def test_bilateral():
    modes = {"replicate": "edge", "reflect": "symmetric", "reflect_101": "reflect"}
    modes["constant"] = "constant"
    for x, border, rng in cases(60, 24):
        d = int(rng.choice([0, 3, 5, 9]))
        sigmas = float(rng.uniform(5, 90)), float(rng.uniform(0.5, 4))
        got = filters.bilateral_filter(x, d, *sigmas, border)
        radius = max(1, d // 2 or round(1.5 * sigmas[1]))
        image = x.reshape(*x.shape[:2], -1)
        wanted = exact_bilateral(image, radius, *sigmas, modes[border]).reshape(x.shape)
        if x.dtype == np.uint8:
            assert np.abs(got - wanted).max() <= 0.5 + 1e-3
            opencv = cv2.bilateralFilter(x, d, *sigmas, borderType=BORDERS[border])
            check(got, opencv, least=1)
        else:
            assert np.abs(got - wanted).max() <= 2e-4
            if border != "constant":  # OpenCV's own table knows the image's range alone
                opencv = cv2.bilateralFilter(x, d, *sigmas, borderType=BORDERS[border])
                assert np.abs(got - opencv.reshape(x.shape)).max() <= 0.02


def test_edges_stay_where_noise_goes():
    rng = np.random.default_rng(3)
    step = np.repeat([[50.0, 200.0]], 20, 1).repeat(30, 0)
    noisy = (step + 5 * rng.standard_normal(step.shape)).astype(np.float32)
    for smooth in (filters.bilateral(noisy, 9, 75, 75), filters.median_blur(noisy, 5)):
        assert np.abs(smooth - step).mean() < np.abs(noisy - step).mean() / 2
    assert np.abs(filters.blur(noisy, 5) - step).max() > 50  # which blurs the edge


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_same_bits_for_any_number_of_threads(dtype):
    x = np.random.default_rng(8).integers(0, 256, (100, 40, 3)).astype(dtype)

    def run():
        medians = [filters.median_blur(x, k) for k in (3, 5, 7)]
        return [*medians, filters.bilateral(x, 5, 30, 3)]

    before = pyconv.get_num_threads()
    try:
        pyconv.set_num_threads(1)
        wanted = run()
        pyconv.set_num_threads(3)
        assert all(map(np.array_equal, run(), wanted))
    finally:
        pyconv.set_num_threads(before)
