"""PNG files without any library."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def png(image: NDArray[Any]) -> bytes:
    """Return an image (H, W) or (H, W, 3), from 0 to 1, as a PNG of 8 bits a number.

    Source: W3C, "Portable Network Graphics (PNG) Specification".
    """
    pixels = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    h, w = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    # Each row begins with the number of its filter: 0, none.
    rows = np.concatenate([np.zeros((h, 1), np.uint8), pixels.reshape(h, -1)], axis=1)
    header = struct.pack(">IIBBBBB", w, h, 8, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
