"""What ``keras.layers.InputLayer`` takes besides shapes: a tensor that there is already."""

import warnings
from typing import Any

from pyconv.compat import _era


class FromTensor:
    """An ``InputLayer`` that may stand for a tensor: ``input_tensor``; or be ``optional``."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        tensor = kwargs.pop("input_tensor", None)
        self.optional = bool(kwargs.pop("optional", False))
        if not _era.is_keras2() and kwargs.get("input_shape") is not None:
            warnings.warn(
                "Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=4
            )
        if tensor is not None:
            args, kwargs = (), _checked(tensor, args, kwargs)
        super().__init__(*args, **kwargs)
        if tensor is not None:
            self.output = tensor

    def __getattr__(self, name: str) -> Any:
        """Make the tensor of the input when it is first asked for."""
        if name != "output":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        from pyconv.compat._tensor import tensor_of

        return tensor_of(self)

    def get_config(self: Any) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        return {**config, "optional": True} if self.__dict__.get("optional") else config

    def call(self) -> None:
        """Do nothing."""

    call.of_the_library = True  # type: ignore[attr-defined]


def _checked(tensor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer of the tensor's shape, where all that is given is its."""
    from pyconv.compat._tensor import Tensor

    if not isinstance(tensor, Tensor):
        raise ValueError(
            f"InputLayer: Argument `input_tensor` must be a KerasTensor, got {tensor!r:.60}; "
            "arrays are given to fit and predict"
        )
    names = ("shape", "batch_size", "dtype", "sparse", "ragged", "batch_shape")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    wanted = {
        "shape": tensor.sizes[1:],
        "batch_shape": tensor.sizes,
        "batch_size": tensor.sizes[0],
        "dtype": tensor.dtype,
        "sparse": False,
    }
    for name, own in wanted.items():
        value = given.pop(name, None)
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != own:
            raise ValueError(
                f"InputLayer: When providing `input_tensor`, you cannot provide an incompatible "
                f"`{name}` argument: it must be {own!r}, got {value!r:.60}"
            )
    return {**given, "batch_shape": tensor.sizes}
