"""``pyconv summary``."""

import argparse

from pyconv import models, zoo


def run(arguments: argparse.Namespace) -> int:
    """Print the layers of a network of the course, or of a saved model."""
    networks = {"cnn": zoo.deck_cnn, "mlp": zoo.deck_mlp}
    if arguments.model in networks:
        networks[arguments.model]().summary()
    else:
        models.load_model(arguments.model).summary()
    return 0
