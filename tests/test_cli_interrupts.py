"""`pyconv train` that is cut short: what was trained is kept."""

import os
import signal
import time

import cli_helpers
import pytest
from cli_helpers import RESULTS, rows

import pyconv
from pyconv.cli import main


@pytest.fixture
def cifar(tmp_path):
    return cli_helpers.write_cifar10(tmp_path / "cifar")


def test_interrupted_between_epochs(cifar, tmp_path):
    options = ("--data", str(cifar), "--epochs", "100000", "--out", "run")
    process = cli_helpers.start("train", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 4/"):
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert sorted(os.listdir(tmp_path / "run")) == RESULTS
    epochs = len(rows(tmp_path / "run"))
    assert epochs >= 3
    assert err == f"interrupted after {epochs} of 100000 epochs\n"
    assert out.splitlines()[-1].startswith("test accuracy: ")
    pyconv.models.load_model(tmp_path / "run" / "best.safetensors")


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_reader_of_the_output_goes_away(interrupted, cifar, tmp_path):
    options = ("--data", str(cifar), "--epochs", "100000", "--out", "run")
    process = cli_helpers.start("train", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 2/"):
        pass
    # With an interrupt it is what Ctrl-C does to `pyconv train | tee log`.
    process.send_signal(signal.SIGSTOP)
    process.stdout.close()
    if interrupted:
        process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=60) == 141
    epochs = len(rows(tmp_path / "run"))
    assert process.stderr.read() == f"interrupted after {epochs} of 100000 epochs\n"
    process.stderr.close()
    assert sorted(os.listdir(tmp_path / "run")) == RESULTS


def test_interrupted_in_the_first_epoch(tmp_path):
    options = ("--dataset", "shapes10", "--batch-size", "1", "--out", "run")
    process = cli_helpers.start("train", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 1/"):
        pass
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted in the first epoch; the model so far is in run\n"
    kept = ["history.csv", "last.safetensors", "training.json"]
    assert sorted(os.listdir(tmp_path / "run")) == kept
    model = pyconv.models.load_model(tmp_path / "run" / "last.safetensors")
    assert model.optimizer.iterations > 0


def test_interrupted_before_training(tmp_path, capsys, monkeypatch):
    def interrupted(name, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(pyconv.datasets, "load", interrupted)
    assert main(["train", "--out", str(tmp_path / "run")]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")
    assert not (tmp_path / "run").exists()
