"""Layers that have a dtype policy, as Keras's have."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv._args import ArgumentTypeError, is_one_of
from pyconv.activations.of_layer import is_layer
from pyconv.compat._dtype_policy import DTypePolicy, dtype_policy
from pyconv.compat._policy_map import DTypePolicyMap
from pyconv.compat._types_of_arrays import as_type, is_float
from pyconv.layers._container import Container
from pyconv.layers.input import InputLayer


class Typed:
    """A layer that takes any ``dtype``: it computes in float32, and rounds its result to it."""

    keeps_policy = True
    autocast = True
    _policy: DTypePolicy | None = None  # None for float32

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        policy = policy_of(kwargs.pop("dtype", None))
        if policy.name != "float32":
            self._policy = policy
        if not kwargs.pop("autocast", True):
            self.autocast = False
        trainable = kwargs.get("trainable", True)
        if not isinstance(trainable, (bool, np.bool_)):
            raise ArgumentTypeError(
                f"{type(self).__name__}: Expected `trainable` argument to be a boolean, got "
                f"{trainable!r:.60}"
            )
        super().__init__(*args, **kwargs)

    @property
    def path(self: Any) -> str:
        """The name, by which a ``DTypePolicyMap`` finds the layer's policy."""
        return str(self.name)

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy; setting it takes a name too."""
        policy = self._policy or _FLOAT32
        return policy[self.path] if isinstance(policy, DTypePolicyMap) else policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = policy_of(value)
        if policy.quantization_mode in ("gptq", "awq"):
            mode = policy.quantization_mode
            raise ValueError(
                f"Implicitly enabling {mode.upper()} quantization by setting `dtype_policy` to "
                f"'{policy.name}' is not supported: pyconv does not quantize so"
            )
        if isinstance(self._policy, DTypePolicyMap) and not isinstance(policy, DTypePolicyMap):
            self._policy.pop(self.path, None)
            self._policy[self.path] = policy
        else:
            self._policy = policy if policy.name != "float32" else None

    @property
    def _dtype_policy(self) -> DTypePolicy:
        return self._policy or _FLOAT32

    @property
    def dtype(self) -> str:
        """The type that the weights are said to have: they are float32."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The same as ``dtype``."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The type of results."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The type that inputs are rounded to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the policy says that weights are quantized, or None."""
        return self.dtype_policy.quantization_mode

    def get_config(self: Any) -> dict[str, Any]:
        """Return the constructor's arguments as plain data, the policy as Keras describes it."""
        from pyconv.compat.keras import dtype_policies

        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        if isinstance(self, InputLayer):
            config["dtype"] = self.dtype
        elif "dtype" in config:
            config["dtype"] = dtype_policies.serialize(self._dtype_policy)
        return config

    @classmethod
    def from_config(cls: Any, config: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return a new layer of what ``get_config`` returned."""
        from pyconv.compat.keras import dtype_policies, layers

        given = dict(config)
        if isinstance(given.get("dtype"), Mapping):
            policy = dtype_policies.deserialize(given["dtype"])
            is_plain = policy.quantization_mode is None and not isinstance(policy, DTypePolicyMap)
            given["dtype"] = policy.name if is_plain else policy
        if is_layer(given.get("activation")):
            given["activation"] = layers.deserialize(given["activation"])
        if issubclass(cls, Container):  # its layers are Keras's too
            own = args[0] if args else kwargs.get("custom_objects")
            args, kwargs = (), {"custom_objects": {**layers.CLASSES, **(own or {})}}
        return super().from_config(given, *args, **kwargs)  # type: ignore[misc]

    def rounded_input(self, x: Any) -> Any:
        """Return arrays as the layer's type has them, where they hold fractions."""
        if isinstance(x, (list, tuple)):
            return type(x)(self.rounded_input(part) for part in x)
        if not hasattr(x, "__array__") or not self.autocast or not is_float(x):
            return x
        return as_type(x, self.compute_dtype)

    def rounded(self, y: Any) -> Any:
        """Return a result as the layer's type."""
        return y if self._policy is None else as_type(y, self.compute_dtype)


def policy_of(value: Any) -> DTypePolicy:
    """Return the policy that ``dtype=`` means."""
    if value is None:
        return dtype_policy()
    if is_one_of(value, ("float32",)):
        return _FLOAT32
    from pyconv.compat.keras import dtype_policies

    return dtype_policies.get(value)


_FLOAT32 = DTypePolicy("float32")
