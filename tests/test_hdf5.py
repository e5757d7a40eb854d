"""The reader and the writer of HDF5 beside h5py, which reads what is written, and the reverse."""

import io

import h5py
import numpy as np
import pytest
from keras_data import content

from pyconv.formats import hdf5_reader, hdf5_writer

ARRAYS = {
    "float32": np.arange(12, dtype="<f4").reshape(3, 4),
    "float16": np.array([1.5, -2], "<f2"),
    "float64": np.array([[np.pi]]),
    "int64": np.array(2**60),
    "uint8": np.arange(5, dtype=np.uint8),
    "int32": np.array(-7, np.int32),
    "empty": np.zeros((0, 3), np.float32),
    "big endian": np.arange(3, dtype=">f4"),
    "a:0/é": np.ones(2, np.float32),
}


def tree():
    made = hdf5_writer.Tree()
    made.attrs.update({"config": "{}" * 70_000, "é": "ü", "none": "", "names": ["a", "bc", "é"]})
    for name, array in ARRAYS.items():
        made.put(f"arrays/{name}", array)
    for i in range(700):
        made.put(f"many/{i}", np.float32(i))
    made.group("lists").attrs.update({"long": [f"layer_{i}" for i in range(9000)], "no": []})
    return made


def written(made):
    file = io.BytesIO()
    hdf5_writer.write(file, made)
    return file


def plain(value):
    """An attribute of h5py's as the reader has it."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [v.decode() if isinstance(v, bytes) else v for v in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, np.ndarray) else value


def same(ours, theirs):
    assert set(ours) == set(theirs)
    attributes = {name: plain(value) for name, value in theirs.attrs.items()}
    assert {name: plain(value) for name, value in ours.attrs.items()} == attributes
    for name, node in theirs.items():
        if isinstance(node, h5py.Group):
            same(ours[name], node)
        else:
            read = ours[name].read()
            assert (read.dtype, read.shape) == (node.dtype, node.shape)
            np.testing.assert_array_equal(read, node[()])


def test_h5py_reads_what_is_written():
    made = tree()
    with h5py.File(written(made)) as file:
        assert file.attrs["config"] == made.attrs["config"]
        assert len(file["many"]) == 700
        for name, array in ARRAYS.items():
            found = file["arrays"][name]
            assert found.dtype == array.dtype.newbyteorder("<")
            np.testing.assert_array_equal(found[()], array)
        parts = [plain(v) for k, v in file["lists"].attrs.items() if k.startswith("long")]
        assert [name for part in parts for name in part] == made.group("lists").attrs["long"]
        same(hdf5_reader.read(written(made)), file)


@pytest.mark.parametrize("name", ["cnn.h5", "cnn.weights.h5", "keras2.h5", "keras2.weights.h5"])
def test_reader_beside_h5py(name):
    file = io.BytesIO(content(name))
    root = hdf5_reader.read(file)
    with h5py.File(io.BytesIO(content(name))) as theirs:
        same(root, theirs)


def test_what_h5py_writes():
    file = io.BytesIO()
    with h5py.File(file, "w") as theirs:
        theirs.attrs["bytes"] = b"tensorflow"
        theirs.attrs["fixed"] = np.bytes_("abc")
        theirs.attrs["names"] = [b"a", b"long name"]
        theirs.attrs["strings"] = ["a", "é"]
        theirs.attrs["number"] = 3
        for i in range(40):  # attributes that do not fit into the first block
            theirs.attrs[f"text{i}"] = "x" * i
        for name, array in ARRAYS.items():
            theirs.create_dataset(name, data=array)
        theirs.create_dataset("big", data=np.ones(3), dtype=">f8")
    root = hdf5_reader.read(file)
    with h5py.File(file) as theirs:
        same(root, theirs)


def link(file):
    file["x"] = h5py.ExternalLink("/etc/hostname", "/")


def soft(file):
    file["x"] = h5py.SoftLink("/y")


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
    file.create_virtual_dataset("x", layout)


def external(file):
    file.create_dataset("x", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def chunked(file):
    file.create_dataset("x", (10**12,), "f4", chunks=(10**6,), compression="gzip")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (link, "links of a newer kind, such as ExternalLink to a file"),
        (soft, "symbolic link"),
        (virtual, "chunked, compact or virtual"),
        (external, "compressed or in another file"),
        (chunked, "compressed or in another file"),
        (lambda f: f.create_dataset("x", (10**12,), "f4", chunks=(9,)), "chunked"),
        (lambda f: f.create_dataset("x", data=[b"text"]), "does not hold numbers"),
        (lambda f: f.create_dataset("x", data=np.ones(1, "c8")), "datatype"),
        (lambda f: f.__setitem__("x", f["/"]), "two structures"),
    ],
)
def test_what_is_refused(make, text):
    file = io.BytesIO()
    with h5py.File(file, "w") as theirs:
        make(theirs)
    with pytest.raises(ValueError, match=text):
        hdf5_reader.read(file)


def test_newer_layouts():
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as theirs:
        theirs["x"] = 1.0
    with pytest.raises(ValueError, match="of version 3; h5py writes .* libver='earliest'"):
        hdf5_reader.read(file)


def test_data_that_was_not_written():
    file = io.BytesIO()
    with h5py.File(file, "w") as theirs:
        theirs.create_dataset("x", (10**12,), "f4")
    with pytest.raises(ValueError, match="has no data"):
        hdf5_reader.read(file).array("x")
