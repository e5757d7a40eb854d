"""Layers that have a dtype policy, as Keras's have."""

from typing import Any

from pyconv.compat._dtype_policy import DTypePolicy, dtype_policy
from pyconv.compat._types_of_arrays import as_type, is_float
from pyconv.layers.layer import Layer


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
        super().__init__(*args, **kwargs)

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy; setting it takes a name too."""
        return self._policy or _FLOAT32

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._policy = policy_of(value)

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
        if "dtype" in config:
            config["dtype"] = dtype_policies.serialize(self.dtype_policy)
        return config

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
    if value == "float32":
        return _FLOAT32
    from pyconv.compat.keras import dtype_policies

    return dtype_policies.get(value)


_FLOAT32 = DTypePolicy("float32")
assert not hasattr(Layer, "dtype") or isinstance(Layer.dtype, str)
