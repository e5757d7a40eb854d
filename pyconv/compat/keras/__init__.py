"""Keras's package on pyconv: ``import pyconv.compat.keras as keras``."""

from pyconv.compat import _unsupported, _variables
from pyconv.compat._tensor import Tensor as KerasTensor
from pyconv.compat.keras import (
    activations,
    applications,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    engine,
    initializations,
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
    wrappers,
)
from pyconv.compat.keras.dtype_policies import DTypePolicy, FloatDTypePolicy
from pyconv.compat.keras.initializers import Initializer
from pyconv.compat.keras.layers import Input, Layer
from pyconv.compat.keras.losses import Loss
from pyconv.compat.keras.metrics import Metric
from pyconv.compat.keras.models import Model, Sequential
from pyconv.compat.keras.optimizers import Optimizer
from pyconv.compat.keras.regularizers import Regularizer
from pyconv.variable import Variable

__version__ = "2.0.0"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "engine",
    "initializations",
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
    "wrappers",
]

_variables.extend()

__getattr__ = _unsupported.getter(__name__)
