"""Keras's dtype policies: the types that a layer says it computes in and keeps its weights in."""

from typing import Any

MODES = ("int8", "float8", "int4", "gptq", "awq")
_SIZES = (8, 16, 32, 64)
DTYPES = frozenset(
    [
        *(f"{kind}{size}" for kind in ("int", "uint") for size in _SIZES),
        *("float16", "float32", "float64", "bfloat16", "float8_e4m3fn", "float8_e5m2"),
        *("bool", "string", "complex64", "complex128"),
    ]
)
_SHORT = {"int": "int32", "float": "float32"}
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}

_global: Any = None


class DTypePolicy:
    """The type that a layer gives its results in, and that of its weights.

    pyconv computes in float32 and keeps weights in float32, whatever the policy: it rounds what a
    layer is called with, and its result, to ``compute_dtype``. ``fit`` and ``predict`` round
    nothing.

    Args:
        name: a type such as 'float32', or 'mixed_float16', 'mixed_bfloat16'; None for the policy
            that ``set_dtype_policy`` chose.

    Raises:
        TypeError: ``name`` is not a string.
        ValueError: it names no policy.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> policy = keras.dtype_policies.DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = dtype_policy().name if name is None else name
        self._compute_dtype, self._variable_dtype = types_of(self._name)
        self._quantization_mode: str | None = None

    @property
    def name(self) -> str:
        """The name, from which ``get`` makes an equal policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The type of a layer's results."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type that weights are said to have."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized, or None."""
        return self._quantization_mode

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name}

    def deferred_config(self) -> dict[str, Any]:
        """Return the same with the policy of the time of loading in place of this one's types."""
        argument = "name" if type(self) in _PLAIN else "source_name"
        return {**self.get_config(), argument: None}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        """Return a new policy of what ``get_config`` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        kind = DTypePolicy if type(self) in _PLAIN else type(self)
        return f'<{kind.__name__} "{self.name}">'

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicy):
            return False
        if type(self) in _PLAIN or type(other) in _PLAIN:
            return type(self) in _PLAIN and type(other) in _PLAIN and self.name == other.name
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.name)


class FloatDTypePolicy(DTypePolicy):
    """Another name of ``DTypePolicy``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.FloatDTypePolicy("float32")
        <DTypePolicy "float32">
    """


_PLAIN = (DTypePolicy, FloatDTypePolicy)


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are given none.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.dtype_policy()
        <DTypePolicy "float32">
    """
    global _global
    if _global is None:
        _global = DTypePolicy("float32")
    found: DTypePolicy = _global
    return found


def set_dtype_policy(policy: Any) -> None:
    """Choose the policy of layers that are given none.

    Args:
        policy: a name such as 'mixed_float16', or a ``DTypePolicy``.

    Raises:
        ValueError: it is neither.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.mixed_precision.set_global_policy("mixed_float16")
        >>> keras.layers.Dense(2).compute_dtype
        'float16'
        >>> keras.mixed_precision.set_global_policy("float32")
    """
    global _global
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(
            "Invalid `policy` argument. Expected the string name of a policy (such as "
            f"'mixed_float16') or a `DTypePolicy` instance. Received: policy={policy!r:.60} (of "
            f"type {type(policy).__name__})"
        )
    _global = of_name(policy) if isinstance(policy, str) else policy


def of_name(name: str) -> DTypePolicy:
    """Return the policy of a name.

    Raises:
        ValueError: there is none.
    """
    from pyconv.compat._quantized_policy import _get_quantized_dtype_policy_by_str

    quantized = name.startswith(MODES) and name not in DTYPES
    return _get_quantized_dtype_policy_by_str(name) if quantized else DTypePolicy(name)


def types_of(name: Any) -> tuple[str, str]:
    """Return the types of results and of weights."""
    if not isinstance(name, str):
        raise TypeError(
            "'name' must be a string, such as 'mixed_float16'. Received: "
            f"name={name!r:.60} (of type {type(name).__name__})"
        )
    if name in _MIXED:
        return _MIXED[name], "float32"
    name = _SHORT.get(name, name)
    if name not in DTYPES:
        raise ValueError(
            f"Cannot convert {name!r:.60} to a mixed precision DTypePolicy. Valid policies include "
            "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
        )
    return name, name
