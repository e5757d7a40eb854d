"""``pyconv evaluate``."""

import argparse

from pyconv import datasets, models, utils
from pyconv.cli._record import read_record
from pyconv.datasets._load import scaled


def run(arguments: argparse.Namespace) -> int:
    """Print loss and accuracy of a saved model on a test set."""
    model = models.load_model(arguments.model, compile=False)
    record = read_record(arguments.model)
    name = arguments.dataset
    if name == "auto" and arguments.data is None and record:
        name = record.dataset
    data = datasets.load(name, arguments.data)
    print(data.why)
    classes = len(data.class_names)
    wanted = (None, *data.input_shape), (None, classes)
    got = tuple(model.input_shape), tuple(model.output_shape)
    if got != wanted:
        raise ValueError(
            f"{arguments.model} maps {got[0]} to {got[1]}, {data.name} needs {wanted[0]} to "
            f"{wanted[1]}"
        )
    if record and record.class_names != list(data.class_names):
        raise ValueError(
            f"{arguments.model} was trained on {record.dataset}, whose classes are not those of "
            f"{data.name}"
        )
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    labels = utils.to_categorical(data.y_test, classes)
    loss, accuracy = model.evaluate(scaled(data.x_test), labels, batch_size=256, verbose=0)
    print(f"test loss: {loss:.4f}")
    print(f"test accuracy: {accuracy:.4f}")
    return 0
