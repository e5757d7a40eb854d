"""``keras.saving``: models in files, objects as plain data, and what they find by name."""

import functools
from collections.abc import Mapping
from typing import Any

from pyconv import serialization
from pyconv.compat import _unsupported
from pyconv.compat.keras.models import load_model, save_model
from pyconv.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from pyconv.serialization import serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "save_model",
    "serialize_keras_object",
]


@functools.wraps(serialization.deserialize_keras_object)
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    return serialization.make(config, custom_objects, "pyconv.compat.keras")


__getattr__ = _unsupported.getter(__name__)
