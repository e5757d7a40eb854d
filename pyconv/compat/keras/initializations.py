"""``keras.initializations`` of Keras 1: functions that return arrays of a shape."""

from collections.abc import Callable
from typing import Any

from pyconv import initializers
from pyconv.compat._eager import eager

__all__ = [
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_uniform",
    "normal",
    "one",
    "orthogonal",
    "uniform",
    "zero",
]


def _function(name: str, kind: Any, scale: float | None = None, of_scale: Any = None) -> Any:
    def make(shape: Any, scale: Any = scale, name: Any = None, **kwargs: Any) -> Any:
        options = {} if of_scale is None else of_scale(scale)
        return eager(kind(**options)(tuple(shape)))

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""Return an array of this shape, as ``initializers.{kind.__name__}`` has it.

    Args:
        shape: the shape.
        scale: {"has no effect." if scale is None else "the size of the numbers."}
        name: has no effect.
        **kwargs: have no effect.

    Example:
        >>> from pyconv.compat.keras import initializations
        >>> initializations.{name}((2, 2)).shape
        (2, 2)
    """
    return make


uniform = _function(
    "uniform", initializers.RandomUniform, 0.05, lambda s: {"minval": -s, "maxval": s}
)
normal = _function("normal", initializers.RandomNormal, 0.05, lambda s: {"stddev": s})
orthogonal = _function("orthogonal", initializers.Orthogonal, 1.1, lambda s: {"gain": s})
identity = _function("identity", initializers.Identity, 1.0, lambda s: {"gain": s})
lecun_uniform = _function("lecun_uniform", initializers.LecunUniform)
glorot_normal = _function("glorot_normal", initializers.GlorotNormal)
glorot_uniform = _function("glorot_uniform", initializers.GlorotUniform)
he_normal = _function("he_normal", initializers.HeNormal)
he_uniform = _function("he_uniform", initializers.HeUniform)
zero = _function("zero", initializers.Zeros)
one = _function("one", initializers.Ones)


def get(identifier: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return the function of a name, or the function itself.

    Example:
        >>> from pyconv.compat.keras import initializations
        >>> initializations.get("normal") is initializations.normal
        True
    """
    found: Any = globals().get(identifier) if identifier in __all__ else identifier
    return found  # type: ignore[no-any-return]
