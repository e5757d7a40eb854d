"""``pyconv summary``."""

import argparse

from pyconv import models, zoo


def run(arguments: argparse.Namespace) -> int:
    """Print the layers of one of the library's networks, or of a saved model."""
    if arguments.model in zoo.NETWORKS:
        zoo.NETWORKS[arguments.model]().summary(expand_nested=True)
        return 0
    try:
        model = models.load_model(arguments.model)
    except FileNotFoundError:
        known = ", ".join(zoo.NETWORKS)
        raise ValueError(f"MODEL must be {known} or a file, got {arguments.model!r}") from None
    model.summary(expand_nested=True)
    return 0
