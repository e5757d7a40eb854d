"""Keras's dtype policies of layers whose weights are quantized."""

from typing import Any

from pyconv.compat._dtype_policy import MODES, DTypePolicy, dtype_policy, types_of


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weights are quantized.

    Args:
        mode: 'int8', 'int4' or another mode of Keras.
        source_name: the policy beside, such as 'float32'; None for the chosen one.

    Raises:
        TypeError: ``source_name`` is not a string.
        ValueError: an argument has a wrong value.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.QuantizedDTypePolicy("int8", "float32").name
        'int8_from_float32'
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        self._source_name = dtype_policy().name if source_name is None else source_name
        self._compute_dtype, self._variable_dtype = types_of(self._source_name)
        if mode not in MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {MODES}. Received: mode={mode!r:.60}"
            )
        if mode == "int8" and self._compute_dtype == "float16":
            raise ValueError(
                f"Quantization mode={mode!r} doesn't work well with compute_dtype='float16'; use "
                "'float32' or 'mixed_bfloat16'"
            )
        self._quantization_mode = mode
        self._name = f"{mode}_from_{self._source_name}"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"mode": self._quantization_mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of float8; pyconv keeps it, and its layers refuse to compute so.

    Args:
        mode: 'float8'.
        source_name: the policy beside; None for the chosen one.
        amax_history_length: how many steps' greatest values are remembered.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32").name
        'float8_from_float32'
    """

    default_amax_history_length = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = 1024
    ) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. Received: "
                f"amax_history_length={amax_history_length!r:.60}"
            )
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class _Parted(QuantizedDTypePolicy):
    """A policy whose mode has numbers: 'int4/128', 'gptq/4/128'."""

    base = ""
    numbers: tuple[str, ...] = ()

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        owner = type(self).__name__
        form = "/".join([self.base, *(f"<{name}>" for name in self.numbers)])
        wrong = f"Invalid mode for {owner}."
        base, *parts = mode.split("/")
        if base != self.base or len(parts) != len(self.numbers):
            raise ValueError(f"{wrong} Expected format {form!r}, but got {mode!r:.60}.")
        try:
            values = [int(part) for part in parts]
        except ValueError:
            what = " and ".join(f"<{name}>" for name in self.numbers)
            be = "must be integers" if len(self.numbers) > 1 else "must be an integer"
            raise ValueError(
                f"{wrong} {what} {be}. Expected format {form!r}, but got {mode!r:.60}."
            ) from None
        for name, value in zip(self.numbers, values, strict=True):
            self._check(name, value)
            setattr(self, name, value)
        super().__init__(base, source_name)
        self.mode = base
        self._name = f"{mode}_from_{self._source_name}"

    def _check(self, name: str, value: int) -> None:
        if name != "weight_bits" and (value == 0 or value < -1):
            raise ValueError(
                f"Invalid {name} in mode. Supported values are -1 or a positive integer, but got "
                f"{value}."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        parts = [self.base, *(str(getattr(self, name)) for name in self.numbers)]
        return {**super().get_config(), "mode": "/".join(parts)}


class Int4DTypePolicy(_Parted):
    """The policy of int4 in blocks; pyconv keeps it, and its layers refuse to compute so.

    Args:
        mode: 'int4/<block_size>', -1 for one scale a channel.
        source_name: the policy beside; None for the chosen one.

    Raises:
        ValueError: an argument has a wrong value.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.Int4DTypePolicy("int4/128", "float32").block_size
        128
    """

    base, numbers = "int4", ("block_size",)


class GPTQDTypePolicy(_Parted):
    """The policy of GPTQ; pyconv keeps it, and its layers refuse to compute so.

    Args:
        mode: 'gptq/<weight_bits>/<group_size>'.
        source_name: the policy beside; None for the chosen one.

    Raises:
        ValueError: an argument has a wrong value.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
        4
    """

    base, numbers = "gptq", ("weight_bits", "group_size")
    _bits: tuple[int, ...] = (2, 3, 4, 8)
    _bits_text = "Supported values are 2, 3, 4, and 8"

    def _check(self, name: str, value: int) -> None:
        if name == "weight_bits" and value not in self._bits:
            raise ValueError(f"Invalid weight_bits in mode. {self._bits_text}, but got {value}.")
        super()._check(name, value)


class AWQDTypePolicy(GPTQDTypePolicy):
    """The policy of AWQ; pyconv keeps it, and its layers refuse to compute so.

    Args:
        mode: 'awq/4/<group_size>'.
        source_name: the policy beside; None for the chosen one.

    Raises:
        ValueError: an argument has a wrong value.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.dtype_policies.AWQDTypePolicy("awq/4/128", "float32").group_size
        128
    """

    base = "awq"
    _bits = (4,)
    _bits_text = "AWQ only supports 4-bit quantization"


_OF_MODES: dict[str, Any] = {
    "int8": QuantizedDTypePolicy,
    "float8": QuantizedFloat8DTypePolicy,
    "int4": Int4DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def _get_quantized_dtype_policy_by_str(policy: Any) -> DTypePolicy:
    """Return the policy of such a name as 'int8_from_float32'."""
    if not isinstance(policy, str):
        raise TypeError(f"`policy` must be a string. Received: policy={policy!r:.60}")
    if not policy.startswith(MODES):
        raise ValueError(
            "`policy` is incompatible with the current supported quantization. Received: "
            f"policy={policy!r:.60}"
        )
    mode, found, source = policy.partition("_from_")
    if not found or "_from_" in source:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
            f"`QuantizedDTypePolicy`. Received: policy={policy!r:.60}"
        )
    kind = next(kind for start, kind in _OF_MODES.items() if policy.startswith(start))
    if kind is Int4DTypePolicy and "/" not in mode:
        kind = QuantizedDTypePolicy
    made: DTypePolicy = kind(mode, source)
    return made
