"""Damaged, foreign and other files: a clear error, quickly and without memory."""

import io
import json
import random
import struct
import zipfile

import numpy as np
import pytest
from model_files import load, small, whole
from safetensors.numpy import save

from pyconv import models

# --- damage -----------------------------------------------------------------------------------


def test_truncated(tmp_path):
    content = whole()[0]
    for size in {
        *range(0, len(content), max(1, len(content) // 150)),
        1,
        7,
        8,
        9,
        len(content) - 1,
    }:
        with pytest.raises(ValueError, match="load_model: .* is damaged or no model file"):
            load(tmp_path / "m", content[:size])


def test_longer(tmp_path):
    with pytest.raises(ValueError, match="damaged"):
        load(tmp_path / "m", whole()[0] + b"\0")


def test_flipped_bits(tmp_path):
    content, rng = whole()[0], random.Random(0)
    places = [*range(64), *rng.sample(range(8 * len(content)), 500)]
    for place in places:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match="load_model: .*(damaged|not of pyconv)"):
            load(tmp_path / "m", bytes(damaged))


def test_zeroed_pages(tmp_path):
    """What a crash of the machine may leave of a file that was not synced."""
    content = whole()[0]
    for at in range(0, len(content), 512):
        damaged = content[:at] + bytes(min(512, len(content) - at)) + content[at + 512 :]
        if damaged == content:
            continue
        with pytest.raises(ValueError, match=r"damaged|not of pyconv"):
            load(tmp_path / "m", damaged)


def test_weights_are_checked_too(tmp_path):
    model = small()
    model.save_weights(tmp_path / "w")
    damaged = bytearray((tmp_path / "w").read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "w").write_bytes(damaged)
    kept = [w.tobytes() for w in model.weights]
    with pytest.raises(ValueError, match="load_weights: .* is damaged: its checksum is"):
        model.load_weights(tmp_path / "w")
    assert [w.tobytes() for w in model.weights] == kept


# --- foreign files ----------------------------------------------------------------------------


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("config.json", "{}")
    return out.getvalue()


def header(length, text=b""):
    return struct.pack("<Q", length) + text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is damaged or no model file"),
        (b"\n", "is damaged or no model file"),
        (b"#!/bin/sh\nid\n" * 100, "is damaged or no model file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is damaged or no model file"),
        (zipped(), "is damaged or no model file: .* without 'metadata.json', so not one of Keras"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is damaged or no model file"),
        (np.random.default_rng(0).bytes(1000), "is damaged or no model file"),
        (save({"a": np.ones(3, "f4")}), "is a safetensors file, but not of pyconv"),
        (save({"a": np.ones(3, "f4")}, {"format": "pt"}), "is a safetensors file, but not of"),
        (save({}, {"format": "pyconv"}), "is damaged: its checksum is .* should be 'nothing'"),
        # sizes that are only declared
        (header(2**63), "is damaged or no model file"),
        (header(2**64 - 1, b"{}"), "is damaged or no model file"),
        (header(10**8, b"{}"), "is damaged or no model file"),
        (
            header(63, b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":'),
            "is damaged or no model file",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else f"{len(v)} bytes",
)
def test_other_files(content, text, tmp_path):
    with pytest.raises(ValueError, match=f"load_model: .*/m {text}"):
        load(tmp_path / "m", content)
    model = small()
    with pytest.raises(ValueError, match=f"load_weights: .*/m {text}"):
        model.load_weights(tmp_path / "m")


@pytest.mark.parametrize("size", [2**40, 2**61, 2**62, 2**64 - 4])
def test_declared_tensors(size, tmp_path):
    entry = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}
    text = json.dumps({"a": entry, "__metadata__": {"format": "pyconv"}}).encode()
    with pytest.raises(ValueError, match="is damaged or no model file"):
        load(tmp_path / "m", header(len(text), text) + bytes(64))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        models.load_model(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        models.load_model(tmp_path)
    with pytest.raises(FileNotFoundError, match="none"):
        small().load_weights(tmp_path / "none")
    with pytest.raises(TypeError):
        models.load_model(3)
