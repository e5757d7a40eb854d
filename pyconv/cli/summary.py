"""``pyconv summary``."""

import argparse

from pyconv import models, zoo


def run(arguments: argparse.Namespace) -> int:
    """Print the layers of a network of the course, or of a saved model."""
    networks = {"cnn": zoo.deck_cnn, "mlp": zoo.deck_mlp}
    if arguments.model in networks:
        networks[arguments.model]().summary()
        return 0
    try:
        model = models.load_model(arguments.model)
    except FileNotFoundError:
        raise ValueError(f"MODEL must be cnn, mlp or a file, got {arguments.model!r}") from None
    model.summary()
    return 0
