"""Filters of images against OpenCV, and the same numbers through a layer of a network."""

import cv2
import numpy as np
import pytest

import pyconv
from pyconv import filters
from pyconv.layers import Conv2D

BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect_101": cv2.BORDER_REFLECT_101,
}
cv2.setNumThreads(1)


def cases(seed, count):
    """Yield random images of each type, each border in turn, and a generator for more."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        h, w = rng.integers(1, 66, 2)
        shape = [(h, w), (h, w, 1), (h, w, 3)][rng.integers(3)]
        pixels = rng.integers(0, 256, shape)
        for dtype in (np.uint8, np.float32):
            yield pixels.astype(dtype), list(BORDERS)[i % len(BORDERS)], rng


def check(got, wanted, least=0):
    """Check equality: of integers within ``least``, of floats within their rounding."""
    wanted = wanted.reshape(got.shape)  # OpenCV drops a single channel
    assert got.dtype == wanted.dtype
    if got.dtype == np.float32:
        assert got == pytest.approx(
            wanted, rel=1e-6, abs=1e-6 * max(1.0, float(np.abs(wanted).max()))
        )
    else:
        assert np.abs(got.astype(int) - wanted).max() <= least


@pytest.fixture(autouse=True)
def _isa_of_the_test(request):
    if "isa" in request.fixturenames:
        request.getfixturevalue("isa")


@pytest.mark.usefixtures("isa")
class TestAgainstOpenCV:
    """On each instruction set."""

    def test_filter2d(self):
        for x, border, rng in cases(0, 60):
            kernel = rng.standard_normal(rng.integers(1, 10, 2)).astype(np.float32)
            row, column = (int(rng.integers(k)) for k in kernel.shape)
            wanted = cv2.filter2D(
                x, -1, kernel, anchor=(column, row), delta=0.5, borderType=BORDERS[border]
            )
            # OpenCV adds in another order: a tie may go the other way.
            check(filters.filter2d(x, kernel, (row, column), 0.5, border), wanted, least=1)

    def test_filter2d_to_other_types(self):
        for x, border, rng in cases(1, 20):
            kernel = rng.integers(-300, 300, (3, 4)).astype(np.float32)
            for dtype, depth in (("int16", cv2.CV_16S), ("float32", cv2.CV_32F)):
                if x.dtype == np.uint8:
                    wanted = cv2.filter2D(x, depth, kernel, borderType=BORDERS[border])
                else:
                    wanted = cv2.filter2D(x, -1, kernel, borderType=BORDERS[border])
                    if dtype == "int16":
                        wanted = np.clip(np.rint(wanted), -(2**15), 2**15 - 1).astype(np.int16)
                check(filters.filter2d(x, kernel, border=border, dtype=dtype), wanted)

    def test_means(self):
        for x, border, rng in cases(2, 40):
            kh, kw = map(int, rng.integers(1, 17, 2))
            if kh * kw == 2:
                x = np.minimum(x, 254)  # OpenCV's mean of two whites may be black
            row, column = int(rng.integers(kh)), int(rng.integers(kw))
            at = {"anchor": (column, row), "borderType": BORDERS[border]}
            check(filters.blur(x, (kh, kw), (row, column), border), cv2.blur(x, (kw, kh), **at))
            check(
                filters.box(x, (kh, kw), (row, column), False, border),
                cv2.boxFilter(x, -1, (kw, kh), normalize=False, **at),
            )

    def test_large_means(self):
        for x, border, rng in cases(3, 20):
            kh, kw = map(int, 2 * rng.integers(8, 40, 2) + 1)
            wanted = cv2.blur(x, (kw, kh), borderType=BORDERS[border])
            check(filters.mean(x, (kh, kw), border=border), wanted)

    def test_gaussian(self):
        for x, border, rng in cases(4, 24):
            kh, kw = map(int, 2 * rng.integers(0, 9, 2) + 1)
            sigmas = [0.0, float(rng.uniform(0.3, 4))]
            for ksize in ((kh, kw), 0):
                for sigma in sigmas[ksize == 0 :]:
                    wanted = cv2.GaussianBlur(
                        x,
                        (ksize and (kw, kh)) or (0, 0),
                        sigma,
                        sigmaY=2 * sigma,
                        borderType=BORDERS[border],
                    )
                    check(filters.gaussian_blur(x, ksize, sigma, 2 * sigma, border), wanted)

    def test_derivatives(self):
        for x, border, rng in cases(5, 40):
            depth = cv2.CV_16S if x.dtype == np.uint8 else cv2.CV_32F
            ksize = int(rng.choice([1, 3, 5, 7]))
            dx, dy = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1)][rng.integers(6)]
            more = {"ksize": ksize, "scale": 0.5, "delta": 2, "borderType": BORDERS[border]}
            check(
                filters.sobel(x, dx, dy, ksize, 0.5, 2, border),
                cv2.Sobel(x, depth, dx, dy, **more),
            )
            check(
                filters.laplacian(x, ksize, 0.5, 2, border),
                cv2.Laplacian(x, depth, **more),
            )
            for dtype in ("uint8", "float32"):
                if x.dtype == np.uint8:
                    depth = {"uint8": cv2.CV_8U, "float32": cv2.CV_32F}[dtype]
                    wanted = cv2.Sobel(x, depth, dx, dy, **more)
                    check(filters.sobel(x, dx, dy, ksize, 0.5, 2, border, dtype), wanted)


@pytest.mark.parametrize("name", ["filter2d", "blur", "gaussian_blur", "sobel"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_borders_are_those_of_a_padded_image(name, dtype):
    """'wrap' and 'valid', which OpenCV has not, and the others."""
    rng = np.random.default_rng(6)
    run = {
        "filter2d": lambda x, b: filters.filter2d(x, rng_kernel, border=b),
        "blur": lambda x, b: filters.blur(x, (3, 5), border=b),
        "gaussian_blur": lambda x, b: filters.gaussian_blur(x, (3, 7), border=b),
        "sobel": lambda x, b: filters.sobel(x, 1, 0, 5, border=b),
    }[name]
    rng_kernel = rng.standard_normal((5, 7))
    modes = {
        "constant": "constant",
        "replicate": "edge",
        "reflect": "symmetric",
        "reflect_101": "reflect",
        "wrap": "wrap",
    }
    for shape in [(9, 17, 3), (2, 1, 1), (1, 40, 1), (5, 2, 3)]:
        x = rng.integers(0, 256, shape).astype(dtype)
        kh, kw = {"filter2d": (5, 7), "blur": (3, 5), "gaussian_blur": (3, 7), "sobel": (5, 5)}[
            name
        ]
        widths = ((kh // 2, kh // 2), (kw // 2, kw // 2), (0, 0))
        for border, mode in modes.items():
            padded = np.pad(x, widths, mode)
            assert np.array_equal(run(x, border), run(padded, "valid"))


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (7, 7), (2, 3), (1, 4), (11, 11), (13, 15)])
@pytest.mark.usefixtures("isa")
def test_the_numbers_of_a_layer(size):
    """Bit for bit: the same products, added in the same order."""
    rng = np.random.default_rng(7)
    kernel = rng.standard_normal(size).astype(np.float32)
    for channels in (1, 3):
        x = rng.standard_normal((37, 50, channels)).astype(np.float32)
        layer = Conv2D(channels, size, groups=channels, use_bias=False)
        layer.build((None, *x.shape))
        layer.set_weights([np.repeat(kernel[:, :, None, None], channels, 3)])
        got = filters.filter2d(x, kernel, border="valid")
        if channels == 1 or kernel.size <= 128:
            assert np.array_equal(got, layer(x[None])[0])
        else:
            assert got == pytest.approx(layer(x[None])[0], abs=1e-4)


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_same_bits_for_any_number_of_threads(dtype, threads):
    x = np.random.default_rng(8).integers(0, 256, (150, 90, 3)).astype(dtype)

    def run():
        return [
            filters.filter2d(x, filters.KERNELS["gauss100"]),
            filters.blur(x, 5),
            filters.blur(x, 21),
            filters.gaussian_blur(x, 9),
        ]

    before = pyconv.get_num_threads()
    try:
        pyconv.set_num_threads(1)
        wanted = run()
        pyconv.set_num_threads(threads)
        assert all(map(np.array_equal, run(), wanted))
    finally:
        pyconv.set_num_threads(before)


@pytest.mark.parametrize("ksize", [1, 3, 5, 7, 9, 11, 31])
@pytest.mark.parametrize("sigma", [0.0, 0.4, 3.0])
def test_gaussian_weights(ksize, sigma):
    wanted = cv2.getGaussianKernel(ksize, sigma)[:, 0]
    assert filters.get_gaussian_kernel(ksize, sigma) == pytest.approx(wanted, abs=1e-12)


def test_a_convolution_turns_the_kernel():
    rng = np.random.default_rng(9)
    x, kernel = rng.standard_normal((8, 9)).astype(np.float32), rng.standard_normal((3, 4))
    turned = kernel[::-1, ::-1]
    for anchor in (None, (0, 3), (2, 1)):
        row, column = anchor or (1, 2)
        wanted = filters.correlate2d(x, turned, "reflect", (2 - row, 3 - column))
        assert np.array_equal(filters.convolve2d(x, kernel, "reflect", anchor), wanted)


def test_unsharp_mask():
    rng = np.random.default_rng(10)
    x = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    assert np.array_equal(filters.unsharp_mask(x), filters.filter2d(x, filters.UNSHARP_5))
    blurred = cv2.GaussianBlur(x.astype(np.float32), (5, 5), 1.5)
    exact = x.astype(np.float32)
    for threshold in (0, 12.5):
        step = np.where(np.abs(exact - blurred) > threshold, 0.7 * (exact - blurred), 0)
        got = filters.unsharp_mask(x, 0.7, threshold, sigma=1.5)
        check(got, np.clip(np.rint(exact + step), 0, 255).astype(np.uint8), least=1)
        assert (
            np.abs(filters.unsharp_mask(exact, 0.7, threshold, sigma=1.5) - exact - step).max()
            < 1e-3
        )
        inner = filters.unsharp_mask(exact, 0.7, threshold, sigma=1.5, border="valid")
        assert inner == pytest.approx((exact + step)[2:-2, 2:-2], abs=1e-3)
    assert np.array_equal(filters.sharpen(x), filters.filter2d(x, filters.SHARPEN))


def test_other_numbers_are_taken_as_float32():
    image = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    wanted = filters.blur(np.array(image, np.float32), 2)
    for given in (image, np.array(image), np.array(image, ">f8"), np.array(image, np.float16)):
        got = filters.blur(given, 2)
        assert got.dtype == np.float32
        assert np.array_equal(got, wanted)
    big = np.random.default_rng(11).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    for view in (big[::-1], big[:, ::2], big.transpose(1, 0, 2), big[..., 1]):
        assert np.array_equal(filters.blur(view, 3), filters.blur(view.copy(), 3))
