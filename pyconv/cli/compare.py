"""``pyconv compare``."""

import argparse
import dataclasses
import os
import sys

from pyconv import datasets
from pyconv._devices import set_device
from pyconv.backend import set_num_threads
from pyconv.cli import INTERRUPTED
from pyconv.cli._record import Record, write_record
from pyconv.cli._results import results_folder
from pyconv.cli.train import chosen_optimizer
from pyconv.comparison import Comparison, compare
from pyconv.datasets import Dataset

_QUICK = 5000, 1000, 2  # training images, test images, epochs
_SETTINGS = ("batch_size", "optimizer", "lr", "seed")


def run(arguments: argparse.Namespace) -> int:
    """Train both networks, keep their best checkpoints, and write the table and the curves."""
    if arguments.threads is not None:
        set_num_threads(arguments.threads)
    if arguments.device is not None:
        set_device(arguments.device, "--device")
    # The folder first: that it cannot be written must not show after a long download.
    with results_folder(arguments.out, "compare") as folder:
        return _compare(arguments, folder)


def _compare(arguments: argparse.Namespace, folder: str) -> int:
    data = datasets.load(arguments.dataset, arguments.data)
    print(data.why, flush=True)
    epochs = arguments.epochs
    if arguments.quick:
        train, test, most = _QUICK
        data = _first(data, train, test)
        epochs = min(epochs, most)
        print(
            f"--quick: the first {len(data.x_train):,} training and {len(data.x_test):,} test "
            f"images, {epochs} epochs at most",
            flush=True,
        )
    try:
        result = compare(
            data,
            epochs=epochs,
            batch_size=arguments.batch_size,
            optimizer=chosen_optimizer(arguments),
            seed=arguments.seed,
            folder=folder,
        )
        _write(arguments, folder, data, result)
    except KeyboardInterrupt:
        print(f"\ninterrupted; what was trained is in {folder}", file=sys.stderr)
        return INTERRUPTED
    print(f"\n{result.table()}\n")
    print("Accuracies at the best epoch, that of the least validation loss; training with dropout.")
    print(f"results in {folder}: {', '.join(sorted(os.listdir(folder)))}")
    if result.interrupted:
        last = result.entries[-1]
        print(f"interrupted: {last.name} after {last.epochs} of {epochs} epochs", file=sys.stderr)
        return INTERRUPTED
    for entry in result.entries:
        if entry.test_accuracy is None:
            raise ValueError(
                f"the loss of {entry.name} on the validation images was never a number; try a "
                "smaller --lr"
            )
    return 0


def _write(arguments: argparse.Namespace, folder: str, data: Dataset, result: Comparison) -> None:
    settings = {name: getattr(arguments, name) for name in _SETTINGS}
    for entry in result.entries:
        model = entry.name.lower()
        record = {"model": model, "epochs": result.settings["epochs"], **settings}
        write_record(os.path.join(folder, model), Record(data.name, list(data.class_names), record))
    result.save_json(os.path.join(folder, "comparison.json"))
    try:
        result.figure().savefig(os.path.join(folder, "comparison.png"), dpi=120)
    except ImportError as error:
        print(f"no picture: {error}")


def _first(data: Dataset, train: int, test: int) -> Dataset:
    return dataclasses.replace(
        data,
        x_train=data.x_train[:train],
        y_train=data.y_train[:train],
        x_test=data.x_test[:test],
        y_test=data.y_test[:test],
    )
