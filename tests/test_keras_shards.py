"""Weights in several files and models in folders: those of Keras, ours, and damaged ones."""

import json
import os
import zipfile

import h5py
import numpy as np
import pytest
from keras_data import FOLDER

import pyconv
from pyconv.formats import keras_shards


@pytest.fixture
def written(tmp_path):
    """(the folder of what Keras wrote, an input, Keras's prediction)."""
    with zipfile.ZipFile(FOLDER / "shards.zip") as archive:
        archive.extractall(tmp_path)
    data = np.load(tmp_path / "data.npz")
    return tmp_path, data["x"], data["y"]


def network():
    la = pyconv.layers
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 3)),
            la.Conv2D(4, 3, activation="relu"),
            la.BatchNormalization(),
            la.Flatten(),
            la.Dense(6),
        ]
    )
    for weight in model.weights:
        weight[...] = np.random.default_rng(len(weight)).random(weight.shape)
    return model


X = np.random.default_rng(1).random((3, 8, 8, 3), np.float32)
MOST = 3.23e-6  # gigabytes: less than the kernel and the bias of the dense layer take


def test_keras_s_shards_are_read(written):
    folder, x, y = written
    model = network()
    model.load_weights(folder / "model.weights.json")
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=0, atol=1e-5)


def test_keras_s_folder_is_read(written):
    folder, x, y = written
    model = pyconv.models.load_model(folder / "folder")
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=0, atol=1e-5)
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize("most", [MOST, 3.3e-6, 1.0])
def test_our_shards_come_back_and_are_within_the_limit(most, tmp_path):
    model = network()
    model.save_weights(tmp_path / "a.weights.json", max_shard_size=most)
    index = json.loads((tmp_path / "a.weights.json").read_text())
    names = {n for v in index["weight_map"].values() for n in ([v] if isinstance(v, str) else v)}
    assert names | {"a.weights.json"} == set(os.listdir(tmp_path))
    assert (len(names) == 1) == (most == 1.0)
    total = 0
    for group, named in index["weight_map"].items():
        for name in [named] if isinstance(named, str) else named:
            with h5py.File(tmp_path / name) as file:
                total += sum(array.nbytes for array in file[group].values())
    assert total == index["metadata"]["total_size"] == sum(w.nbytes for w in model.weights)
    found = network()
    for weight in found.weights:
        weight[...] = 0
    found.load_weights(tmp_path / "a.weights.json")
    for a, b in zip(found.weights, model.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_array_that_no_file_takes_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="exceeds the maximum shard size"):
        network().save_weights(tmp_path / "a.weights.json", max_shard_size=1e-6)
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match="must end in `.weights.json`"):
        network().save_weights(tmp_path / "a.keras", max_shard_size=1)


def _changed(index):
    yield "total_size", {**index, "metadata": {**index["metadata"], "total_size": 2**60}}
    yield "no metadata", {"weight_map": index["weight_map"]}
    yield "no map", {"metadata": index["metadata"]}
    yield "a list", [index]
    for what, name in [("path", "../b.weights.h5"), ("number", 3), ("none", []), ("nested", [[]])]:
        first = next(iter(index["weight_map"]))
        yield what, {**index, "weight_map": {**index["weight_map"], first: name}}
    less = dict(list(index["weight_map"].items())[1:])
    yield "a group less", {**index, "weight_map": less}
    yield (
        "a group more",
        {**index, "weight_map": {**index["weight_map"], "/layers/x/vars": "a_00000.weights.h5"}},
    )
    yield "no checksums", {**index, "metadata": {**index["metadata"], "pyconv_crc32": 3}}


def test_a_damaged_index_is_a_clear_error_and_changes_nothing(tmp_path):
    path = tmp_path / "a.weights.json"
    network().save_weights(path, max_shard_size=MOST)
    text = path.read_text()
    model = network()
    for weight in model.weights:
        weight[...] = 5
    damaged = [json.dumps(value) for _, value in _changed(json.loads(text))]
    for changed in [*damaged, text[:-40], "", "\x00\xff", "3"]:
        path.write_text(changed)
        with pytest.raises(ValueError, match=r"load_weights: .*a\.weights\.json is damaged"):
            model.load_weights(path)
    assert all((weight == 5).all() for weight in model.weights)
    path.write_text(text)
    model.load_weights(path)


def test_files_of_another_saving_are_not_mixed(tmp_path):
    path = tmp_path / "a.weights.json"
    model = network()
    model.save_weights(path, max_shard_size=MOST)
    old = path.read_text()
    model.layers[-1].bias[...] = 9
    model.save_weights(path, max_shard_size=MOST)
    path.write_text(old)
    with pytest.raises(ValueError, match="is of another saving than the index"):
        model.load_weights(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "a.weights.json"
    network().save_weights(path, max_shard_size=MOST)
    (tmp_path / "a_00001.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="a_00001"):
        network().load_weights(path)


def test_folders_are_replaced_as_a_whole(tmp_path):
    model = network()
    path = tmp_path / "model"
    model.save(path, zipped=False)
    model.layers[-1].bias[...] = 9
    model.save(path, zipped=False)
    assert sorted(os.listdir(path)) == ["config.json", "metadata.json", "model.weights.h5"]
    assert os.listdir(tmp_path) == ["model"]
    found = pyconv.models.load_model(path)
    np.testing.assert_array_equal(found.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_failure_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    model = network()
    path = tmp_path / "model"
    model.save(path, zipped=False)
    before = (path / "model.weights.h5").read_bytes()
    model.layers[-1].bias[...] = 9

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        model.save(path, zipped=False)
    assert (path / "model.weights.h5").read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]


def test_folders_with_other_files_and_wrong_names_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a folder with other files, notes\.txt"):
        network().save(tmp_path, zipped=False)
    with pytest.raises(ValueError, match="should not end in `.keras`"):
        network().save(tmp_path / "a.keras", zipped=False)
    with pytest.raises(FileExistsError, match="is a file, not a folder"):
        network().save(tmp_path / "notes.txt", zipped=False)
    network().save(tmp_path / "model", zipped=False)
    with pytest.raises(FileExistsError, match="overwrite is False"):
        network().save(tmp_path / "model", overwrite=False, zipped=False)


def test_a_folder_without_its_weights_is_a_clear_error(tmp_path):
    network().save(tmp_path / "model", zipped=False)
    (tmp_path / "model" / "model.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"a folder without model\.weights\.h5"):
        pyconv.models.load_model(tmp_path / "model")


def test_a_saving_that_ends_in_the_middle_leaves_what_was_there(tmp_path, monkeypatch):
    model, path = network(), tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=MOST)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(before) > 2
    write, calls = keras_shards.hdf5_writer.write, []

    def failing(file, tree):
        calls.append(tree)
        if len(calls) == 2:
            raise OSError("no space left")
        write(file, tree)

    monkeypatch.setattr(keras_shards.hdf5_writer, "write", failing)
    for weight in model.weights:
        weight[...] = 7
    with pytest.raises(OSError, match="no space"):
        model.save_weights(path, max_shard_size=MOST)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
