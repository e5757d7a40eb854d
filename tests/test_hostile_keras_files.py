"""Keras's files that are damaged or hostile: a clear error, quickly and without memory."""

import functools
import io
import json
import random
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from keras_data import content
from model_files import load, small

from pyconv.formats import hdf5_reader, hdf5_writer

FILES = ["cnn.h5", "cnn.keras", "keras2.h5", "m.h5", "m.keras"]


@functools.cache
def file(name):
    """A file of Keras's, or of pyconv's where it is called m."""
    if not name.startswith("m"):
        return content(name)
    with tempfile.TemporaryDirectory() as folder:
        small().save(Path(folder, name))
        return Path(folder, name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_truncated(name, tmp_path):
    whole = file(name)
    for size in {*range(0, len(whole), len(whole) // 60), 7, 8, 9, 95, 96, len(whole) - 1}:
        with pytest.raises(ValueError, match="load_model: .* is damaged or no model file"):
            load(tmp_path / "m", whole[:size])


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes(name, tmp_path):
    """Of numbers Keras keeps no checksum, so that a change of one may go unseen in its .h5."""
    rng, refused = random.Random(name), 0
    for i in range(200):
        damaged = bytearray(file(name))
        # Half of them where there is more than numbers and padding.
        places = [at for at, byte in enumerate(damaged) if byte] if i % 2 else range(len(damaged))
        for place in rng.choices(places, k=rng.randint(1, 3)):
            damaged[place] = rng.choice([0, 1, 127, 255, damaged[place] ^ 1 << rng.randrange(8)])
        if damaged == file(name):
            continue
        try:
            load(tmp_path / "m", bytes(damaged))
        except ValueError as error:
            assert str(error).startswith("load_model: ")  # noqa: PT017
            refused += 1
        except Warning:
            pass
    assert refused > (100 if "keras" in name.partition(".")[2] else 40)


def hdf5(tree):
    out = io.BytesIO()
    hdf5_writer.write(out, tree)
    return out


def named(shape):
    tree = hdf5_writer.Tree()
    tree.attrs["layer_names"] = ["a"]
    tree.group("a").attrs["weight_names"] = ["x"]
    tree.put("a/x", np.ones(shape, np.float32))
    return tree


@pytest.mark.parametrize("size", [5, 2**20, 2**40, 2**62, 2**64 - 1])
def test_declared_shapes(size, tmp_path):
    out = hdf5(named((4,)))
    place = out.getvalue().index(struct.pack("<BBB5xQ", 1, 1, 0, 4))
    damaged = bytearray(out.getvalue())
    damaged[place + 8 : place + 16] = struct.pack("<Q", size)
    with pytest.raises(ValueError, match="a dataset of shape .* takes .* bytes, but the file has"):
        load(tmp_path / "m", bytes(damaged))


def test_one_array_under_many_names(tmp_path):
    """A small file with a thousand datasets, each of which is the whole file's numbers."""
    tree = named((10_000,))
    tree.group("a").attrs["weight_names"] = [f"x{i}" for i in range(1000)]
    for i in range(1000):
        tree.put(f"a/x{i}", np.ones(3, np.float32))
    damaged = bytearray(hdf5(tree).getvalue())
    big = hdf5_reader.read(io.BytesIO(damaged)).find("a/x").address
    three = struct.pack("<BBB5xQ", 1, 1, 0, 3)
    at = damaged.find(three)
    while at >= 0:
        damaged[at + 8 : at + 16] = struct.pack("<Q", 10_000)
        layout = damaged.index(struct.pack("<HHB3xBB", 8, 24, 0, 3, 1), at) + 10
        damaged[layout : layout + 16] = struct.pack("<QQ", big, 40_000)
        at = damaged.find(three, at + 1)
    with pytest.raises(ValueError, match="its arrays overlap"):
        load(tmp_path / "m", bytes(damaged))


def test_a_group_in_itself():
    damaged = bytearray(hdf5(named((1,))).getvalue())
    root = struct.unpack_from("<Q", damaged, 64)[0]
    at = damaged.index(b"SNOD") + 8
    damaged[at + 8 : at + 16] = struct.pack("<Q", root)
    with pytest.raises(ValueError, match="two structures are at byte"):
        hdf5_reader.read(io.BytesIO(damaged))


def test_deep_groups(tmp_path):
    tree = named((1,))
    tree.put("/".join("d" * 100), np.ones(1))
    with pytest.raises(ValueError, match="its groups are more than 32 deep"):
        load(tmp_path / "m", hdf5(tree).getvalue())


def attributes(**texts):
    tree = named((4,))
    tree.attrs.update(texts)
    return hdf5(tree).getvalue()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (attributes(model_config="[" * 100_000), "is damaged or no model file"),
        (attributes(model_config="1" * 10_000), "is damaged or no model file"),
        (attributes(model_config="null"), "holds weights only"),
        (attributes(model_config='{"class_name": "Mine"}'), "only Sequential models"),
        (attributes(layer_names="a"), "layer_names must be a list of strings"),
        (attributes(layer_names=["b"]), "it has no group 'b'"),
    ],
)
def test_attributes(content, text, tmp_path):
    with pytest.raises(ValueError, match=f"load_model: .*{text}"):
        load(tmp_path / "m", content)


LAMBDA = {"class_name": "Lambda", "config": {"name": "x", "function": {
    "class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAA", "defaults": None}}}}  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (LAMBDA, "unknown layer 'Lambda'"),
        ({"class_name": "os.system", "module": "os", "config": {}}, "unknown layer 'os.system'"),
        ({"class_name": "Dense", "config": {"units": 10**9, "name": "big"}}, "of 1 layers dense"),
    ],
)
def test_layers(layer, text, tmp_path):
    with zipfile.ZipFile(io.BytesIO(file("cnn.keras"))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"].append(layer)
    members["config.json"] = json.dumps(config).encode()
    with pytest.raises(ValueError, match=f"load_model: .*{text}"):
        load(tmp_path / "m", zipped(members))


def zipped(members, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


GOOD = {"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b""}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (zipped({**GOOD, "config.json": b" " * 50_000_000}, 8), "is to be of 50000000 bytes"),
        (zipped({**GOOD, "model.weights.h5": bytes(50_000_000)}, 8), "is to be of 50000000"),
        (zipped({**GOOD, "config.json": b"[" * 100_000}), "is damaged or no model file"),
        (zipped({**GOOD, "config.json": b"[]"}), "its configuration must be a dict"),
        (zipped({**GOOD, "config.json": b"x" * 100}, 12), "in a way that Keras does not use"),
        (zipped(GOOD), "it ends at byte 0"),
        (zipped({"config.json": b"{}"}), "without 'metadata.json', so not one of Keras"),
        (b"PK\x03\x04" + bytes(100), "File is not a zip file"),
    ],
    ids=lambda v: v if isinstance(v, str) else f"{len(v)} bytes",
)
def test_archives(content, text, tmp_path):
    with pytest.raises(ValueError, match=f"load_model: .*{text}"):
        load(tmp_path / "m", content)


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    model = small()
    for ending in ("h5", "keras", "weights.h5"):
        path = tmp_path / f"m.{ending}"
        model.save_weights(path)
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(hdf5_writer._Writer, "_object", lambda *a: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                model.save(path)
        assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3
