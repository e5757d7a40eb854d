"""The course's linear filters by both ways: as a filter, and as the weights of a Conv2D."""

import numpy as np
import pytest
from course import BOX3_VALID, BOX5_VALID, CONV_P1, CONV_VALID, I5, K3, KERNELS, ROW2, F, filtered

from pyconv import filters

# Kernels of whole numbers over a power of 2: products and sums of bytes are exact.
EXACT = [name for name, (_, divisor) in KERNELS.items() if divisor not in (9, 100)]
IMAGE = np.random.default_rng(0).integers(0, 256, (23, 18))
COLOURS = np.random.default_rng(1).integers(0, 256, (11, 19, 3))


def kernel_of(name):
    whole, divisor = KERNELS[name]
    return np.array(whole, float) / divisor


def truth(image, name):
    """The valid result, in whole numbers until the division at the end."""
    whole, divisor = KERNELS[name]
    whole = np.asarray(whole)
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(int), whole.shape, (0, 1))
    return (windows * whole).sum((-2, -1)) / divisor


def test_the_table_has_the_kernels_of_the_slides():
    assert set(filters.KERNELS) == set(KERNELS)
    for name, kernel in filters.KERNELS.items():
        assert np.array_equal(kernel, kernel_of(name)), name
        derivative = name.startswith(("edge", "sobel"))
        assert kernel.sum() == pytest.approx(0 if derivative else 1, abs=1e-15)
    assert KERNELS["unsharp5"][0][2][2] == -476
    identity5 = np.pad(kernel_of("identity"), 1)
    assert np.array_equal(filters.UNSHARP_5, 2 * identity5 - filters.GAUSS_5)


@pytest.mark.cpu  # bit for bit: pictures are filtered on the host
@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("image", [F, IMAGE, COLOURS], ids=["slide", "grey", "colours"])
class TestBothWays:
    """On each instruction set."""

    def test_without_a_border(self, image, name):
        kernel = filters.KERNELS[name]
        by_layer = filtered(image, kernel)
        for x in (image.astype(np.float32), image.astype(np.uint8)):
            for run in (filters.correlate2d, filters.filter2d):
                got = run(x, kernel, border="valid", dtype="float32")
                assert np.array_equal(got, by_layer)
        turned = filters.convolve2d(image, kernel[::-1, ::-1], border="valid")
        assert np.array_equal(turned, by_layer)
        if name in EXACT:
            assert np.array_equal(by_layer, truth(image, name))
        else:
            assert by_layer == pytest.approx(truth(image, name), rel=1e-6, abs=1e-5)

    def test_with_borders(self, image, name):
        kernel = filters.KERNELS[name]
        by_filter = filters.filter2d(image, kernel, border="constant")
        for padding in ("same", len(kernel) // 2):
            assert np.array_equal(by_filter, filtered(image, kernel, padding=padding))
        half = len(kernel) // 2
        widths = [(half, half)] * 2 + [(0, 0)] * (image.ndim - 2)
        for border, mode in (("replicate", "edge"), ("reflect_101", "reflect")):
            got = filters.filter2d(image, kernel, border=border)
            assert np.array_equal(got, filtered(np.pad(image, widths, mode), kernel))

    def test_strides(self, image, name):
        kernel = filters.KERNELS[name]
        got = filters.filter2d(image, kernel, border="valid")
        assert np.array_equal(got[::2, ::3], filtered(image, kernel, strides=(2, 3)))


@pytest.mark.parametrize("name", ROW2)
def test_row_2_of_the_slide(name):
    row = np.array(ROW2[name], float)
    for y in (
        filters.correlate2d(F, filters.KERNELS[name], border="valid"),
        filtered(F, kernel_of(name)),
    ):
        assert y.shape == (8, 8)
        if name in EXACT:
            assert np.array_equal(y[2], row)
        else:
            assert y[2] == pytest.approx(row, abs=1e-5)


def test_means_of_the_slides():
    for run in (filters.box, filters.blur, filters.mean):
        for x in (F, F.astype(np.uint8)):
            assert run(x, 3, border="valid").tolist() == BOX3_VALID
            assert run(x, 3)[1:-1, 1:-1].tolist() == BOX3_VALID
        assert run(F, 5, border="valid") == pytest.approx(np.array(BOX5_VALID), abs=1e-5)
        assert run(F, 4, border="valid") == pytest.approx(filtered(F, np.ones((4, 4)) / 16))
    for size, table in ((3, BOX3_VALID), (5, BOX5_VALID)):
        ones, table = np.ones((size, size)), np.array(table, float)
        # Whole numbers, and their mean afterwards: exact.
        sums = filters.correlate2d(F, ones, border="valid")
        assert np.array_equal(sums, filtered(F, ones))
        assert np.array_equal(sums.astype(float) / size**2, table)
        inner = slice(size // 2, -(size // 2))
        for padding, cells in (("valid", slice(None)), ("same", inner)):
            got = filtered(F, ones / size**2, padding=padding)[cells, cells]
            assert got == pytest.approx(table, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (lambda x, **b: filters.gaussian_blur(x, 3, **b), "gauss3"),
        (lambda x, **b: filters.gaussian_blur(x, (5, 5), 0, **b), "gauss5"),
        (filters.sharpen, "sharpen"),
        (filters.unsharp_mask, "unsharp5"),
        (filters.laplacian, "edge2"),
        (filters.sobel, "sobel_x"),
        (lambda x, **b: filters.sobel(x, 0, 1, **b), "sobel_y"),
    ],
)
@pytest.mark.parametrize("image", [F, IMAGE, COLOURS], ids=["slide", "grey", "colours"])
def test_filters_with_names_of_their_own(image, run, name):
    for border, padding in (("valid", "valid"), ("constant", "same")):
        got = run(image, border=border)
        assert np.array_equal(got, filtered(image, kernel_of(name), padding=padding))


def test_worked_convolution_by_a_filter():
    assert filters.correlate2d(I5, K3, border="valid").tolist() == CONV_VALID
    assert filters.correlate2d(I5, K3, border="constant").tolist() == CONV_P1


def test_sobel_on_a_slide():
    """The image and mask of the first slide on kernels, with zeros in the nine hidden pixels."""
    image = np.zeros((6, 6))
    image[0] = [131, 162, 232, 84, 91, 207]
    image[1:4, 0], image[1:4, 4:] = [104, 243, 185], [[237, 109], [135, 126], [61, 225]]
    image[4:] = [[157, 124, 25, 14, 102, 108], [5, 155, 16, 218, 232, 249]]
    for x in (image, image.astype(np.uint8)):
        got = filters.correlate2d(x, filters.SOBEL_X, border="valid", dtype="float32")
        assert np.array_equal(got, truth(image, "sobel_x"))
        assert np.array_equal(got, filtered(image, kernel_of("sobel_x")))
        assert np.array_equal(got, filters.sobel(x, border="valid"))


def test_the_slides_gaussian_of_7():
    """Its weights, as a filter and as those of a layer; the outer product is rounded once."""
    weights = np.array([1, 3.5, 7, 9, 7, 3.5, 1]) / 32
    assert np.array_equal(filters.get_gaussian_kernel(7), weights)
    sigma = 0.3 * ((7 - 1) / 2 - 1) + 0.8
    assert sigma == pytest.approx(1.4)
    bell = np.exp(-(np.arange(-3, 4) ** 2) / (2 * sigma**2))
    assert weights == pytest.approx(bell / bell.sum(), abs=7e-3)  # nearly the bell
    for image in (F, IMAGE, COLOURS):
        by_layer = filtered(image, np.outer(weights, weights), padding="same")
        got = filters.gaussian_blur(image, (7, 7), 0, border="constant")
        assert got == pytest.approx(by_layer, rel=1e-6, abs=1e-4)
        whole = filters.gaussian_blur(image.astype(np.uint8), (7, 7), 0, border="constant")
        assert np.abs(whole - by_layer).max() <= 1
