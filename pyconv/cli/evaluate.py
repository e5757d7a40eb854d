"""``pyconv evaluate``."""

import argparse

from pyconv import datasets, models, utils
from pyconv.cli.train import _scaled


def run(arguments: argparse.Namespace) -> int:
    """Print loss and accuracy of a saved model on a test set."""
    model = models.load_model(arguments.model)
    data = datasets.load(arguments.dataset, arguments.data)
    print(data.why)
    labels = utils.to_categorical(data.y_test, len(data.class_names))
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(_scaled(data.x_test), labels, batch_size=256, verbose=0)
    print(f"test loss: {loss:.4f}")
    print(f"test accuracy: {accuracy:.4f}")
    return 0
