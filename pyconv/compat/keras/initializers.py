"""``keras.initializers``: those of ``pyconv.initializers``, and their names in lower case."""

from typing import Any

from pyconv import initializers
from pyconv._names import snake_case
from pyconv.compat import _unsupported
from pyconv.initializers.scaling import compute_fans as compute_fans

_names = {
    snake_case(name): getattr(initializers, name)
    for name in initializers.__all__
    if name[0].isupper() and name != "Initializer"
}
_names.update(uniform=_names["random_uniform"], normal=_names["random_normal"])
_names.update(zero=_names["zeros"], one=_names["ones"])


def get(identifier: Any) -> Any:
    """Return the initializer that ``identifier`` means, None for None; see ``pyconv``'s.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.initializers.get("he_normal")
        HeNormal(seed=None)
    """
    return None if identifier is None else initializers.get(identifier)


globals().update(_names)
__all__ = sorted({*initializers.__all__, *_names})
__getattr__ = _unsupported.getter(__name__, initializers)
