"""Wrong arguments of the filters: an error that names the filter and the argument, no harm."""

import numpy as np
import pytest
from wrong_arguments import wrong

from pyconv import backend, filters

IMAGE = np.ones((6, 7, 3), np.float32)
ARRAY = np.ones((3, 3), np.float32)

# of each filter: its arguments, and of each the kind and a right value
ARGUMENTS = {
    "image": ("image", IMAGE),
    "kernel": ("kernel", ARRAY),
    "ksize": ("ksize", 3),
    "anchor": ("anchor", None),
    "delta": ("number", 0.0),
    "scale": ("number", 1.0),
    "amount": ("positive", 1.0),
    "threshold": ("positive", 0.0),
    "sigma": ("positive", 1.0),
    "sigma_x": ("positive", 1.0),
    "sigma_y": ("positive", 1.0),
    "border": ("border", "reflect"),
    "dtype": ("dtype", None),
    "normalize": ("boolean", True),
    "sigma_color": ("positive", 1.0),
    "sigma_space": ("positive", 1.0),
    "d": ("diameter", 3),
    "dx": ("order", 1),
    "dy": ("order", 0),
}
FILTERS = {
    "filter2d": "image kernel anchor delta border dtype",
    "correlate2d": "image kernel border anchor dtype",
    "convolve2d": "image kernel border anchor dtype",
    "bilateral_filter": "image d sigma_color sigma_space border",
    "blur": "image ksize anchor border",
    "mean": "image ksize anchor border",
    "box": "image ksize anchor normalize border",
    "gaussian_blur": "image ksize sigma_x sigma_y border",
    "get_gaussian_kernel": "ksize sigma",
    "median_blur": "image ksize",
    "sobel": "image dx dy ksize scale delta border dtype",
    "laplacian": "image ksize scale delta border dtype",
    "sharpen": "image border",
    "unsharp_mask": "image amount threshold ksize sigma border",
}
NAN = float("nan")


def wrong_values(kind):
    if kind == "image":
        for other in (None, "x", [["a"]], object(), [[1], [1, 2]], np.zeros((3, 3), complex)):
            yield other, TypeError
        for shape in ((), (3,), (0, 3), (3, 0, 3), (3, 3, 0), (1, 3, 3, 3)):
            yield np.zeros(shape, np.float32), ValueError
        for dtype in ("u1", "f4", "f8"):
            yield np.broadcast_to(np.zeros((), dtype), (2**20, 2**20, 3)), ValueError
        yield np.zeros((3, 3), "M8[s]"), TypeError
    if kind == "kernel":
        for other in (None, "x", [["a"]], object(), np.zeros((3, 3), complex)):
            yield other, TypeError
        for shape in ((), (3,), (0, 3), (3, 0), (3, 3, 1)):
            yield np.zeros(shape), ValueError
        yield np.broadcast_to(np.float32(1), (2**13, 2**13)), ValueError
    if kind == "ksize":
        for other, error, _ in wrong("integer", 3):
            if not isinstance(other, list) and not (isinstance(other, int) and other == 0):
                yield other, error
    if kind == "anchor":
        yield from [((3, 0), ValueError), ((0, 3), ValueError), (-1, ValueError), ("x", TypeError)]
        yield from [((1,), ValueError), ((1, 1.5), TypeError), (9, ValueError)]
    if kind in ("number", "positive"):
        yield from ((v, ValueError) for v in (NAN, float("inf"), 10**400))
        yield from ((v, TypeError) for v in ("1", True, 1j, [1], object()))
        if kind == "positive":
            yield -1.0, ValueError
    if kind == "border":
        yield from ((v, ValueError) for v in ("same", "", "REFLECT", "x" * 10**6, "\ud800"))
        yield from ((v, TypeError) for v in (None, 4, b"reflect", ["reflect"]))
    if kind == "dtype":
        yield from ((v, ValueError) for v in ("float64", "x", np.int32, "complex64"))
        yield from ((v, TypeError) for v in (3, object(), [1]))
    if kind == "boolean":
        yield from ((v, TypeError) for v in (None, 1, "yes", [True]))
    if kind == "diameter":
        yield from [(-1, ValueError), (1000, ValueError), (1.0, TypeError), (True, TypeError)]
    if kind == "order":
        yield from [(-1, ValueError), (3, ValueError), (1.0, TypeError), (True, TypeError)]


@pytest.mark.parametrize("name", FILTERS)
def test_wrong_arguments(name):
    names = FILTERS[name].split()
    function = getattr(filters, name)
    right = {n: ARGUMENTS[n][1] for n in names}
    function(**right)
    for changed in names:
        for value, error in wrong_values(ARGUMENTS[changed][0]):
            with pytest.raises(error, match=f"^{name}: ") as caught:
                function(**{**right, changed: value})
            assert len(str(caught.value)) < 300, changed


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: filters.gaussian_blur(IMAGE, 4), "ksize must be odd"),
        (lambda: filters.gaussian_blur(IMAGE, 0), "ksize must be given"),
        (lambda: filters.gaussian_blur(IMAGE, 0, 1e6), "sigma must be at most"),
        (lambda: filters.get_gaussian_kernel(2), "ksize must be odd"),
        (lambda: filters.sobel(IMAGE, 0, 0), "dx or dy"),
        (lambda: filters.sobel(IMAGE, ksize=9), "from 1 to 7"),
        (lambda: filters.laplacian(IMAGE, 2), "ksize must be odd"),
        (lambda: filters.blur(IMAGE, (9, 1), border="valid"), "does not fit"),
        (lambda: filters.median_blur(IMAGE, 4), "ksize must be odd"),
        (lambda: filters.median_blur(IMAGE, 257), "from 1 to 255"),
        (lambda: filters.bilateral(IMAGE[..., :2], 3, 1, 1), "1 or 3 channels"),
        (lambda: filters.bilateral(IMAGE, 0, 1, 1e9), "sigma_space smaller"),
        (lambda: filters.blur(IMAGE, 2**12), r"2\*\*23 cells"),
    ],
)
def test_what_does_not_go_together(call, text):
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (("filter2d", IMAGE, ARRAY, (3, 0), "wrap", 0.0, "uint8"), ValueError, "anchor"),
        (("filter2d", IMAGE, ARRAY, (0, -1), "wrap", 0.0, "uint8"), ValueError, "anchor"),
        (("filter2d", IMAGE, ARRAY, (0, 0), "same", 0.0, "uint8"), ValueError, "border"),
        (("filter2d", IMAGE, ARRAY, (0, 0), "wrap", 0.0, "int8"), ValueError, "dtype"),
        (("filter2d", IMAGE, ARRAY[:0], (0, 0), "wrap", 0.0, "uint8"), ValueError, "window"),
        (("filter2d", IMAGE[0], ARRAY, (0, 0), "wrap", 0.0, "uint8"), ValueError, "x must"),
        (("filter2d", "x", ARRAY, (0, 0), "wrap", 0.0, "uint8"), TypeError, "x must"),
        (("box_filter", IMAGE, (2**62, 4), (0, 0), True, "wrap"), ValueError, "window"),
        (("box_filter", IMAGE, (0, 4), (0, 0), True, "wrap"), ValueError, "window"),
        (("gaussian_blur", IMAGE.astype("u1"), ARRAY[0], ARRAY[0], "wrap"), ValueError, "256"),
        (("median_blur", IMAGE, 2), ValueError, "kernel_size"),
        (("median_blur", IMAGE, -1), ValueError, "kernel_size"),
        (("bilateral_filter", IMAGE, 2**40, 1.0, 1.0, "wrap"), ValueError, "radius"),
        (("bilateral_filter", IMAGE, 2, 0.0, 1.0, "wrap"), ValueError, "sigma"),
        (("bilateral_filter", IMAGE, 2, 1.0, np.nan, "wrap"), ValueError, "sigma"),
        (("bilateral_filter", IMAGE[..., :2], 2, 1.0, 1.0, "wrap"), ValueError, "channels"),
        (
            ("gaussian_blur", IMAGE.astype("u1"), np.full(3, np.nan, "f4"), ARRAY[0], "wrap"),
            ValueError,
            "rows must be symmetric",
        ),
    ],
)
def test_the_native_functions_check_too(call, error, text):
    with pytest.raises(error, match=f"^{call[0]}: .*{text}"):
        getattr(backend.cpu, call[0])(*call[1:])


def test_results_are_written_apart_and_in_the_right_type():
    image = np.ones((6, 7, 3), np.uint8)
    for out, error in [
        (image, ValueError),
        (np.ones((6, 7, 3), np.float32), TypeError),
        (np.ones((6, 7, 1), np.uint8), ValueError),
        (np.ones((6, 7, 6), np.uint8)[..., ::2], ValueError),
        (b"x", TypeError),
    ]:
        with pytest.raises(error, match="^box_filter: out must"):
            backend.cpu.box_filter(image, (3, 3), (1, 1), True, "wrap", out)
