"""``keras.losses``: those of ``pyconv.losses``, whose results have ``numpy()`` and a type."""

import functools
import inspect
from typing import Any

import numpy as np

from pyconv import losses
from pyconv.compat import _classes, _unsupported
from pyconv.compat._autodiff import Taped, unwrapped
from pyconv.compat._eager import eager
from pyconv.compat._operation import operation
from pyconv.compat._taped_losses import Derived, taped_loss
from pyconv.compat._tensor import Tensor
from pyconv.compat._types_of_arrays import FLOATS, as_type


class Reduction:
    """The names of Keras 2 for what a loss makes of those of the samples.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.losses.MeanSquaredError(reduction=keras.losses.Reduction.SUM).reduction
        'sum'
    """

    AUTO = SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"


class _Eager:
    """A loss whose result is an array of ``dtype``."""

    _dtype = "float32"

    def __init__(self, *args: Any, dtype: Any = None, **kwargs: Any) -> None:
        self._dtype = _type_of(type(self).__name__, dtype)
        super().__init__(*args, **kwargs)

    @property
    def dtype(self) -> str:
        """The type of the result; it is computed in float32."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss; see ``pyconv.losses.Loss``."""
        if isinstance(y_pred, Taped) and y_pred.node is not None:
            result = taped_loss(self, y_true, y_pred, sample_weight)
        else:
            result = eager(super().__call__(y_true, y_pred, sample_weight))  # type: ignore[misc]
        return result if self._dtype == "float32" else eager(as_type(result, self._dtype))


def _type_of(owner: str, dtype: Any) -> str:
    """Return the name of the type of results, of a name or a policy."""
    if dtype is None or hasattr(dtype, "compute_dtype"):
        return "float32" if dtype is None else str(dtype.compute_dtype)
    name = dtype if isinstance(dtype, str) else str(np.dtype(dtype).name)
    if name not in FLOATS:
        raise ValueError(f"{owner}: dtype must be one of {', '.join(FLOATS)}, got {dtype!r:.60}")
    return name


def _same(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    return args, kwargs


_OF_ONES_OWN = (_Eager, Derived)
_names = _classes.all_translated(
    losses,
    losses.Loss,
    __name__,
    _same,
    {"": (_Eager,), "Loss": _OF_ONES_OWN, "LossFunctionWrapper": _OF_ONES_OWN},
)
# Names of Keras 1 and 2.
_OLDER = {
    "bce": "binary_crossentropy",
    "cosine": "cosine_similarity",
    "cosine_proximity": "cosine_similarity",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}


def _followed(function: Any) -> Any:
    """Return a loss of rows that also takes tensors, and arrays whose gradient is followed."""
    kind = _names[losses._CLASS_OF[function].__name__]
    parameters = inspect.signature(function)

    @functools.wraps(function)
    def run(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(y_true, Tensor) or isinstance(y_pred, Tensor):
            return operation(run, (y_true, y_pred, *args), kwargs)
        if isinstance(y_pred, Taped) and y_pred.node is not None:
            given = parameters.bind(y_true, y_pred, *args, **kwargs).arguments
            options = {name: given[name] for name in given if name not in ("y_true", "y_pred")}
            return taped_loss(kind(**options, reduction="none"), y_true, y_pred, None)
        return eager(function(unwrapped(y_true), unwrapped(y_pred), *args, **kwargs))

    run.stands_for = function  # type: ignore[attr-defined]
    run.__module__ = __name__  # where pickle finds it
    return run


_names.update({name: _followed(f) for name, f in _names.items() if f in losses._CLASS_OF})
_names.update({old: _names[new] for old, new in _OLDER.items()})
_names.update({old.upper(): _names[old] for old in ("bce", "kld", "mae", "mape", "mse", "msle")})


def _giving(function: Any) -> Any:
    """Return a function that finds losses, and gives those of this module."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        known = _names.get(getattr(found, "__name__", ""))
        return known if getattr(known, "stands_for", None) is found else found

    return run


_names.update({name: _giving(_names[name]) for name in ("get", "deserialize")})
globals().update(_names)
__all__ = sorted({*_names, "Reduction"})
__getattr__ = _unsupported.getter(__name__, losses)
