"""Writes HDF5 files of the layout that h5py writes by default and every version of HDF5 reads.

Source: "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from pyconv.formats._hdf5_types import Reference, encoded
from pyconv.formats.hdf5_reader import SIGNATURE

_UNDEFINED = 2**64 - 1
# Entries of a group's node are at most 2 * _LEAF, children of a B-tree's node 2 * _INNER.
_LEAF, _INNER = 4, 16
# A list of strings in an attribute: what an object's header can hold.
_LONGEST = 64_000


class Tree(dict[str, Any]):
    """What is written: arrays and trees by name, and ``attrs``: strings and lists of strings."""

    def __init__(self) -> None:
        super().__init__()
        self.attrs: dict[str, str | list[str]] = {}

    def group(self, path: str) -> "Tree":
        """Return the tree at a path, made where it is not there."""
        node = self
        for part in path.split("/"):
            node = node.setdefault(part, Tree())
        return node

    def put(self, path: str, array: Any) -> None:
        """Place an array at a path."""
        folder, _, name = path.rpartition("/")
        (self.group(folder) if folder else self)[name] = np.asarray(array)


def write(file: IO[bytes], tree: Tree) -> None:
    """Write a tree to an empty file that can seek."""
    file.write(bytes(96))
    writer = _Writer(file)
    root, symbols = writer.group(tree)
    end = writer.end
    file.seek(0)
    file.write(SIGNATURE + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", _LEAF, _INNER, 0))
    file.write(struct.pack("<QQQQ", 0, _UNDEFINED, end, _UNDEFINED))
    file.write(struct.pack("<QQII", 0, root, 1, 0) + symbols)


class _Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.end = file.tell()

    def _put(self, *parts: Any) -> int:
        """Append parts; return their address."""
        address = self.end
        for part in parts:
            self._file.write(part)
            self.end += memoryview(part).nbytes
        padding = -self.end % 8
        self._file.write(bytes(padding))
        self.end += padding
        return address

    def group(self, tree: Mapping[str, Any]) -> tuple[int, bytes]:
        """Write a group; return its address and that of its B-tree and names."""
        children = {}
        for name in sorted(tree, key=lambda name: name.encode()):
            value = tree[name]
            children[name] = (
                self.group(value)[0] if isinstance(value, Mapping) else self._dataset(value)
            )
        names, places = bytearray(8), {}
        for name in children:
            places[name] = len(names)
            names += _padded(name.encode() + b"\0")
        heap_data = self._put(names)
        heap = self._put(b"HEAP", bytes(4), struct.pack("<QQQ", len(names), 1, heap_data))
        symbols = struct.pack("<QQ", self._tree(children, places), heap)
        attributes = getattr(tree, "attrs", {})
        messages = [(0x11, symbols)]
        for name, value in attributes.items():
            messages += self._attributes(name, value)
        return self._object(messages), symbols

    def _tree(self, children: Mapping[str, int], places: Mapping[str, int]) -> int:
        """Write the B-tree of a group's entries, which are in order; return its address."""
        names = list(children)
        nodes = []
        for at in range(0, max(len(names), 1), 2 * _LEAF):
            part = names[at : at + 2 * _LEAF]
            entries = [struct.pack("<QQ24x", places[name], children[name]) for name in part]
            body = b"".join(entries).ljust(2 * _LEAF * 40, b"\0")
            node = self._put(b"SNOD", struct.pack("<BBH", 1, 0, len(part)), body)
            nodes.append((node, places[part[-1]] if part else 0))
        if not names:
            nodes = []
        level = 0
        while True:
            parents = []
            for at in range(0, max(len(nodes), 1), 2 * _INNER):
                part_nodes = nodes[at : at + 2 * _INNER]
                first = nodes[at - 1][1] if at else 0
                keys = struct.pack("<Q", first)
                keys += b"".join(struct.pack("<QQ", node, last) for node, last in part_nodes)
                size = 8 * (4 * _INNER + 1)
                address = self._put(
                    b"TREE",
                    struct.pack("<BBHQQ", 0, level, len(part_nodes), _UNDEFINED, _UNDEFINED),
                    keys.ljust(size, b"\0"),
                )
                parents.append((address, part_nodes[-1][1] if part_nodes else 0))
            if len(parents) == 1:
                return parents[0][0]
            nodes, level = parents, level + 1

    def _dataset(self, value: Any) -> int:
        array = np.asarray(value, order="C")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        address = self._put(array.reshape(-1).view(np.uint8).data) if array.size else _UNDEFINED
        return self._object(
            [
                (0x01, _dataspace(array.shape)),
                (0x03, encoded(array.dtype)),
                (0x05, bytes([2, 2, 2, 1, 0, 0, 0, 0])),
                (0x08, struct.pack("<BBQQ", 3, 1, address, array.nbytes)),
            ]
        )

    def _attributes(self, name: str, value: str | list[str]) -> list[tuple[int, bytes]]:
        if isinstance(value, str):
            text = value.encode()
            reference = struct.pack("<IQI", len(text), self._heap(text), 1)
            return [_attribute(name, Reference(), (), reference)]
        if not value:
            return [_attribute(name, np.dtype("<f8"), (0,), b"")]
        texts = np.array([text.encode() for text in value])
        if texts.nbytes <= _LONGEST:
            return [_attribute(name, texts.dtype, texts.shape, texts.tobytes())]
        # As Keras does: name0, name1, ...
        parts = np.array_split(texts, -(-texts.nbytes // (_LONGEST // 2)))
        return [
            _attribute(f"{name}{i}", part.dtype, part.shape, part.tobytes())
            for i, part in enumerate(parts)
        ]

    def _heap(self, text: bytes) -> int:
        """Write a global heap of one string; return its address."""
        used = 16 + 16 + len(_padded(text))
        size = max(4096, used + 16)
        return self._put(
            b"GCOL",
            struct.pack("<B3xQ", 1, size),
            struct.pack("<HH4xQ", 1, 1, len(text)),
            _padded(text),
            struct.pack("<HH4xQ", 0, 0, size - used).ljust(size - used, b"\0"),
        )

    def _object(self, messages: list[tuple[int, bytes]]) -> int:
        """Write an object's header, of version 1; return its address."""
        first, *rest = _blocks(messages)
        following: list[tuple[int, int]] = []
        for block in reversed(rest):
            data = block + (
                _message(0x10, struct.pack("<QQ", *following[-1])) if following else b""
            )
            following.append((self._put(data), len(data)))
        if following:
            first += _message(0x10, struct.pack("<QQ", *following[-1]))
        count = len(messages) + len(rest)
        return self._put(struct.pack("<BBHII4x", 1, 0, count, 1, len(first)), first)


def _blocks(messages: list[tuple[int, bytes]]) -> list[bytes]:
    """Return the messages in blocks, of which the first is small: libraries read it at once."""
    blocks = [b""]
    for kind, body in messages:
        message = _message(kind, body)
        if blocks[-1] and len(blocks[-1]) + len(message) > 2**15:
            blocks.append(b"")
        blocks[-1] += message
    return blocks


def _message(kind: int, body: bytes) -> bytes:
    data = _padded(body)
    return struct.pack("<HHB3x", kind, len(data), 0) + data


def _attribute(name: str, dtype: Any, shape: tuple[int, ...], data: bytes) -> tuple[int, bytes]:
    text, kind, space = name.encode() + b"\0", encoded(dtype), _dataspace(shape)
    head = struct.pack("<BBHHH", 1, 0, len(text), len(kind), len(space))
    return 0x0C, head + _padded(text) + _padded(kind) + _padded(space) + data


def _dataspace(shape: tuple[int, ...]) -> bytes:
    return struct.pack("<BBB5x", 1, len(shape), 0) + struct.pack(f"<{len(shape)}Q", *shape)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
