"""``pyconv train``."""

import argparse
import json
import os
import sys
import time
from typing import Any

import numpy as np

from pyconv import callbacks, datasets, models, optimizers, utils, zoo
from pyconv.backend import set_num_threads


def run(arguments: argparse.Namespace) -> int:
    """Train, keep the best checkpoint, and write curves and a confusion matrix."""
    if arguments.threads:
        set_num_threads(arguments.threads)
    utils.set_random_seed(arguments.seed)
    data = datasets.load(arguments.dataset, arguments.data)
    print(data.why, flush=True)
    folder = _folder(arguments)
    split = min(5000, len(data.x_train) // 10)
    network = zoo.deck_cnn if arguments.model == "cnn" else zoo.deck_mlp
    model = network(data.input_shape, len(data.class_names))
    model.compile(_optimizer(arguments), "categorical_crossentropy", metrics=["accuracy"])
    model.summary()

    x_train, y_train = _scaled(data.x_train), utils.to_categorical(data.y_train, _classes(data))
    x_test, y_test = _scaled(data.x_test), utils.to_categorical(data.y_test, _classes(data))
    best = os.path.join(folder, "best.safetensors")
    with open(os.path.join(folder, "classes.json"), "w") as file:
        json.dump(list(data.class_names), file)
    try:
        model.fit(
            x_train[split:],
            y_train[split:],
            arguments.batch_size,
            arguments.epochs,
            callbacks=[
                callbacks.ModelCheckpoint(best, save_best_only=True),
                callbacks.CSVLogger(os.path.join(folder, "history.csv")),
            ],
            validation_data=(x_train[:split], y_train[:split]),
        )
    except KeyboardInterrupt:
        kept = best if os.path.exists(best) else "no checkpoint yet"
        print(f"interrupted; the best checkpoint so far: {kept}", file=sys.stderr)
        return 130
    model = models.load_model(best)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    _figures(folder, model, x_test, data, model_history(folder))
    print(f"results in {folder}")
    print(f"test accuracy: {accuracy:.4f}")
    return 0


def model_history(folder: str) -> dict[str, list[float]]:
    """Return the columns of history.csv."""
    import csv

    with open(os.path.join(folder, "history.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in (rows[0] if rows else {})}


def _folder(arguments: argparse.Namespace) -> str:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder: str = arguments.out or os.path.join("runs", f"{stamp}-{arguments.model}")
    if os.path.isdir(folder) and os.listdir(folder):
        raise ValueError(f"--out {folder} holds files already; name a new or an empty folder")
    os.makedirs(folder, exist_ok=True)
    return folder


def _optimizer(arguments: argparse.Namespace) -> Any:
    optimizer = optimizers.get(arguments.optimizer)
    if arguments.lr is not None:
        optimizer.learning_rate = arguments.lr
    return optimizer


def _classes(data: Any) -> int:
    return len(data.class_names)


def _scaled(images: Any) -> Any:
    scaled = images.astype(np.float32)
    scaled /= 255
    return scaled


def _figures(folder: str, model: Any, x_test: Any, data: Any, history: Any) -> None:
    from pyconv import viz

    predicted = model.predict(x_test, batch_size=256, verbose=0).argmax(axis=1)
    try:
        curves = viz.learning_curves(history)
        matrix = viz.confusion_matrix(data.y_test, predicted, data.class_names)
    except ImportError as error:
        print(f"no pictures: {error}")
        return
    curves.savefig(os.path.join(folder, "learning_curves.png"), dpi=120)
    matrix.savefig(os.path.join(folder, "confusion_matrix.png"), dpi=120)
