"""Arrays on a device: to numpy and back, numpy's functions on them, other libraries, memory."""

import copy
import gc
import pickle

import numpy as np
import pytest
import torch

from pyconv import backend

pytestmark = pytest.mark.skipif(
    backend.active is backend.cpu, reason="needs --backend cuda or cuda-emulated"
)
device = backend.active
RNG = np.random.default_rng(5)
X = RNG.standard_normal((3, 4, 5, 2), np.float32)


def there(x):
    return device.asarray(x)


def same(got, wanted):
    assert isinstance(got, device.Array)
    values = got.numpy()
    assert values.dtype == wanted.dtype
    assert values.shape == wanted.shape
    np.testing.assert_allclose(values, wanted, rtol=2e-7, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 0, 3), (2, 3, 4)])
def test_round_trip(shape, dtype):
    x = RNG.integers(0, 2, shape).astype(dtype)
    a = there(x)
    assert (a.shape, a.dtype, a.ndim, a.size, a.nbytes) == (
        x.shape, x.dtype, x.ndim, x.size, x.nbytes,
    )  # fmt: skip
    assert a.numpy().tobytes() == a.tobytes() == x.tobytes()
    assert np.asarray(a).dtype == dtype
    assert there(a) is a
    assert np.array_equal(device.zeros(shape, dtype), np.zeros(shape, dtype))
    assert "on cuda:0" in repr(a)


@pytest.mark.parametrize("layout", ["F", "strided", "reversed"])
def test_memory_of_any_layout(layout):
    x = {"F": np.asfortranarray(X), "strided": X[:, ::2], "reversed": X[::-1]}[layout]
    assert np.array_equal(there(x), x)


def test_large_arrays_go_in_pieces():
    x = RNG.standard_normal((3, 1_100_007), np.float32)
    assert there(x).tobytes() == x.tobytes()


def test_shapes_without_a_copy():
    a = there(X)
    b = a.reshape(12, -1)
    assert b.shape == (12, 10)
    assert a.reshape((2, 60)).shape == (2, 60)
    assert a.ravel().shape == (120,)
    b[...] = 7
    assert (a.numpy() == 7).all()
    rows = a[1:]
    assert rows.shape == (2, 4, 5, 2)
    rows.fill(3)
    assert (a.numpy()[0] == 7).all()
    assert (a.numpy()[1:] == 3).all()
    assert len(a) == 3
    assert a[5:].shape == (0, 4, 5, 2)


@pytest.mark.parametrize(
    "key",
    [
        np.s_[1:2], np.s_[:, 1:3], np.s_[..., 1], np.s_[::-1], np.s_[:, ::2, 1:4], np.s_[1, 2],
        np.s_[2, 3, 4, 1], np.s_[None, 1:], np.s_[-1], np.s_[:, :0], np.s_[[0, 2]],
    ],
    ids=str,
)  # fmt: skip
def test_parts(key):
    a, x = there(X), X.copy()
    assert np.array_equal(np.asarray(a[key]), x[key])
    for value in (np.float32(4), RNG.standard_normal(x[key].shape).astype("f4")):
        a[key] = value
        x[key] = value
        assert np.array_equal(a, x)
    a[key] = there(np.zeros(x[key].shape, np.float32))
    x[key] = 0
    assert np.array_equal(a, x)
    for wrong in (5, np.s_[0, 0, 0, 0, 0]):
        with pytest.raises(IndexError):
            a[wrong]


UNARY = [np.negative, np.exp, np.tanh, np.sign, np.abs, np.square, np.sqrt, np.reciprocal]
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum]
COMPARISONS = [np.less, np.less_equal, np.greater, np.greater_equal]


@pytest.mark.parametrize("function", UNARY, ids=lambda f: f.__name__)
def test_functions_of_one_array(function):
    x = np.abs(X) + np.float32(0.1) if function is np.sqrt else X
    a = there(x)
    same(function(a), function(x))
    same(function(a, out=a), function(x))
    same(a, function(x))


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (2,), (5, 1), (3, 1, 1, 1), (1,), ()])
def test_functions_of_two_arrays(function, shape):
    y = RNG.standard_normal(shape).astype(np.float32)
    a = there(X)
    same(function(a, there(y)), function(X, y))
    same(function(y, a), function(y, X))
    same(function(a, 0.5), function(X, np.float32(0.5)))
    same(function(a, there(y), out=a), function(X, y))


@pytest.mark.parametrize("function", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons(function):
    x = np.round(X)
    for y in (np.float32(0), np.round(X[::-1])):
        same(function(there(x), y), function(x, y))
        out = device.empty(x.shape, np.bool_)
        assert function(there(x), y, out=out) is out
        same(out, function(x, y))


@pytest.mark.parametrize(
    ("method", "given"),
    [("round", (1,)), ("std", ()), ("var", (0,)), ("argmin", ()), ("clip", (-1, 1)), ("sum", (-1,)),
     ("prod", (0,)), ("transpose", (3, 0, 1, 2)), ("squeeze", ()), ("flatten", ())],
)  # fmt: skip
def test_methods_of_numpys_arrays(method, given):
    a, x = there(X[:1]), X[:1]
    assert np.array_equal(getattr(a, method)(*given), getattr(x, method)(*given))
    assert np.array_equal(a.T, x.T)
    assert np.array_equal(a.ravel(), x.ravel())


def test_special_values():
    x = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1], np.float32)
    for function in (np.maximum, np.minimum):
        for y in (x[::-1].copy(), np.float32(0.5)):
            assert np.array_equal(function(there(x), y), function(x, y), equal_nan=True)
    assert np.array_equal(np.sign(there(x)), np.sign(x), equal_nan=True)


def test_where():
    mask = X > 0
    a, x = there(X), X.copy()
    np.multiply(a, 3, out=a, where=there(mask))
    np.multiply(x, 3, out=x, where=mask)
    same(a, x)
    np.copyto(a, np.float32(9), where=there(~mask))
    x[~mask] = 9
    same(a, x)


def test_operators():
    a, x = there(X), X.copy()
    same(2 * a - a / 3 + -a, 2 * x - x / 3 + -x)
    a += there(X)
    a *= 0.5
    same(a, (x + x) * np.float32(0.5))
    assert (a == a).all()
    assert float(there(np.float32(2.5))) == 2.5
    assert there(np.int64(3)).item() == 3


def test_what_no_kernel_knows_is_done_on_the_host():
    a = there(X)
    assert np.array_equal(np.cumsum(a, axis=1), np.cumsum(X, axis=1))
    assert np.sum(a, axis=0).tolist() == np.sum(X, axis=0).tolist()
    assert np.concatenate([a, a]).shape == (6, 4, 5, 2)
    out = device.empty(X.shape)
    assert np.clip(a, -0.5, 0.5, out=out) is out
    assert np.array_equal(out, np.clip(X, -0.5, 0.5))
    assert np.logaddexp(a, X).dtype == np.float32
    assert np.add(a, X.astype(np.float64)).dtype == np.float64
    same(np.moveaxis(a, 1, -1), np.moveaxis(X, 1, -1))
    np.copyto(a, X.astype(np.float64) * 2)
    assert np.array_equal(a, X * 2)


def test_types():
    a = there(X)
    assert a.astype("float32", copy=False) is a
    assert a.astype("float32") is not a
    assert a.astype("float64").dtype == np.float64
    with pytest.raises(TypeError, match="float32, float64, int64, uint8 or bool, got a float16"):
        there(X.astype("float16"))
    with pytest.raises(TypeError, match="dtype must be float32"):
        device.empty((2,), "complex64")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: there(X).reshape(7, -1), ValueError, r"reshape: .*\(3, 4, 5, 2\) cannot .*7"),
        (lambda: there(X).reshape(-1, -1), ValueError, "reshape"),
        (lambda: there(X).rows(2, 4), ValueError, "rows"),
        (lambda: there(X).take(X[:2]), ValueError, r"values must be float32 \(3, 4, 5, 2\), got"),
        (lambda: there(X).take(X.astype("f8")), ValueError, "got float64 array"),
        (lambda: device.empty((-1,)), ValueError, "sizes from 0"),
        (lambda: device.empty((2**40, 2**40)), ValueError, "overflow"),
        (lambda: device.empty((2**42,)), ValueError, "more than the memory of the device"),
        (lambda: len(there(np.float32(1))), TypeError, "len"),
        (lambda: np.add(there(X), there(X[:2])), ValueError, "broadcast"),
        (lambda: device.relu_forward(there(X.astype("f8"))), TypeError, r'x.astype\("float32"\)'),
        (lambda: device.relu_forward([1.0]), TypeError, "np.asarray"),
        (lambda: device.relu_forward(X, X.copy()), TypeError, "out must be a float32 array on the"),
        (lambda: device.relu_forward(X, there(X[:1])), ValueError, "out must be"),
        (lambda: np.asarray(there(X), copy=False), ValueError, "always copied"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_operations_of_arrays_of_both_kinds():
    given = X.reshape(12, 10)
    assert np.array_equal(device.relu_forward(given), np.maximum(given, 0))
    out = device.empty(given.shape)
    assert device.relu_forward(there(given), out) is out
    same(out, np.maximum(given, 0))


def test_labels_are_checked():
    logits = there(np.zeros((3, 4), np.float32))
    for labels in (np.array([0, 1, 4]), np.array([0, -1, 2])):
        for given in (labels, there(labels), there(np.append(labels, 0))[:3]):
            with pytest.raises(ValueError, match="labels must be from 0 to 3, got (4|-1)"):
                device.softmax_cross_entropy(logits, given)
    buffer = there(np.array([9, 9, 9, 9]))
    buffer[:3].take(np.array([3, 2, 1]))
    loss, _ = device.softmax_cross_entropy(logits, buffer[:3])
    assert loss.numpy() == pytest.approx(np.log(4))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_rows_from_the_host(dtype):
    x = RNG.integers(0, 255, (9, 4, 3)).astype(dtype)
    rows = np.array([8, 0, 3, 3])
    same(device.gather_rows(x, rows), x[rows].astype(np.float32))
    same(device.gather_rows(there(x), rows), x[rows].astype(np.float32))
    assert device.gather_rows(x, rows[:0]).shape == (0, 4, 3)
    with pytest.raises(ValueError, match="indices must be from 0 to 8, got 9"):
        device.gather_rows(x, np.array([9]))


def test_numbers_on_their_way_to_the_host():
    a = there(X)
    fetched = a.fetch()
    a.fill(0)  # comes after the copy
    assert np.array_equal(fetched.numpy(), X)
    assert np.array_equal(fetched.numpy(), X)


def test_copies():
    a = there(X)
    for other in (a.copy(), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        a.fill(1)
        assert np.array_equal(other, X)
        a[...] = X


def test_interface_of_cuda():
    a = there(X)
    interface = a.__cuda_array_interface__
    assert interface["shape"] == X.shape
    assert interface["typestr"] == "<f4"
    assert interface["version"] == 3
    offset = a[1:].__cuda_array_interface__["data"][0] - interface["data"][0]
    assert offset == X[0].nbytes


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_dlpack(dtype):
    x = RNG.integers(0, 2, (3, 4)).astype(dtype)
    a = there(x)
    b = device.from_dlpack(a)
    assert (b.shape, b.dtype) == (a.shape, a.dtype)
    if dtype == "float32":
        b.fill(5)
        assert (a.numpy() == 5).all()
    t = torch.from_dlpack(there(x))
    assert np.array_equal(t.cpu().numpy(), x)
    back = device.from_dlpack(t + 0)
    assert np.array_equal(back, x)
    assert device.from_dlpack(t).__cuda_array_interface__["data"][0] == t.data_ptr()


def test_dlpack_keeps_memory():
    a = there(X)
    in_use = device.memory_stats()["in_use"]
    t = torch.from_dlpack(a)
    del a
    assert device.memory_stats()["in_use"] == in_use
    assert np.array_equal(t.cpu().numpy(), X)
    del t
    gc.collect()
    assert device.memory_stats()["in_use"] < in_use


def test_dlpack_of_what_does_not_fit():
    on_device = torch.from_dlpack(there(X)).device
    with pytest.raises(ValueError, match="C-contiguous"):
        device.from_dlpack(torch.zeros((3, 4), device=on_device).T)
    with pytest.raises(TypeError, match="must be float32, float64"):
        device.from_dlpack(torch.zeros(3, dtype=torch.float16, device=on_device))
    with pytest.raises(TypeError, match="must have __dlpack__, got a list"):
        device.from_dlpack([1.0])


@pytest.fixture
def kept():
    """Memory is kept, as on a GPU."""
    device.keep_memory(True)
    yield
    device.keep_memory(not device.__name__.endswith("_emulated"))


@pytest.mark.usefixtures("kept")
def test_memory_is_used_again():
    del_me = there(X)
    before = device.memory_stats()
    del del_me
    after = device.memory_stats()
    assert after["in_use"] < before["in_use"]
    assert after["cached"] > before["cached"]
    again = there(X)
    assert device.memory_stats()["mallocs"] == before["mallocs"]
    assert device.memory_stats()["requests"] == before["requests"] + 1
    del again
    device.trim()
    assert device.memory_stats()["cached"] == 0
