"""`pyconv compare`: what it trains, prints and writes, and how it ends when it is cut short."""

import csv
import json
import os
import re
import runpy
import signal
import sys
from pathlib import Path

import cli_helpers
import pytest

import pyconv
from pyconv.cli import compare, main

EXAMPLE = Path(__file__).parents[1] / "examples" / "mlp_vs_cnn.py"
NETWORK = ["best.safetensors", "history.csv", "training.json"]


@pytest.fixture
def cifar(tmp_path):
    return cli_helpers.write_cifar10(tmp_path / "cifar")


@pytest.fixture(autouse=True)
def _threads_given_back(threads):
    pass


def run(data, out, *options):
    return main(["compare", "--data", str(data), "--out", str(out), *options])


def files(out):
    return {
        name: sorted(os.listdir(out / name)) for name in ("cnn", "mlp") if (out / name).is_dir()
    }


def last_rows(text):
    """Return the cells of the table by network."""
    lines = text.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("network "))
    assert re.split("  +", lines[heading]) == [
        *("network", "parameters", "s/epoch", "best epoch", "training", "validation", "test")
    ]
    rows = [re.split("  +", line) for line in lines[heading + 1 :] if line[:3] in ("MLP", "CNN")]
    return {name: cells for name, *cells in rows}


def test_results(cifar, tmp_path, capsys):
    out = tmp_path / "new" / "run"
    assert run(cifar, out, "--epochs", "2", "--seed", "5") == 0
    assert files(out) == {"cnn": NETWORK, "mlp": NETWORK}
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    text = capsys.readouterr().out
    assert text.startswith(f"CIFAR-10 from {cifar} (60 training and 12 test images).\nMLP: 3,590,6")
    assert f"results in {out}: cnn, comparison.json, comparison.png, mlp\n" in text

    # The table, the JSON and the files say the same.
    table, written = last_rows(text), json.loads((out / "comparison.json").read_text())
    assert list(table) == ["MLP", "CNN"]
    assert (written["dataset"], written["interrupted"]) == ("cifar10", False)
    settings = written["settings"]
    assert (settings["epochs"], settings["batch_size"], settings["seed"]) == (2, 32, 5)
    assert (settings["training_images"], settings["validation_images"]) == (54, 6)
    for network in written["networks"]:
        parameters, _, best, *accuracies = table[network["name"]]
        assert parameters == f"{network['parameters']:,}"
        assert best == f"{network['best_epoch']} of 2"
        assert accuracies == [f"{value:.4f}" for value in network["accuracy"].values()]
        folder = out / network["name"].lower()
        with open(folder / "history.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for key, values in network["history"].items():
            assert [float(row[key]) for row in rows] == pytest.approx(values, abs=1e-6)
        # Each checkpoint is that of a training, for the other commands.
        assert main(["evaluate", str(folder / "best.safetensors"), "--data", str(cifar)]) == 0
        assert capsys.readouterr().out.endswith(f"test accuracy: {accuracies[2]}\n")


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_each_network_is_that_of_train(model, cifar, tmp_path):
    options = ("--epochs", "2", "--batch-size", "16", "--optimizer", "sgd", "--lr", "0.02")
    assert run(cifar, tmp_path / "both", *options, "--seed", "9") == 0
    alone = tmp_path / "alone"
    assert cli_helpers.train(cifar, alone, "--model", model, *options, "--seed", "9") == 0
    together = tmp_path / "both" / model
    for name in ("history.csv", "training.json"):
        assert (together / name).read_bytes() == (alone / name).read_bytes()
    first, second = (
        pyconv.models.load_model(folder / "best.safetensors").get_weights()
        for folder in (together, alone)
    )
    assert [a.tobytes() for a in first] == [b.tobytes() for b in second]


def test_quick(cifar, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(compare, "_QUICK", (30, 10, 2))
    assert run(cifar, tmp_path / "run", "--quick") == 0
    text = capsys.readouterr().out
    assert "--quick: the first 30 training and 10 test images, 2 epochs at most\n" in text
    settings = json.loads((tmp_path / "run" / "comparison.json").read_text())["settings"]
    assert [settings[f"{part}_images"] for part in ("training", "validation", "test")] == [
        27,
        3,
        10,
    ]
    assert settings["epochs"] == 2
    assert run(cifar, tmp_path / "one", "--quick", "--epochs", "1") == 0
    assert last_rows(capsys.readouterr().out)["CNN"][2] == "1 of 1"


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "-h"])
    out = capsys.readouterr().out
    assert "\nexamples:\n  pyconv compare  " in out
    assert "  pyconv compare --quick  " in out
    assert max(map(len, out.splitlines())) <= 100


def test_interrupted(cifar, tmp_path):
    options = ("--data", str(cifar), "--epochs", "100000", "--out", "run")
    process = cli_helpers.start("compare", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 2/"):
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    written = json.loads((tmp_path / "run" / "comparison.json").read_text())
    assert written["interrupted"]
    (network,) = written["networks"]
    epochs = len(network["seconds"])
    assert epochs >= 1
    assert err == f"interrupted: MLP after {epochs} of 100000 epochs\n"
    assert last_rows(out)["MLP"][2] == f"{network['best_epoch']} of {epochs}"
    assert files(tmp_path / "run") == {"mlp": NETWORK}
    assert (tmp_path / "run" / "comparison.png").is_file()


def test_interrupted_in_the_second_network(cifar, tmp_path, capsys, monkeypatch):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and self.model.count_params() == 528_054:
            raise KeyboardInterrupt

    monkeypatch.setattr(pyconv.callbacks.CSVLogger, "on_epoch_begin", on_epoch_begin)
    assert run(cifar, tmp_path / "run", "--epochs", "2") == 130
    out, err = capsys.readouterr()
    assert err == "interrupted: CNN after 1 of 2 epochs\n"
    assert [cells[2][1:] for cells in last_rows(out).values()] == [" of 2", " of 1"]
    assert files(tmp_path / "run") == {"cnn": NETWORK, "mlp": NETWORK}


def test_interrupted_in_the_first_epoch(tmp_path):
    options = ("--dataset", "shapes10", "--batch-size", "1", "--out", "run")
    process = cli_helpers.start("compare", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 1/"):
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted: MLP after 0 of 5 epochs\n"
    assert last_rows(out) == {"MLP": ["3,590,642", *"-----"]}
    kept = ["history.csv", "last.safetensors", "training.json"]
    assert files(tmp_path / "run") == {"mlp": kept}


def test_the_reader_of_the_output_goes_away(cifar, tmp_path):
    options = ("--data", str(cifar), "--epochs", "100000", "--out", "run")
    process = cli_helpers.start("compare", *options, home=tmp_path)
    while not process.stdout.readline().startswith("Epoch 2/"):
        pass
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    process.stderr.close()
    assert files(tmp_path / "run") == {"mlp": NETWORK}
    assert json.loads((tmp_path / "run" / "comparison.json").read_text())["interrupted"]


def test_without_matplotlib(cifar, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(cifar, tmp_path / "run", "--epochs", "1") == 0
    out = capsys.readouterr().out
    assert "\nno picture: figures need matplotlib: pip install matplotlib, or pyconv with" in out
    assert sorted(os.listdir(tmp_path / "run")) == ["cnn", "comparison.json", "mlp"]


def test_a_loss_that_is_never_a_number(cifar, tmp_path, capsys):
    options = ("--lr", "1e38", "--optimizer", "sgd", "--epochs", "1")
    assert run(cifar, tmp_path / "run", *options) == 1
    assert "the loss of MLP on the validation images was never" in capsys.readouterr().err
    assert files(tmp_path / "run")["mlp"] == ["history.csv", "last.safetensors", "training.json"]


def test_a_folder_that_holds_files(cifar, tmp_path, capsys):
    (tmp_path / "mine").write_text("precious")
    assert run(cifar, tmp_path) == 1
    assert "holds files already; name a new or an empty folder" in capsys.readouterr().err


def test_example(cifar, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYCONV_DATA", str(cifar))
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "1"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert list(last_rows(capsys.readouterr().out)) == ["MLP", "CNN"]
    assert Path("mlp_vs_cnn.png").read_bytes().startswith(b"\x89PNG")
