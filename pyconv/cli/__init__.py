"""The command line: ``pyconv train``, ``evaluate``, ``predict``, ``summary`` and ``doctor``."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

_DATASETS = ("auto", "cifar10", "fashion_mnist", "shapes10")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C.

    Args:
        argv: the arguments, by default those of the process.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = import_module(f"pyconv.cli.{arguments.command}").run(arguments)
        return status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ImportError, MemoryError, OSError, TypeError, ValueError) as error:
        print(f"pyconv {arguments.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    from pyconv import __version__

    parser = argparse.ArgumentParser(prog="pyconv", description="Train convolutional networks.")
    parser.add_argument("--version", action="version", version=f"pyconv {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train the course's network on a data set")
    train.add_argument("--model", choices=("cnn", "mlp"), default="cnn")
    _add_data(train)
    train.add_argument("--epochs", type=_positive, default=5)
    train.add_argument("--batch-size", type=_positive, default=32)
    train.add_argument("--optimizer", default="rmsprop", help="sgd, rmsprop, adam or adamw")
    train.add_argument("--lr", type=float, help="learning rate; the optimizer's own by default")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=_positive, help="all cores by default")
    train.add_argument("--out", metavar="DIR", help="folder of the results; a new one in runs/")

    evaluate = commands.add_parser("evaluate", help="loss and accuracy of a saved model")
    evaluate.add_argument("model", metavar="MODEL", help="a file that training wrote")
    _add_data(evaluate)

    predict = commands.add_parser("predict", help="classes of images (needs Pillow)")
    predict.add_argument("model", metavar="MODEL", help="a file that training wrote")
    predict.add_argument("images", metavar="IMAGE", nargs="+")
    predict.add_argument("--top", type=_positive, default=3, help="classes to show (3)")

    summary = commands.add_parser("summary", help="layers and parameters of a model")
    summary.add_argument("model", nargs="?", default="cnn", help="cnn, mlp or a file")

    commands.add_parser("doctor", help="versions, instruction sets, threads and a self-test")
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="PATH", help="folder or archive of the data set")
    parser.add_argument("--dataset", choices=_DATASETS, default="auto")


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return number
