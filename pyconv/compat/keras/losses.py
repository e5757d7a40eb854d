"""``keras.losses``: those of ``pyconv.losses``, whose results have ``numpy()``."""

from typing import Any

from pyconv import losses
from pyconv.compat import _classes, _unsupported
from pyconv.compat._eager import eager


class _Eager:
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the reduced loss; see ``pyconv.losses.Loss``."""
        return eager(super().__call__(*args, **kwargs))  # type: ignore[misc]


def _same(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    return args, kwargs


_names = _classes.all_translated(losses, losses.Loss, __name__, _same, {"": (_Eager,)})
globals().update(_names)
__all__ = sorted(_names)
__getattr__ = _unsupported.getter(__name__, losses)
