"""Saving leaves the old file or the new one: errors, deaths in the middle, other processes."""

import os

import pytest
from model_files import bits, network
from processes import run

from pyconv import models


def test_overwrite(tmp_path):
    model, other = network(), network(9)
    model.save(tmp_path / "m")
    for save in (other.save, other.save_weights):
        with pytest.raises(FileExistsError, match="exists, and overwrite is False"):
            save(tmp_path / "m", overwrite=False)
    assert bits(models.load_model(tmp_path / "m")) == bits(model)
    other.save(tmp_path / "n", overwrite=False)
    other.save(tmp_path / "m")
    assert bits(models.load_model(tmp_path / "m")) == bits(other)


def test_places_that_cannot_be_written(tmp_path):
    model = network()
    with pytest.raises(FileNotFoundError, match=f"save: there is no folder {tmp_path}/none"):
        model.save(tmp_path / "none" / "m")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        model.save(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(TypeError):
        model.save(3)


def test_mode_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        network().save(tmp_path / "m")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_an_error_leaves_the_old_file_and_nothing_else(step, tmp_path, monkeypatch):
    model = network()
    model.save(tmp_path / "m")

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        network(9).save(tmp_path / "m")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["m"]
    assert bits(models.load_model(tmp_path / "m")) == bits(model)


@pytest.mark.parametrize("moment", ["write", "before the sync", "before the rename", "after"])
def test_death_in_the_middle(moment, tmp_path):
    """The kernel kills the process half-way through the file, or at a step of saving."""
    path = tmp_path / "m"
    old, new = network(), network(9)
    old.save(path)
    half = path.stat().st_size // 2
    steps = {
        "write": "signal.signal(signal.SIGXFSZ, signal.SIG_DFL); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, {half}))",
        "before the sync": "os.fsync = die",
        "before the rename": "os.replace = die",
        "after": "_files.sync_folder = die",
    }
    result = run(
        "import os, resource, signal",
        "from model_files import *",
        "from pyconv import _files",
        "model = network(9)",
        "die = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)",
        steps[moment],
        f"model.save({str(path)!r})",
        check=False,
    )
    assert result.returncode < 0
    assert bits(models.load_model(path)) == bits(new if moment == "after" else old)
    left = [tmp_path / name for name in os.listdir(tmp_path) if name != "m"]
    assert len(left) == (moment != "after")
    if moment == "write":
        assert left[0].stat().st_size == half
        with pytest.raises(ValueError, match="is damaged or no model file"):
            models.load_model(left[0])
    # The next save succeeds.
    new.save(path)
    assert bits(models.load_model(path)) == bits(new)
