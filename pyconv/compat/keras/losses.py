"""``keras.losses``: those of ``pyconv.losses``, whose results have ``numpy()`` and a type."""

from typing import Any

import numpy as np

from pyconv import losses
from pyconv.compat import _classes, _unsupported
from pyconv.compat._autodiff import Taped
from pyconv.compat._eager import eager
from pyconv.compat._taped_losses import Derived, taped_loss
from pyconv.compat._types_of_arrays import FLOATS, as_type
from pyconv.losses.loss import same_rank

_EPSILON = 1e-7


class _Eager:
    """A loss whose result is an array of ``dtype``, and that leaves out what a mask says."""

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
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            mean = self.reduction in ("sum_over_batch_size", "mean")  # type: ignore[attr-defined]
            sample_weight = _masked(mask, sample_weight, mean)
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


def _masked(mask: Any, weight: Any, is_mean: bool) -> Any:
    """Return the weights of what a mask keeps; a mean is that of the rows kept."""
    kept = np.asarray(mask, np.float32)
    if is_mean:
        kept = kept * (kept.size / (kept.sum() + _EPSILON))
    if weight is None:
        return kept
    given, kept = same_rank(np.asarray(weight, np.float32), kept)
    return given * kept


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
globals().update(_names)
__all__ = sorted(_names)
__getattr__ = _unsupported.getter(__name__, losses)
