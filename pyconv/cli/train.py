"""``pyconv train``."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyconv import callbacks, datasets, models, optimizers, utils, zoo
from pyconv._devices import set_device
from pyconv.backend import set_num_threads
from pyconv.cli import INTERRUPTED
from pyconv.cli._record import Record, write_record
from pyconv.cli._results import results_folder
from pyconv.datasets import Dataset
from pyconv.datasets._load import scaled
from pyconv.models import Sequential

_SETTINGS = ("model", "epochs", "batch_size", "optimizer", "lr", "seed")


def run(arguments: argparse.Namespace) -> int:
    """Train, keep the best checkpoint, and write curves and a confusion matrix."""
    if arguments.threads is not None:
        set_num_threads(arguments.threads)
    if arguments.device is not None:
        set_device(arguments.device, "--device")
    utils.set_random_seed(arguments.seed)
    # The folder first: that it cannot be written must not show after a long download.
    with results_folder(arguments.out, arguments.model) as folder:
        return _train(arguments, folder)


def _train(arguments: argparse.Namespace, folder: str) -> int:
    data = datasets.load(arguments.dataset, arguments.data)
    print(data.why, flush=True)
    model = zoo.NETWORKS[arguments.model](data.input_shape, len(data.class_names))
    model.summary()
    model.compile(chosen_optimizer(arguments), "categorical_crossentropy", metrics=["accuracy"])
    settings = {name: getattr(arguments, name) for name in _SETTINGS}
    write_record(folder, Record(data.name, list(data.class_names), settings))

    best = os.path.join(folder, "best.safetensors")
    try:
        finished = _fit(model, data, arguments, folder, best)
        if not os.path.exists(best):
            # No epoch was finished, or none had a loss that is a number.
            model.save(os.path.join(folder, "last.safetensors"))
        history = model.history.history if model.history else {}
        if not history:
            print(
                f"interrupted in the first epoch; the model so far is in {folder}", file=sys.stderr
            )
            return INTERRUPTED
        accuracy = _report(folder, best, data, history)
    except KeyboardInterrupt:
        print(f"\ninterrupted; what was trained is in {folder}", file=sys.stderr)
        return INTERRUPTED
    epochs = len(next(iter(history.values())))
    if not finished:
        print(f"interrupted after {epochs} of {arguments.epochs} epochs", file=sys.stderr)
    print(f"results in {folder}: {', '.join(sorted(os.listdir(folder)))}")
    if accuracy is None:
        raise ValueError("the loss on the validation images was never a number; try a smaller --lr")
    # The epoch of the least loss, as ModelCheckpoint and the figures have it.
    losses = history["val_loss"]
    chosen = losses.index(np.nanmin(losses))
    print(f"validation accuracy: {history['val_accuracy'][chosen]:.4f} (epoch {chosen + 1})")
    print(f"test accuracy: {accuracy:.4f}")
    return 0 if finished else INTERRUPTED


def _fit(
    model: Sequential, data: Dataset, arguments: argparse.Namespace, folder: str, best: str
) -> bool:
    """Train; False where Ctrl-C, or the end of whoever reads the output, cut it short."""
    training, validation = data.split()
    try:
        model.fit(
            *training,
            arguments.batch_size,
            arguments.epochs,
            callbacks=[
                callbacks.ModelCheckpoint(best, save_best_only=True),
                callbacks.CSVLogger(os.path.join(folder, "history.csv")),
            ],
            validation_data=validation,
        )
    except (BrokenPipeError, KeyboardInterrupt):
        return False
    return True


def _report(
    folder: str, best: str, data: Dataset, history: Mapping[str, Sequence[float]]
) -> float | None:
    """Write the figures; return the best model's test accuracy, None without one."""
    accuracy, predicted = None, None
    if os.path.exists(best):
        model = models.load_model(best, compile=False)
        scores = model.predict(scaled(data.x_test), batch_size=256, verbose=0)
        predicted = scores.argmax(axis=1)
        accuracy = float((predicted == data.y_test).mean())
    try:
        from pyconv import viz

        curves = viz.learning_curves(history)
        curves.savefig(os.path.join(folder, "learning_curves.png"), dpi=120)
        if predicted is not None:
            matrix = viz.confusion_matrix(data.y_test, predicted, data.class_names)
            matrix.savefig(os.path.join(folder, "confusion_matrix.png"), dpi=120)
    except ImportError as error:
        print(f"no pictures: {error}")
    return accuracy


def chosen_optimizer(arguments: argparse.Namespace) -> Any:
    """Return the optimizer of ``--optimizer`` and ``--lr``."""
    optimizer = optimizers.get(arguments.optimizer)
    if arguments.lr is not None:
        optimizer.learning_rate = arguments.lr
    return optimizer
