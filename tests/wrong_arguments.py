"""Wrong values of each kind of argument."""

import numpy as np

BIG = 10**5000  # more digits than Python prints
NAN = float("nan")
NOT_NUMBERS = [None, "1", b"1", 1j, object(), [], {}, np.array([1, 1]), np.array(["a"]), len, NAN]
NOT_INTEGERS = [*NOT_NUMBERS, 1.0, float("inf"), True, np.True_, np.float32(1), np.array(1.0)]
NO_POSITIVE = [0, -1, 2**31, 2**63 - 1, 2**63, -(2**63), BIG, -BIG, np.int64(-1), np.uint64(2**63)]
DTYPES = "f8 f2 i1 i4 i8 u1 u8 ? c8 O U3 S3 M8[s] >f4"


def of_dtype(array, dtype):
    return np.zeros(array.shape, dtype)


def wrong_arrays(array, any_rank=False):
    for dtype in DTYPES.split():
        yield of_dtype(array, dtype), TypeError, r'astype\("float32"\)'
    yield np.zeros(array.shape, [("a", "f4"), ("b", "O")]), TypeError, "float32"
    for value in ([], [1.0], array.tolist(), (1,), 1.0, "x", object, memoryview(b"x")):
        yield value, TypeError, r'np.asarray\(\w+, "float32"\)'
    for axis in range(array.ndim):
        huge = list(array.shape)
        huge[axis] = 2**50
        yield np.broadcast_to(np.float32(0), huge), ValueError, None
    if not any_rank:
        for other in (array[None], array[..., 0], np.zeros((), "f4"), np.zeros((1,) * 6, "f4")):
            yield other, ValueError, None
        for axis in range(1, array.ndim):
            yield np.zeros_like(np.take(array, [], axis)), ValueError, None


def wrong_integers(minimum=1):
    for value in NOT_INTEGERS:
        yield value, TypeError, "integer"
    for value in NO_POSITIVE:
        if minimum == 1 or value != 0:
            yield value, ValueError, None


def wrong_pairs(minimum=1):
    for value, error, text in wrong_integers(minimum):
        if not isinstance(value, list):
            yield value, error, text
            yield (1, value), error, text
            yield [value, 1], error, text
    for value in ((), [], (1,), (1, 1, 1), [1] * 10**5):
        yield value, ValueError, None


def wrong(kind, value):
    """Yield (argument, error, text in its message or None)."""
    if kind == "images or shape":
        for other, error, text in wrong("images", value):
            if not isinstance(other, (list, tuple)):
                yield other, error, text
        yield from (w for w in wrong("shape", value.shape) if not isinstance(w[0], np.ndarray))
    if kind in ("array", "images", "optional array", "any array"):
        yield from wrong_arrays(value, kind == "any array")
        if not kind.startswith("optional"):
            yield None, TypeError, None
        if kind == "images":
            yield np.broadcast_to(np.float32(0), (0, 2**20, 2**20, 4)), ValueError, None
    if kind == "integer":
        yield from wrong_integers()
    if kind in ("pair", "optional pair"):
        yield from (w for w in wrong_pairs() if kind == "pair" or w[0] is not None)
    if kind == "padding":
        for name in ("full", "", "valid ", "\ud800", "x" * 10**6):
            yield name, ValueError, "'valid', 'same'"
        for value, error, text in wrong_pairs(0):
            if not isinstance(value, str):
                yield value, error, text
        yield 2**31 - 1, ValueError, None
        yield ((2**31 - 1, 2**31 - 1), (2**31 - 1, 0)), ValueError, None
        yield ((1, 2, 3), (1, 1)), ValueError, None
        yield ((1, -1), (1, 1)), ValueError, None
    if kind == "activation":
        for name in ("tanh", "", "\ud800", "x" * 10**6):
            yield name, ValueError, "None or 'relu'"
        for other in (1, True, b"relu", ["relu"], np.array(["relu", "relu"]), len, NAN):
            yield other, TypeError, "None or 'relu'"
    if kind == "algorithm":
        for name in ("fft", "", "\ud800", "AUTO", "x" * 10**6):
            yield name, ValueError, "'winograd'"
        for other in (None, 1, b"auto", ["auto"], NAN):
            yield other, TypeError, "string"
    if kind == "shape":
        for other in (None, 5, "nhwc", np.array(value), NAN, set(value), iter(value)):
            yield other, TypeError, None
        for other in ((), value[:3], (*value, 1), [1] * 10**5):
            yield other, ValueError, None
        for axis in range(4):
            for extent in (-1, 2**31, 2**63, BIG, *([0] if axis else [])):
                yield (*value[:axis], extent, *value[axis + 1 :]), ValueError, None
            for extent in (None, 1.0, "1", NAN, True):
                yield (*value[:axis], extent, *value[axis + 1 :]), TypeError, None
            yield (*value[:axis], 2**31 - 1, *value[axis + 1 :]), ValueError, None
        yield (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), ValueError, None
        yield (value[0] + 1, *value[1:]), ValueError, None
        yield (*value[:3], value[3] + 1), ValueError, None
    if kind == "share":
        for other in (-0.1, 1.5, NAN, float("inf"), -float("inf"), BIG, np.float32(2), 2**63):
            yield other, ValueError, None
        for other in (*NOT_NUMBERS[:-1], True, np.True_, np.complex64(0.5)):
            yield other, TypeError, "number"
    if kind == "seed":
        for other in (-1, 2**63, BIG, np.uint64(2**63)):
            yield other, ValueError, None
        for other in NOT_INTEGERS:
            yield other, TypeError, "integer"
    if kind == "labels":
        for other in (None, [0, 2], "ab", 1, np.array([True, False]), np.array(["a", "b"])):
            yield other, TypeError, "integers or of float32"
        for dtype in ("f8", "f2", ">f4"):
            yield np.zeros((2, 3), dtype), TypeError, r'astype\("float32"\)'
        for other in ([0, 3], [-1, 0], [2**31, 0], [2**63 - 1, 0], [0], [0, 1, 2], [[0, 1]], []):
            yield np.array(other, np.int64), ValueError, None
        yield np.array([2**63, 0], np.uint64), ValueError, None
        yield np.broadcast_to(np.int64(0), (2**50,)), ValueError, None
        for share in (NAN, float("inf"), -1.0):
            yield np.full((2, 3), share, np.float32), ValueError, "probabilities"
        for shape in ((2,), (2, 1), (2, 4), (3, 3), (1, 2, 3), ()):
            yield np.zeros(shape, np.float32), ValueError, None
        yield np.broadcast_to(np.float32(0), (2**50, 3)), ValueError, None
