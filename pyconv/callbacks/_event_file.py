"""Files of TensorBoard's events, without TensorFlow.

A file is a row of records: the length of the data (uint64), a masked CRC-32C of the length, the
data, a masked CRC-32C of the data, all little-endian. The data are messages of the protocol buffer
``Event`` of tensorflow/core/util/event.proto.
"""

import os
import struct
import time
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _table()


def masked_crc32c(data: bytes) -> int:
    """Return the Castagnoli CRC of the data, rotated and shifted as the format wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class EventFile:
    """A file in a folder, for scalars, histograms and images."""

    def __init__(self, folder: str) -> None:
        import socket

        os.makedirs(folder, exist_ok=True)
        stamp = f"{time.time():.6f}".replace(".", "")
        name = f"events.out.tfevents.{stamp}.{socket.gethostname()}.{os.getpid()}.v2"
        self._file = open(os.path.join(folder, name), "xb")  # noqa: SIM115 - closed by close
        self._write(_double(1, time.time()) + _bytes(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write a number."""
        self._summary(tag, b"\x15" + struct.pack("<f", value), step)

    def histogram(self, tag: str, values: NDArray[Any], step: int) -> None:
        """Write how values are spread, in 30 bins."""
        flat = np.asarray(values, np.float64).ravel()
        flat = flat[np.isfinite(flat)]
        heights, edges = np.histogram(flat, 30) if flat.size else (np.zeros(1), np.zeros(2))
        low, high = (flat.min(), flat.max()) if flat.size else (0.0, 0.0)
        sums = (low, high, flat.size, flat.sum(), (flat * flat).sum())
        message = b"".join(_double(field, value) for field, value in enumerate(sums, 1))
        message += _bytes(6, np.asarray(edges[1:], "<f8").tobytes())
        message += _bytes(7, np.asarray(heights, "<f8").tobytes())
        self._summary(tag, _bytes(5, message), step)

    def images(self, tag: str, values: NDArray[Any], step: int) -> None:
        """Write the first three of (N, H, W, 1), black where 0 or below, white where 1 or above."""
        pixels = np.asarray(np.clip(np.asarray(values, np.float64), 0, 1) * 255.5, np.uint8)
        _, height, width, _ = pixels.shape
        parts = [str(width).encode(), str(height).encode(), *map(_png, pixels[:3, :, :, 0])]
        # A TensorProto of strings (dtype 7), as the plugin of images wants it.
        shape = _bytes(2, _bytes(2, b"\x08" + _varint(len(parts))))
        tensor = b"\x08\x07" + shape + b"".join(_bytes(8, part) for part in parts)
        self._summary(tag, _bytes(9, _bytes(1, _bytes(1, b"images"))) + _bytes(8, tensor), step)

    def flush(self) -> None:
        """Have what was written reach the file."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _summary(self, tag: str, value: bytes, step: int) -> None:
        summary = _bytes(1, _bytes(1, tag.encode()) + value)
        event = _double(1, time.time()) + b"\x10" + _varint(step) + _bytes(5, summary)
        self._write(event)

    def _write(self, data: bytes) -> None:
        length = struct.pack("<Q", len(data))
        self._file.write(length + struct.pack("<I", masked_crc32c(length)))
        self._file.write(data + struct.pack("<I", masked_crc32c(data)))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a grey picture (H, W) as a PNG."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each behind its filter, 0 for none
    rows[:, 1:] = pixels
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes())),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
