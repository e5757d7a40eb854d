"""The arguments of the commands. Nothing heavy is imported: ``-h`` answers at once."""

import argparse
import math
from collections.abc import Callable
from typing import Any

_COMPARE_EXAMPLES = """\
examples:
  pyconv compare                      the course's task: CIFAR-10, 5 epochs, batches of 32
  pyconv compare --quick              a first look, in seconds
  pyconv compare --data cifar-10-python.tar.gz --epochs 20 --out mlp-vs-cnn

DIR then holds comparison.png (the curves and the table), comparison.json (all numbers), and for
each network its best checkpoint, as `pyconv evaluate` and `pyconv predict` take it, and epochs:
mlp/best.safetensors, mlp/history.csv, cnn/...
"""
DATASETS = ("auto", "cifar10", "fashion_mnist", "shapes10")
# The networks of pyconv.zoo.
NETWORKS = (
    "cnn",
    "mlp",
    "lenet5",
    "alexnet",
    "vgg16",
    "googlenet",
    "resnet20",
    "resnet32",
    "resnet56",
)
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    from pyconv import __version__

    main = argparse.ArgumentParser(prog="pyconv", description="Train convolutional networks.")
    main.add_argument("--version", action="version", version=f"pyconv {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _train(_command(commands, "train", "train a network on a data set"))
    _compare(
        _command(
            commands,
            "compare",
            "train the course's MLP and CNN on the same data, side by side",
            _COMPARE_EXAMPLES,
        )
    )
    _evaluate(_command(commands, "evaluate", "loss and accuracy of a saved model"))
    _predict(_command(commands, "predict", "the most likely classes of images (needs Pillow)"))
    _summary(_command(commands, "summary", "layers and parameters of a model"))
    _bench(_command(commands, "bench", "speed beside PyTorch, ONNX Runtime, OpenVINO and Keras"))
    _command(commands, "doctor", "versions, instruction sets, threads and a self-test")
    return main


def _command(commands: Any, name: str, text: str, examples: str = "") -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def _train(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        choices=NETWORKS,
        default="cnn",
        metavar="NAME",
        help=f"network, one of {', '.join(NETWORKS)} (default: cnn, the course's)",
    )
    _training(command)


def _compare(command: argparse.ArgumentParser) -> None:
    _training(command)
    command.add_argument(
        "--quick",
        action="store_true",
        help="5,000 training and 1,000 test images at most, and 2 epochs: a first look in seconds",
    )


def _training(command: argparse.ArgumentParser) -> None:
    """Add what the commands share that train."""
    command.add_argument("--data", metavar="PATH", help="folder or archive of the data set")
    command.add_argument(
        "--dataset",
        choices=DATASETS,
        default="auto",
        help="auto (the default) is what --data holds; without it CIFAR-10 where that is found or "
        "can be downloaded, else shapes10, which is drawn",
    )
    whole = _integer(1, 2**31 - 1)
    command.add_argument("--epochs", metavar="N", type=whole, default=5, help="default: 5")
    command.add_argument(
        "--batch-size", metavar="N", type=whole, default=32, help="images of a step (default: 32)"
    )
    command.add_argument(
        "--optimizer", choices=OPTIMIZERS, default="rmsprop", help="default: rmsprop"
    )
    command.add_argument(
        "--lr", type=_learning_rate, help="learning rate (default: the optimizer's own)"
    )
    command.add_argument(
        "--seed", metavar="N", type=_integer(0, 2**32 - 1), default=0, help="default: 0"
    )
    command.add_argument(
        "--threads", metavar="N", type=_integer(1, 256), help="default: the cores of this process"
    )
    command.add_argument(
        "--device",
        metavar="NAME",
        help="auto, cpu, cuda or cuda:1 (default: PYCONV_DEVICE, or else cpu)",
    )
    command.add_argument(
        "--out", metavar="DIR", help="folder of the results (default: a new one in runs/)"
    )


def _evaluate(command: argparse.ArgumentParser) -> None:
    _model(command)
    command.add_argument("--data", metavar="PATH", help="folder or archive of the data set")
    command.add_argument(
        "--dataset",
        choices=DATASETS,
        default="auto",
        help="auto (the default) is what --data holds; without it what the model was trained on",
    )


def _predict(command: argparse.ArgumentParser) -> None:
    _model(command)
    command.add_argument("images", metavar="IMAGE", nargs="+", help="a file, or a folder of images")
    command.add_argument(
        "--top", metavar="N", type=_integer(1, 2**31 - 1), default=3, help="classes (default: 3)"
    )
    command.add_argument(
        "--submission",
        metavar="FILE",
        help="write id,label of all images, as Kaggle's competition on CIFAR-10 takes it",
    )


def _summary(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        default="cnn",
        help=f"{', '.join(NETWORKS)} or a file (default: cnn)",
    )


def _bench(command: argparse.ArgumentParser) -> None:
    command.add_argument("--quick", action="store_true", help="fewer cases, within a minute")
    command.add_argument(
        "--filter",
        metavar="TEXT",
        action="append",
        default=[],
        help="cases whose names hold TEXT, such as 'training step'; may be given again",
    )
    command.add_argument("--list", action="store_true", help="print the names of the cases")
    command.add_argument(
        "--peers",
        metavar="A,B",
        help="of torch, onnxruntime, openvino and keras (default: all; with --quick not keras)",
    )
    command.add_argument(
        "--threads", metavar="N", type=_integer(1, 256), help="default: the cores of this process"
    )
    command.add_argument(
        "--isa",
        choices=("avx512", "avx2", "baseline", "neon"),
        help="hold each library to an instruction set (default: what each takes)",
    )
    command.add_argument(
        "--device", metavar="NAME", help="cuda or cuda:1 for a GPU, beside PyTorch (default: cpu)"
    )
    command.add_argument(
        "--precision",
        choices=("highest", "high"),
        default="highest",
        help="of products of float32 on a GPU; high is TF32 (default: highest)",
    )
    command.add_argument("--json", metavar="FILE", help="write all numbers")
    command.add_argument("--plot", metavar="FILE", help="write a roofline plot (needs matplotlib)")
    command.add_argument("--write-readme", metavar="FILE", help="rewrite a file's table of speeds")


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="a file that training wrote")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:  # no number, or one of thousands of digits
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"must be an integer from {low} to {high}, got {text[:50]!r}"
            )
        return number

    return convert


def _learning_rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, got {text[:50]!r}")
    return number
