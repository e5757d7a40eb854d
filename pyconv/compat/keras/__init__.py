"""Keras's package on pyconv: ``import pyconv.compat.keras as keras``."""

from pyconv.compat import _unsupported
from pyconv.compat.keras import (
    activations,
    applications,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    utils,
)
from pyconv.compat.keras.dtype_policies import DTypePolicy, FloatDTypePolicy
from pyconv.compat.keras.layers import Input
from pyconv.compat.keras.models import Model, Sequential

__version__ = "2.0.0"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Input",
    "Model",
    "Sequential",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
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
