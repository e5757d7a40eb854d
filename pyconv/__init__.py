"""pyconv: a small, very fast deep-learning library for convolutional networks."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pyconv import (
        activations,
        backend,
        bounding_boxes,
        callbacks,
        comparison,
        constraints,
        custom_objects,
        datasets,
        filters,
        initializers,
        interop,
        layers,
        losses,
        metrics,
        models,
        onnx,
        ops,
        optimizers,
        preprocessing,
        regularizers,
        serialization,
        utils,
        viz,
        zoo,
    )
    from pyconv._devices import (
        device,
        devices,
        get_device,
        get_float32_precision,
        set_device,
        set_float32_precision,
    )
    from pyconv._explain import explain
    from pyconv.backend import (
        get_conv_algorithm,
        get_num_threads,
        set_conv_algorithm,
        set_num_threads,
    )
    from pyconv.layers import Input
    from pyconv.model import Sequential
    from pyconv.trace import profile

__all__ = [
    "Input",
    "Sequential",
    "__version__",
    "activations",
    "backend",
    "bounding_boxes",
    "callbacks",
    "comparison",
    "constraints",
    "custom_objects",
    "datasets",
    "device",
    "devices",
    "explain",
    "filters",
    "get_conv_algorithm",
    "get_device",
    "get_float32_precision",
    "get_num_threads",
    "initializers",
    "interop",
    "layers",
    "losses",
    "metrics",
    "models",
    "onnx",
    "ops",
    "optimizers",
    "preprocessing",
    "profile",
    "regularizers",
    "serialization",
    "set_conv_algorithm",
    "set_device",
    "set_float32_precision",
    "set_num_threads",
    "utils",
    "viz",
    "zoo",
]

_DEFINED_IN = {
    "Input": "pyconv.layers",
    "Sequential": "pyconv.model",
    "device": "pyconv._devices",
    "devices": "pyconv._devices",
    "explain": "pyconv._explain",
    "get_conv_algorithm": "pyconv.backend",
    "get_device": "pyconv._devices",
    "get_float32_precision": "pyconv._devices",
    "get_num_threads": "pyconv.backend",
    "profile": "pyconv.trace",
    "set_conv_algorithm": "pyconv.backend",
    "set_device": "pyconv._devices",
    "set_float32_precision": "pyconv._devices",
    "set_num_threads": "pyconv.backend",
}


def __getattr__(name: str) -> Any:
    """Import a part of the library when it is first used: ``import pyconv`` stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'pyconv' has no attribute {name!r}")
    from importlib import import_module

    if name in _DEFINED_IN:
        value = getattr(import_module(_DEFINED_IN[name]), name)
    else:
        value = import_module(f"pyconv.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
