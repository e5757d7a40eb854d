"""Initial values of weights, as Keras has them.

An initializer is called with a shape. With a ``seed`` it returns the same values at each call;
without one it draws from the library's generator (``pyconv.utils.set_random_seed``).
"""

from typing import Any

import numpy as np

from pyconv import _registry
from pyconv._convert import float32_array
from pyconv.initializers.base import FromFunction, Initializer
from pyconv.initializers.constant import Constant, Given, Identity, Ones, Zeros
from pyconv.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from pyconv.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    VarianceScaling,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

# Keras's other names of the classes.
constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
orthogonal, variance_scaling = Orthogonal, VarianceScaling
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal = TruncatedNormal

_BY_ID: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
}
_CLASSES: dict[str, type[Initializer]] = {
    **_BY_ID,
    **{found.__name__.lower(): found for found in _BY_ID.values()},
    "zero": Zeros,
    "one": Ones,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "identityinitializer": Identity,
    "orthogonalinitializer": Orthogonal,
}


def get(identifier: Any) -> Initializer:
    """Return the initializer that ``identifier`` means.

    Args:
        identifier: an initializer, its class, a name such as ``"he_normal"`` or ``"HeNormal"``,
            what ``serialize`` returned, an array of the values, or a function ``fn(shape)`` or
            ``fn(shape, dtype)``.

    Raises:
        ValueError: no initializer has this name, or its configuration does not fit.
        TypeError: ``identifier`` is none of the above.

    Example:
        >>> from pyconv import initializers
        >>> initializers.get("glorot_uniform")
        GlorotUniform(seed=None)
    """
    return find("initializers.get", "identifier", identifier)


def find(owner: str, name: str, identifier: Any) -> Initializer:
    """Return the initializer that ``identifier`` means; errors name ``owner`` and ``name``."""
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, str):
        return _made(_registry.find_class(owner, name, identifier, _CLASSES))
    if isinstance(identifier, dict):
        found, config = _registry.find_config(owner, name, identifier, _CLASSES)
        return _registry.construct(owner, found, config)
    if isinstance(identifier, np.ndarray):
        return Given(float32_array(owner, name, identifier))
    if callable(identifier) and not isinstance(identifier, type):
        return FromFunction(identifier)
    raise TypeError(
        f"{owner}: {name} must be a name, such as 'glorot_uniform', or an object of "
        f"pyconv.initializers, got a {type(identifier).__name__}"
    )


def _made(found: Any) -> Initializer:
    made = _registry.made(found)
    return made if isinstance(made, Initializer) else FromFunction(made)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return the initializer as plain data, which ``get`` takes.

    Example:
        >>> from pyconv import initializers
        >>> initializers.serialize(initializers.Constant(2.0))
        {'class_name': 'Constant', 'config': {'value': 2.0}}
    """
    return _registry.to_config(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Initializer:
    """Return the initializer of what ``serialize`` returned.

    Args:
        config: ``{"class_name": ..., "config": {...}}``, or a name.
        custom_objects: your own classes by name.

    Raises:
        ValueError: the class is not known, or the configuration does not fit.

    Example:
        >>> from pyconv import initializers
        >>> initializers.deserialize({"class_name": "Constant", "config": {"value": 2.0}})
        Constant(value=2.0)
    """
    known = _registry.with_custom(_CLASSES, custom_objects)
    owner, what = "initializers.deserialize", "initializer"
    if isinstance(config, str):
        return _made(_registry.find_class(owner, what, config, known))
    found, arguments = _registry.find_config(owner, what, config, known)
    return _registry.construct(owner, found, arguments)
