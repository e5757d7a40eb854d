"""HDF5 files as h5py writes them by default: groups, attributes, contiguous arrays.

A reader of its own, and no binding of libhdf5: each address and size is checked against the file
before anything is read or allocated, no part is read twice, and links out of the file, virtual,
chunked and compressed arrays, which Keras does not write, are refused.

Source: "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pyconv.formats._hdf5_types import Reference, datatype

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_UNDEFINED = 2**64 - 1
_DEPTH = 32
# Types of messages.
_LINKS = {0x02, 0x06}
_DATASPACE, _DATATYPE, _EXTERNAL, _LAYOUT, _FILTERS = 0x01, 0x03, 0x07, 0x08, 0x0B
_ATTRIBUTE, _CONTINUATION, _SYMBOLS = 0x0C, 0x10, 0x11
_SHARED = 0x02


class Group(dict[str, "Group | Dataset"]):
    """Groups and datasets by name, and ``attrs``: strings, lists of strings, arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.attrs: dict[str, Any] = {}

    def find(self, path: str) -> "Group | Dataset | None":
        """Return what is at a path such as ``a/b``, or None."""
        node: Group | Dataset | None = self
        for part in path.split("/"):
            node = node.get(part) if isinstance(node, Group) else None
        return node

    def group(self, path: str) -> "Group":
        """Return the group at a path; ValueError where there is none."""
        found = self.find(path)
        if not isinstance(found, Group):
            raise ValueError(f"it has no group {path!r}")
        return found

    def array(self, path: str) -> NDArray[Any]:
        """Return the numbers of the dataset at a path; ValueError where there is none."""
        found = self.find(path)
        if not isinstance(found, Dataset):
            raise ValueError(f"it has no dataset {path!r}")
        return found.read()


@dataclass
class Dataset:
    """An array in the file, which ``read`` returns."""

    file: "_File"
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    address: int
    kept: NDArray[Any] | None = None

    def read(self) -> NDArray[Any]:
        """Return the array, read at the first time."""
        if self.kept is None:
            self.kept = self._read()
        return self.kept

    def _read(self) -> NDArray[Any]:
        size = math.prod(self.shape) * self.dtype.itemsize
        if size == 0:
            return np.zeros(self.shape, self.dtype)
        if self.address == _UNDEFINED:
            raise ValueError("a dataset has no data")
        data = bytearray(self.file.data(self.address, size))
        return np.frombuffer(data, self.dtype).reshape(self.shape)


def read(file: IO[bytes]) -> Group:
    """Return the root group of an open HDF5 file; arrays are read while it is open.

    Raises:
        ValueError: the file is damaged, or has what this reader does not take.
    """
    return _File(file).root()


class _File:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._seen: set[int] = set()
        self._unread = self.size
        self._heaps: dict[int, dict[int, bytes]] = {}

    # --- bytes ----------------------------------------------------------------------------------

    def part(self, address: int, size: int) -> bytes:
        """Return so many bytes of the file."""
        if address + size > self.size:
            raise ValueError(
                f"it ends at byte {self.size}, but holds something of {size} bytes at {address}"
            )
        self._file.seek(address)
        found = self._file.read(size)
        if len(found) != size:
            raise ValueError("it became shorter while it was read")
        return found

    def data(self, address: int, size: int) -> bytes:
        """Return the bytes of an array; all arrays together are at most the file."""
        self._unread -= size
        if self._unread < 0:
            raise ValueError("its arrays overlap")
        return self.part(address, size)

    def _once(self, address: int, size: int, signature: bytes = b"") -> bytes:
        """Return the bytes of a structure that nothing else refers to."""
        if address in self._seen:
            raise ValueError(f"two structures are at byte {address}")
        self._seen.add(address)
        found = self.part(address, size)
        if not found.startswith(signature):
            raise ValueError(f"there is no {signature.decode()} at byte {address}")
        return found

    # --- groups ---------------------------------------------------------------------------------

    def root(self) -> Group:
        start = self.part(0, 96)
        if not start.startswith(SIGNATURE):
            raise ValueError("it is no HDF5 file")
        if start[8] > 0 or start[13:15] != b"\x08\x08":
            raise ValueError(
                f"its layout is of version {start[8]}; h5py writes the one that is read here with "
                "h5py.File(path, 'w', libver='earliest'), its default"
            )
        if _int(start, 24) != 0 or _int(start, 40) > self.size:
            raise ValueError("it is cut off")
        root = self._object(_int(start, 64), 0)
        if not isinstance(root, Group):
            raise ValueError("it has no root group")
        return root

    def _object(self, address: int, depth: int) -> Group | Dataset:
        if depth > _DEPTH:
            raise ValueError(f"its groups are more than {_DEPTH} deep")
        messages = list(self._messages(address))
        kinds = dict(messages)
        if _LINKS & set(kinds):
            raise ValueError("it has links of a newer kind, such as ExternalLink to a file")
        if _SYMBOLS not in kinds:
            return self._dataset(kinds)
        group = Group()
        for kind, body in messages:
            if kind == _ATTRIBUTE:
                name, value = self._attribute(body)
                group.attrs[name] = value
        symbols = kinds[_SYMBOLS]
        names = self._names(_int(symbols, 8))
        for name_at, header in self._links(_int(symbols, 0), 0):
            group[_text(names, name_at)] = self._object(header, depth + 1)
        return group

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """Give (type, body) of each message of an object header of version 1."""
        prefix = self._once(address, 16)
        if prefix[0] != 1:
            raise ValueError(f"the object at byte {address} has a header that is not of version 1")
        blocks = [(address + 16, _int(prefix, 8, 4))]
        while blocks:
            at, size = blocks.pop(0)
            block = self._once(at, size) if at != address + 16 else self.part(at, size)
            place = 0
            while place + 8 <= size:
                kind, length = _int(block, place, 2), _int(block, place + 2, 2)
                flags = block[place + 4]
                body = block[place + 8 : place + 8 + length]
                place += 8 + length
                if len(body) != length:
                    raise ValueError(f"the header at byte {address} is cut off")
                if kind == _CONTINUATION:
                    blocks.append((_int(body, 0), _int(body, 8)))
                elif kind:
                    if flags & _SHARED:
                        raise ValueError("a header's message is shared with another object")
                    yield kind, body

    def _names(self, address: int) -> bytes:
        heap = self._once(address, 32, b"HEAP")
        return self._once(_int(heap, 24), _int(heap, 8))

    def _links(self, address: int, depth: int) -> Iterator[tuple[int, int]]:
        """Give (place of the name, address of the object) of each entry below a B-tree's node."""
        if depth > 8:
            raise ValueError("a B-tree is too deep")
        head = self._once(address, 24, b"TREE")
        kind, level, count = head[4], head[5], _int(head, 6, 2)
        if kind != 0:
            raise ValueError("a group's B-tree is of another kind")
        keys = self.part(address + 24, 16 * count)
        for i in range(count):
            child = _int(keys, 16 * i + 8)
            if level:
                yield from self._links(child, depth + 1)
                continue
            node = self._once(child, 8, b"SNOD")
            entries = self.part(child + 8, 40 * _int(node, 6, 2))
            for at in range(0, len(entries), 40):
                if _int(entries, at + 16, 4) == 2:
                    raise ValueError("it has a symbolic link (SoftLink), which is not followed")
                yield _int(entries, at), _int(entries, at + 8)

    # --- values ---------------------------------------------------------------------------------

    def _dataset(self, kinds: dict[int, bytes]) -> Dataset:
        if not {_DATASPACE, _DATATYPE, _LAYOUT} <= set(kinds):
            raise ValueError("it has an object that is neither a group nor a dataset")
        if _FILTERS in kinds or _EXTERNAL in kinds:
            raise ValueError("a dataset is compressed or in another file, which is not read")
        layout = kinds[_LAYOUT]
        if len(layout) < 18 or layout[0] not in (3, 4) or layout[1] != 1:
            raise ValueError("a dataset is chunked, compact or virtual; only contiguous are read")
        dtype = datatype(kinds[_DATATYPE])
        if not isinstance(dtype, np.dtype) or dtype.kind not in "fiu":
            raise ValueError("a dataset does not hold numbers")
        shape = _shape(kinds[_DATASPACE])
        address, size = _int(layout, 2), _int(layout, 10)
        wanted = math.prod(shape) * dtype.itemsize
        if wanted and address != _UNDEFINED and (size < wanted or address + wanted > self.size):
            raise ValueError(
                f"a dataset of shape {shape} takes {wanted} bytes, but the file has fewer for it"
            )
        return Dataset(self, dtype, shape, address)

    def _attribute(self, body: bytes) -> tuple[str, Any]:
        version = body[0]
        sizes = [_int(body, at, 2) for at in (2, 4, 6)]
        if version not in (1, 2, 3) or (version > 1 and body[1]):
            raise ValueError(f"an attribute is of version {version} or shared")
        at, parts = 9 if version == 3 else 8, []
        for size in sizes:
            parts.append(body[at : at + size])
            at += -(-size // 8) * 8 if version == 1 else size
        name = _text(parts[0], 0)
        dtype, shape = datatype(parts[1]), _shape(parts[2])
        width = 16 if isinstance(dtype, Reference) else dtype.itemsize
        count = math.prod(shape)
        if at + count * width > len(body):
            raise ValueError(f"the attribute {name!r} is cut off")
        data = body[at : at + count * width]
        if isinstance(dtype, Reference):
            texts = [self._string(data[i : i + 16]) for i in range(0, len(data), 16)]
        elif dtype.kind == "S":
            texts = [s.decode("utf-8") for s in np.frombuffer(data, dtype).tolist()]
        else:
            return name, np.frombuffer(data, dtype).reshape(shape)
        return name, texts if shape else texts[0]

    def _string(self, reference: bytes) -> str:
        """Return a string of variable length, which is in a global heap."""
        length, heap = _int(reference, 0, 4), _int(reference, 4)
        index = _int(reference, 12, 4)
        if length == 0:
            return ""
        if heap not in self._heaps:
            self._heaps[heap] = dict(self._heap(heap))
        # Given once: many references to one long string would not be small.
        found = self._heaps[heap].pop(index, b"")
        if len(found) < length:
            raise ValueError("a string is not in its heap")
        return found[:length].rstrip(b"\0").decode("utf-8")

    def _heap(self, address: int) -> Iterator[tuple[int, bytes]]:
        head = self._once(address, 16, b"GCOL")
        data = self.part(address, _int(head, 8))
        at = 16
        while at + 16 <= len(data):
            index, size = _int(data, at, 2), _int(data, at + 8)
            if index == 0:
                return
            if at + 16 + size > len(data):
                raise ValueError("a heap's string is cut off")
            yield index, data[at + 16 : at + 16 + size]
            at += 16 + -(-size // 8) * 8


def _int(data: bytes, at: int, size: int = 8) -> int:
    if at + size > len(data):
        raise ValueError("a structure is cut off")
    return int.from_bytes(data[at : at + size], "little")


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    if not 0 <= at <= end:
        raise ValueError("a name does not end")
    return data[at:end].decode("utf-8")


def _shape(body: bytes) -> tuple[int, ...]:
    version, rank = body[0], body[1]
    if version not in (1, 2) or rank > 32:
        raise ValueError(f"a dataspace is of version {version} and rank {rank}")
    if version == 2 and body[3] == 2:
        return (0,)
    at = 8 if version == 1 else 4
    return tuple(_int(body, at + 8 * i) for i in range(rank))
