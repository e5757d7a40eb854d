"""``keras.dtype_policies``: the types that layers say they compute in.

pyconv computes in float32 whatever the policy; see ``DTypePolicy``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv.compat import _unsupported
from pyconv.compat._dtype_policy import (
    MODES,
    DTypePolicy,
    FloatDTypePolicy,
    dtype_policy,
    of_name,
    set_dtype_policy,
)
from pyconv.compat._policy_map import DTypePolicyMap
from pyconv.compat._quantized_policy import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)
from pyconv.compat._quantized_policy import (
    _get_quantized_dtype_policy_by_str as _get_quantized_dtype_policy_by_str,
)

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

QUANTIZATION_MODES = MODES
_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        AWQDTypePolicy,
        DTypePolicy,
        DTypePolicyMap,
        FloatDTypePolicy,
        GPTQDTypePolicy,
        Int4DTypePolicy,
        QuantizedDTypePolicy,
        QuantizedFloat8DTypePolicy,
    )
}
for _kind in _CLASSES.values():
    _kind.__module__ = __name__


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return a policy as plain data.

    Example:
        >>> from pyconv.compat.keras import dtype_policies
        >>> dtype_policies.serialize(dtype_policies.DTypePolicy("float32"))["config"]
        {'name': 'float32'}
    """
    kind = type(dtype_policy)
    return {
        "module": "keras" if kind in (DTypePolicy, FloatDTypePolicy) else "keras.dtype_policies",
        "class_name": kind.__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> DTypePolicy:
    """Return the policy that ``serialize`` described.

    Args:
        config: the description.
        custom_objects: your own classes by name.

    Raises:
        ValueError: its class is not known.

    Example:
        >>> from pyconv.compat.keras import dtype_policies
        >>> dtype_policies.deserialize(
        ...     {"class_name": "DTypePolicy", "config": {"name": "float32"}}
        ... )
        <DTypePolicy "float32">
    """
    name = config.get("class_name")
    kind: Any = {**_CLASSES, **(custom_objects or {})}.get(str(name))
    if kind is None:
        raise ValueError(
            f"dtype_policies.deserialize: class_name must be one of {sorted(_CLASSES)}, got "
            f"{name!r:.60}"
        )
    made: DTypePolicy = kind.from_config(dict(config.get("config") or {}))
    return made


def get(identifier: Any) -> DTypePolicy:
    """Return the policy of a name, a description, a type of numpy's, or the chosen one for None.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> from pyconv.compat.keras import dtype_policies
        >>> dtype_policies.get("mixed_bfloat16").variable_dtype
        'float32'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return of_name(identifier)
    try:
        if isinstance(identifier, (int, float)):
            raise TypeError
        return DTypePolicy(np.dtype(identifier).name)
    except TypeError:
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier!r:.60}"
        ) from None


__getattr__ = _unsupported.getter(__name__)
