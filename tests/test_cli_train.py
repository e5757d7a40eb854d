"""`pyconv train`: what it trains on, what it writes, and where it cannot."""

import json
import os
import pwd
import sys
import time

import cli_helpers
import numpy as np
import pytest
from cli_helpers import RESULTS, rows, train

import pyconv
from pyconv.cli import main
from pyconv.datasets import _search
from pyconv.datasets._download import DownloadError


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch, threads):
    """An empty working folder and home, no network; the number of threads is given back."""
    for variable in ("PYCONV_DATA", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)

    def no_network(remote, folder):
        raise DownloadError("the network is off")

    monkeypatch.setattr(_search, "download", no_network)


@pytest.fixture
def cifar(tmp_path):
    return cli_helpers.write_cifar10(tmp_path / "cifar-10-batches-bin")


def test_results(cifar, tmp_path, capsys):
    out = tmp_path / "new" / "run"
    assert train(cifar, out, "--epochs", "2") == 0
    assert sorted(os.listdir(out)) == RESULTS
    assert [row["epoch"] for row in rows(out)] == ["0", "1"]
    assert set(rows(out)[0]) == {"epoch", "accuracy", "loss", "val_accuracy", "val_loss"}
    for name in ("confusion_matrix.png", "learning_curves.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    text = capsys.readouterr().out
    assert f"CIFAR-10 from {cifar} (60 training and 12 test images).\n" in text
    assert "Total params: 528,054 " in text
    assert f"\nresults in {out}: {', '.join(RESULTS)}\n" in text

    # The accuracy that is printed is that of the best checkpoint on the test images.
    (_, _), (x, y) = pyconv.datasets.cifar10.load_data(cifar)
    model = pyconv.models.load_model(out / "best.safetensors")
    right = model.predict(x / 255, verbose=0).argmax(axis=1) == y.reshape(-1)
    assert text.splitlines()[-1] == f"test accuracy: {right.mean():.4f}"


def test_best_checkpoint_is_that_of_the_least_validation_loss(cifar, tmp_path, capsys):
    assert train(cifar, tmp_path / "run", "--epochs", "6", "--lr", "0.01") == 0
    history = rows(tmp_path / "run")
    losses = [float(row["val_loss"]) for row in history]
    best = losses.index(min(losses))
    assert best < 5  # else this test would prove nothing
    accuracy = float(history[best]["val_accuracy"])
    out = capsys.readouterr().out
    assert f"\nvalidation accuracy: {accuracy:.4f} (epoch {best + 1})\n" in out
    (x, y), _ = pyconv.datasets.cifar10.load_data(cifar)
    model = pyconv.models.load_model(tmp_path / "run" / "best.safetensors")
    labels = pyconv.utils.to_categorical(y[:6], 10)
    loss, _ = model.evaluate(x[:6] / np.float32(255), labels, verbose=0)
    assert loss == pytest.approx(min(losses), rel=1e-5)


def test_record(cifar, tmp_path):
    assert train(cifar, tmp_path / "run", "--seed", "3", "--optimizer", "adam") == 0
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert record["dataset"] == "cifar10"
    assert record["class_names"] == list(pyconv.datasets.cifar10.CLASS_NAMES)
    settings = {"model": "cnn", "epochs": 1, "batch_size": 32, "optimizer": "adam", "seed": 3}
    assert record["settings"] == {**settings, "lr": None}


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_same_bits_for_any_number_of_threads(model, cifar, tmp_path):
    def bits(out, *options):
        assert train(cifar, out, "--model", model, *options) == 0
        weights = pyconv.models.load_model(out / "best.safetensors").get_weights()
        return (out / "history.csv").read_bytes(), [array.tobytes() for array in weights]

    one, two, three = (
        bits(tmp_path / threads, "--seed", "5", "--threads", threads) for threads in "123"
    )
    assert pyconv.get_num_threads() == 3
    assert one == two == three
    history, weights = bits(tmp_path / "other", "--seed", "6")
    assert history != one[0]
    assert weights != one[1]


@pytest.mark.parametrize("size", ["1", "2147483647"])
def test_batches_of_one_and_of_all(size, cifar, tmp_path, capsys):
    assert train(cifar, tmp_path / "run", "--batch-size", size) == 0
    steps = 54 if size == "1" else 1
    assert f"\n{steps}/{steps} " in capsys.readouterr().out


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_optimizers_and_learning_rates(optimizer, cifar, tmp_path):
    options = ("--optimizer", optimizer)
    assert train(cifar, tmp_path / "own", *options) == 0
    assert train(cifar, tmp_path / "set", *options, "--lr", "0.25") == 0
    own, changed = (
        pyconv.models.load_model(tmp_path / name / "best.safetensors").optimizer
        for name in ("own", "set")
    )
    assert type(own) is type(changed) is type(pyconv.optimizers.get(optimizer))
    assert own.learning_rate == pyconv.optimizers.get(optimizer).learning_rate
    assert changed.learning_rate == 0.25


def test_a_network_with_layers_in_layers(cifar, tmp_path, capsys):
    assert train(cifar, tmp_path / "run", "--model", "resnet20") == 0
    assert "residual (Residual)" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "run" / "best.safetensors"), "--data", str(cifar)]) == 0
    assert main(["summary", "resnet20"]) == 0
    assert "└ batch_normalization" in capsys.readouterr().out


def test_mlp_on_fashion_mnist(tmp_path, capsys):
    folder = cli_helpers.write_fashion_mnist(tmp_path / "fashion")
    assert train(folder, tmp_path / "run", "--model", "mlp") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Fashion-MNIST from {folder} (40 training and 40 test images).\n")
    assert "(None, 784)" in out
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert record["dataset"] == "fashion_mnist"


def test_auto_takes_cifar10_where_it_is(cifar, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PYCONV_DATA", str(cifar.parent))
    assert main(["train", "--epochs", "1", "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.startswith(f"CIFAR-10 from {cifar} (60 training")


def test_auto_without_network(tmp_path, capsys):
    options = ["--epochs", "1", "--batch-size", "256", "--out", str(tmp_path / "run")]
    assert main(["train", *options]) == 0
    assert capsys.readouterr().out.startswith(
        "CIFAR-10 is not on this machine and could not be downloaded (the network is off); "
        "instead shapes10, drawn by pyconv (10,000 training and 2,000 test images).\n"
    )
    record = json.loads((tmp_path / "run" / "training.json").read_text())
    assert record["dataset"] == "shapes10"


def test_auto_with_a_wrong_folder_in_the_environment(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PYCONV_DATA", str(tmp_path / "nothing"))
    options = ["--epochs", "1", "--batch-size", "256", "--out", str(tmp_path / "run")]
    assert main(["train", *options]) == 0
    folder = tmp_path / "nothing"
    assert f"not on this machine, nor in PYCONV_DATA ({folder}), and" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cifar10", "fashion_mnist"])
def test_data_set_that_is_not_to_be_had(name, tmp_path, capsys):
    assert main(["train", "--dataset", name, "--out", str(tmp_path / "run")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"pyconv train: {name}.load_data: " in err
    assert "was not found" in err
    assert "PYCONV_DATA: not set" in err
    assert "the network is off" in err
    assert not (tmp_path / "run").exists()


def test_without_a_home_folder(cifar, tmp_path, capsys, monkeypatch):
    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert main(["train", "--dataset", "cifar10", "--out", str(tmp_path / "run")]) == 1
    assert "there is no home folder to put it in; set XDG_CACHE_HOME" in capsys.readouterr().err
    assert train(cifar, tmp_path / "run") == 0


def test_without_matplotlib(cifar, tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert train(cifar, tmp_path / "run") == 0
    out = capsys.readouterr().out
    assert "\nno pictures: figures need matplotlib: pip install matplotlib, or pyconv with" in out
    assert "\ntest accuracy: " in out
    assert sorted(os.listdir(tmp_path / "run")) == [r for r in RESULTS if not r.endswith("png")]


def test_folders_of_two_runs_in_the_same_second(cifar, capsys, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda form: "20300102-030405")
    for _ in range(2):
        assert main(["train", "--data", str(cifar), "--epochs", "1"]) == 0
    assert sorted(os.listdir("runs")) == ["20300102-030405-cnn", "20300102-030405-cnn-2"]


def test_folder_that_holds_files(cifar, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("precious")
    assert train(cifar, tmp_path / "run") == 1
    assert "run holds files already; name a new or an empty folder" in capsys.readouterr().err
    assert os.listdir(tmp_path / "run") == ["mine"]


def test_folders_that_cannot_be_written(cifar, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    for out, reason in (("file", "File exists"), ("file/run", "Not a directory")):
        assert train(cifar, tmp_path / out) == 1
        assert capsys.readouterr() == ("", f"pyconv train: {tmp_path / out}: {reason}\n")
    assert train(cifar, "") == 1
    assert capsys.readouterr().err == "pyconv train: --out must name a folder, got ''\n"
    # The superuser may write anywhere: only the answer of the system can be replaced.
    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert train(cifar, tmp_path / "locked") == 1
    assert "locked cannot be written to" in capsys.readouterr().err
    assert (tmp_path / "locked").is_dir()


@pytest.mark.parametrize("images", [1, 2])
def test_very_few_images(images, tmp_path):
    folder = cli_helpers.write_cifar10(tmp_path / "few", images)
    assert train(folder, tmp_path / "run") == 0


def test_loss_that_is_never_a_number(cifar, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(cifar, out, "--lr", "1e38", "--optimizer", "sgd", "--epochs", "2") == 1
    assert "the loss on the validation images was never a number" in capsys.readouterr().err
    kept = ["history.csv", "last.safetensors", "learning_curves.png", "training.json"]
    assert sorted(os.listdir(out)) == kept
    assert [row["val_loss"] for row in rows(out)] == ["nan", "nan"]
