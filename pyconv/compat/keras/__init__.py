"""Keras's package on pyconv: ``import pyconv.compat.keras as keras``."""

from pyconv.compat import _unsupported
from pyconv.compat.keras import (
    activations,
    applications,
    backend,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    utils,
)
from pyconv.compat.keras.layers import Input
from pyconv.compat.keras.models import Model, Sequential

__version__ = "2.0.0"

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "utils",
]

__getattr__ = _unsupported.getter(__name__)
