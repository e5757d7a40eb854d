"""``tf.TensorSpec``: the shape and the type of an array, as ``from_generator`` is told them."""

from typing import Any

import numpy as np

from pyconv.compat._eager import eager


class TensorSpec:
    """The shape and the type of an array.

    Args:
        shape: sizes, None where one is open; None for any shape.
        dtype: the type.
        name: has no effect.

    Example:
        >>> import pyconv.compat.tensorflow as tf
        >>> spec = tf.TensorSpec(shape=(None, 2), dtype=tf.float32)
        >>> data = tf.data.Dataset.from_generator(lambda: [[[1, 2]]], output_signature=spec)
        >>> [x.tolist() for x in data]
        [[[1.0, 2.0]]]
    """

    def __init__(self, shape: Any = None, dtype: Any = np.float32, name: Any = None) -> None:
        self.shape = None if shape is None else tuple(shape)
        self.dtype = np.dtype(dtype)
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (
            other.shape,
            other.dtype,
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype.name}, name={self.name!r})"

    def is_compatible_with(self, array: Any) -> bool:
        """Whether an array has the type and the shape."""
        given = np.asarray(array)
        return given.dtype == self.dtype and self._fits(given.shape)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        if self.shape is None:
            return True
        pairs = zip(self.shape, shape, strict=False)
        return len(shape) == len(self.shape) and all(n in (None, got) for n, got in pairs)


def conformed(item: Any, wanted: Any) -> Any:
    """Return an element of the types that specs, or types alone, say, in tuples and dicts.

    Raises:
        TypeError: an element is in another form, or its numbers are not of the type.
        ValueError: it has another shape.
    """
    if isinstance(wanted, tuple):
        if not isinstance(item, tuple) or len(item) != len(wanted):
            raise TypeError(
                f"from_generator: the generator must give tuples of {len(wanted)}, got {item!r:.80}"
            )
        return tuple(map(conformed, item, wanted))
    if isinstance(wanted, dict):
        if not isinstance(item, dict) or set(item) != set(wanted):
            raise TypeError(
                f"from_generator: the generator must give dicts of {sorted(wanted)}, got "
                f"{item!r:.80}"
            )
        return {key: conformed(item[key], wanted[key]) for key in wanted}
    spec = wanted if isinstance(wanted, TensorSpec) else TensorSpec(None, wanted)
    given = np.asarray(item)
    if given.dtype.kind == "f" and spec.dtype.kind in "iu":
        raise TypeError(
            f"from_generator: the generator must give {spec.dtype.name}, got {given.dtype.name}"
        )
    if not spec._fits(given.shape):
        raise ValueError(
            f"from_generator: the generator must give arrays of shape {spec.shape}, got "
            f"{given.shape}"
        )
    return eager(given.astype(spec.dtype))
