"""The reader of CIFAR-10's pickles: agrees with pickle on plain values, and does nothing else."""

import contextlib
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyconv.datasets import _pickle

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.binary(), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(value=PLAIN, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_agree_with_pickle(value, protocol):
    data = pickle.dumps(value, protocol)
    assert _pickle.loads(data) == pickle.loads(data)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["u1", "i8", "<f4", ">f4", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_agree_with_pickle(protocol, dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 7, dtype=dtype, order=order)
    data = pickle.dumps({"data": array, "again": array.dtype}, protocol)
    read = _pickle.loads(data)["data"]
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_names_of_numpy_1_and_2(module):
    data = pickle.dumps(np.arange(5, dtype=np.uint8), protocol=2)
    data = data.replace(b"numpy._core.multiarray", module)
    data = data.replace(b"numpy.core.multiarray", module)
    np.testing.assert_array_equal(_pickle.loads(data), np.arange(5))


class Calls:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.system, eval, exec, __import__, getattr, open, np.load])
def test_refuses_every_other_function(protocol, function, tmp_path):
    target = tmp_path / "written"
    data = pickle.dumps({"data": Calls(function, f"touch {target}")}, protocol)
    with pytest.raises(ValueError, match=r"refers to .*only arrays and plain values"):
        _pickle.loads(data)
    assert not target.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps({1, 2}), "EMPTY_SET"),
        (pickle.dumps(Calls(bytes, 2**40), 2), "calls .*bytes"),
        (b"c_codecs\nencode\n(Vtext\nVutf-16\ntR.", "calls _codecs.encode"),
        (b"cnumpy\ndtype\n(VO8\ntR.", "dtype 'O8'"),
        (b"cnumpy\ndtype\n(V100000000000u1\ntR.", "dtype"),
        (b"(dI1\nI2\ns.", "keys are not strings"),
        (b"Pname\n.", "PERSID"),
        (b"\x82\x01.", "EXT1"),
        (b"\x93.", "stack runs empty"),
        (b"R.", "stack runs empty"),
        (b"h\x05.", "damaged"),
        (b"t.", "damaged"),
        (b".", "damaged"),
        (b"]", "pickle"),
        (b"", "pickle"),
        (b"not a pickle", "opcode"),
    ],
)
def test_refuses_what_plain_values_do_not_need(data, message):
    with pytest.raises(ValueError, match=message):
        _pickle.loads(data)


def array_pickle(shape: bytes, raw: bytes = b"U\x04abcd", dtype: bytes = b"u1") -> bytes:
    """A pickle, as Python 2 wrote them, of a uint8 array with the given state."""
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01" + shape + b"cnumpy\ndtype\nU\x02" + dtype + b"K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + raw + b"tb."
    )


def test_array_pickle_is_one():
    data = array_pickle(b"K\x02K\x02\x86")
    expected = np.array([[97, 98], [99, 100]], np.uint8)
    np.testing.assert_array_equal(_pickle.loads(data), expected)
    np.testing.assert_array_equal(pickle.loads(data, encoding="latin1"), expected)


@pytest.mark.parametrize(
    "shape",
    [
        b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85",  # 2**40
        b"J\xfc\xff\xff\xffJ\xff\xff\xff\xff\x86",  # (-4, -1)
        b"K\x00\x8a\x0a" + b"\xff" * 9 + b"\x00\x86",  # (0, 2**72 - 1)
        b"K\x03\x85",
        b"(" + b"K\x01" * 100 + b"K\x04t",
        b"U\x01a\x85",
        b"N",
    ],
)
def test_refuses_arrays_of_the_wrong_size(shape):
    tracemalloc.start()
    with pytest.raises(ValueError, match="pickle"):
        _pickle.loads(array_pickle(shape))
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def repeated_encoding() -> bytes:
    text = b"x" * 1_000_000
    long_text = b"X" + len(text).to_bytes(4, "little") + text
    again = b"h\x01h\x02X\x06\x00\x00\x00latin1\x86R"
    return b"(c_codecs\nencode\nq\x01" + long_text + b"q\x02" + again * 1000 + b"t."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"(" + b"]" * 5_000_000 + b"t.", "more than 500000 opcodes"),
        (repeated_encoding(), "again and again"),
        (b"\x8e" + (2**60).to_bytes(8, "little") + b".", "bytes"),
        (b"T" + (2**31 - 1).to_bytes(4, "little") + b".", "bytes"),
    ],
    ids=["lists", "encoding", "bytes8", "binstring"],
)
def test_small_pickles_stay_small_in_memory(data, message):
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        _pickle.loads(data)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_a_large_memo_index_allocates_nothing():
    tracemalloc.start()
    assert _pickle.loads(b"]r\xff\xff\xff\xff.") == []
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_damaged_pickles_are_value_errors(data):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    valid = pickle.dumps({b"data": array, b"labels": [3, 4]}, data.draw(st.integers(0, 5)))
    damaged = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(valid) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(0, len(valid)))])
    with contextlib.suppress(ValueError):
        _pickle.loads(damaged)
