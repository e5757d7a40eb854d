"""The command line as a whole: usage, messages, exit statuses and streams."""

import contextlib
import os
import pty
import re
import subprocess
import sys

import cli_helpers
import pytest

import pyconv
from pyconv import zoo
from pyconv.cli import _arguments, main

COMMANDS = ("train", "compare", "evaluate", "predict", "summary", "bench", "doctor")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([command, "-h"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: pyconv {command} ")
    # A sentence on the command, and each option with its metavariable or default.
    assert re.search(r"\n\n[A-Z].*\.\n\n", out)


def test_networks_are_those_of_the_zoo():
    assert list(_arguments.NETWORKS) == list(zoo.NETWORKS)


def test_help_names_each_command_and_option(capsys):
    with pytest.raises(SystemExit):
        main(["-h"])
    out = capsys.readouterr().out
    assert all(re.search(rf"^ +{command} +\w", out, re.M) for command in COMMANDS)
    with pytest.raises(SystemExit):
        main(["train", "-h"])
    out = capsys.readouterr().out
    for option in [
        "model",
        "data",
        "dataset",
        "epochs",
        "batch-size",
        "optimizer",
        "lr",
        "seed",
        "threads",
        "out",
    ]:
        assert re.search(rf"^  --{option} [^\n]*(\n +)?[^\n]*\w", out, re.M), option


def test_version(tmp_path):
    assert cli_helpers.run("--version", home=tmp_path) == (0, f"pyconv {pyconv.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["trian"], "invalid choice: 'trian'"),
        (["train", "--epochs", "0"], "--epochs: must be an integer from 1 to 2147483647, got '0'"),
        (["train", "--epochs", "1.5"], "--epochs: must be an integer from 1"),
        (["train", "--batch-size", "-1"], "--batch-size: must be an integer from 1"),
        (["train", "--batch-size", str(10**30)], "--batch-size: must be an integer from 1"),
        (["train", "--batch-size", "9" * 5000], "--batch-size: must be an integer from 1"),
        (["train", "--seed", "-1"], "--seed: must be an integer from 0 to 4294967295, got '-1'"),
        (["train", "--seed", str(2**32)], "--seed: must be an integer from 0"),
        (["train", "--threads", "0"], "--threads: must be an integer from 1 to 256, got '0'"),
        (["train", "--threads", "257"], "--threads: must be an integer from 1 to 256"),
        (["train", "--lr", "nan"], "--lr: must be a number of at least 0, got 'nan'"),
        (["train", "--lr", "inf"], "--lr: must be a number of at least 0"),
        (["train", "--lr", "-0.1"], "--lr: must be a number of at least 0"),
        (["train", "--optimizer", "lion"], "--optimizer: invalid choice: 'lion'"),
        (["train", "--model", "rnn"], "--model: invalid choice: 'rnn'"),
        (["train", "--dataset", "mnist"], "--dataset: invalid choice: 'mnist'"),
        (["train", "--nothing"], "unrecognized arguments: --nothing"),
        (["evaluate"], "MODEL"),
        (["predict", "model"], "IMAGE"),
        (["predict", "--top", "0", "model", "image"], "--top: must be an integer from 1"),
        (["doctor", "all"], "unrecognized arguments: all"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: pyconv")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "nothing"], "path 'nothing' does not exist"),
        (["train", "--data", ""], "path must name a file or a folder, got ''"),
        (["train", "--dataset", "shapes10", "--data", "x"], "shapes10 is drawn, not read"),
        (["evaluate", "nothing"], "nothing: No such file or directory"),
        (["predict", "nothing", "image"], "nothing: No such file or directory"),
        (["summary", "nothing"], "resnet56 or a file, got 'nothing'"),
        (["summary", "."], ".: Is a directory"),
        (["summary", "text"], "text is damaged or no model file"),
        (["evaluate", "text"], "text is damaged or no model file"),
    ],
)
def test_what_cannot_be_read(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("hello")
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"pyconv {arguments[0]}: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) in (["text"], ["runs", "text"])
    assert not os.path.exists("runs") or not os.listdir("runs")


@pytest.mark.parametrize("command", [["doctor"], ["summary"], ["train", "--dataset", "shapes10"]])
@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PYCONV_NUM_THREADS", "four", "must be an integer from 1 to 256, got 'four'"),
        ("PYCONV_NUM_THREADS", "0", "must be an integer from 1 to 256, got '0'"),
        ("PYCONV_NUM_THREADS", "9" * 30, "must be an integer from 1 to 256, got '999"),
        ("PYCONV_ISA", "sse9", "must be one of "),
    ],
)
def test_wrong_environment(command, variable, value, message, tmp_path):
    status, out, err = cli_helpers.run(*command, home=tmp_path, env={variable: value})
    assert (status, out) == (1, "")
    assert err.startswith(f"pyconv {command[0]}: {variable}: {message}")
    assert err.count("\n") == 1


def test_import_with_a_wrong_environment(tmp_path):
    code = (
        "import pyconv\n"
        "try: pyconv.ops\n"
        "except ImportError as error: print(error)\n"
        "else: raise SystemExit('no error')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=cli_helpers.environment(tmp_path, PYCONV_ISA="sse9"),
        cwd=tmp_path,
        text=True,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"PYCONV_ISA: must be one of [\w, ]*baseline on this CPU, got 'sse9'\n", done.stdout
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["summary", "doctor", "-h"])
def test_reader_that_went_away(command, unbuffered, tmp_path):
    env = {"PYTHONUNBUFFERED": unbuffered}
    with cli_helpers.no_reader() as pipe:
        status, _, err = cli_helpers.run(command, home=tmp_path, env=env, stdout=pipe)
    assert err == ""
    # argparse itself ignores that its help cannot be written.
    assert status == 141 or (command, unbuffered, status) == ("-h", "1", 0)


def test_full_disk_behind_the_output(tmp_path):
    with open("/dev/full", "w") as full:
        status, _, err = cli_helpers.run("summary", home=tmp_path, stdout=full)
    assert (status, err) == (1, "pyconv: No space left on device\n")


def test_no_output_at_all(tmp_path):
    command = f"{sys.executable} -m pyconv summary >&- 2>&-"
    env = cli_helpers.environment(tmp_path)
    assert subprocess.run(["sh", "-c", command], env=env, cwd=tmp_path).returncode == 0


def test_output_that_cannot_show_a_name(tmp_path):
    cifar = cli_helpers.write_cifar10(tmp_path / "données")
    status, out, err = cli_helpers.run(
        "train",
        "--data",
        str(cifar),
        "--epochs",
        "1",
        home=tmp_path,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert (status, err) == (0, "")
    assert "donn\\xe9es" in out


def test_a_bar_on_a_terminal_and_lines_elsewhere(tmp_path):
    cifar = cli_helpers.write_cifar10(tmp_path / "cifar")
    arguments = ["train", "--data", str(cifar), "--epochs", "2", "--out"]
    status, out, _ = cli_helpers.run(*arguments, "lines", home=tmp_path)
    assert status == 0
    assert "\r" not in out
    assert "\x1b" not in out
    master, slave = pty.openpty()
    process = cli_helpers.start(*arguments, "bar", home=tmp_path, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # what Linux raises at the end of a terminal
        while block := os.read(master, 1 << 16):
            shown += block
    os.close(master)
    assert process.wait(timeout=60) == 0
    assert b"\r\x1b[1m2/2\x1b[0m " in shown
