"""Activation functions and their gradients.

Each is a function of an array, and known to layers by its name: ``activation="relu"``.
"""

from collections.abc import Mapping
from typing import Any

from pyconv import _registry
from pyconv._names import did_you_mean
from pyconv.activations import basic, elementwise, shrinking
from pyconv.activations.function import ActivationFunction, Custom
from pyconv.activations.of_layer import OfLayer, is_layer
from pyconv.custom_objects import named

linear = basic.Linear()
relu = basic.ReLU()
softmax = basic.Softmax()
sigmoid = basic.Sigmoid()
tanh = basic.Tanh()
exponential = basic.Exponential()
log_softmax = basic.LogSoftmax()
sparsemax = basic.Sparsemax()
celu = elementwise.CELU()
elu = elementwise.ELU()
gelu = elementwise.GELU()
hard_sigmoid = elementwise.HardSigmoid()
hard_silu = hard_swish = elementwise.HardSiLU()
leaky_relu = elementwise.LeakyReLU()
mish = elementwise.Mish()
relu6 = elementwise.ReLU6()
selu = elementwise.SELU()
silu = swish = elementwise.SiLU()
softplus = elementwise.Softplus()
softsign = elementwise.Softsign()
hard_shrink = shrinking.HardShrink()
hard_tanh = shrinking.HardTanh()
log_sigmoid = shrinking.LogSigmoid()
soft_shrink = shrinking.SoftShrink()
sparse_plus = shrinking.SparsePlus()
sparse_sigmoid = shrinking.SparseSigmoid()
squareplus = shrinking.Squareplus()
tanh_shrink = shrinking.TanhShrink()
threshold = shrinking.Threshold()

_BY_NAME: dict[str, ActivationFunction] = {
    name: found for name, found in list(globals().items()) if isinstance(found, ActivationFunction)
}
_FAMILIES = {type(found).__name__.lower(): type(found) for found in _BY_NAME.values()}
_FAMILIES["rectified"] = basic.Rectified

__all__ = ["ActivationFunction", "deserialize", "get", "serialize", *sorted(_BY_NAME)]


def get(identifier: Any) -> ActivationFunction:
    """Return the activation function that ``identifier`` means.

    Args:
        identifier: a name such as ``"relu"``, a function of this module, None for ``linear``, what
            ``serialize`` returned, a layer without weights, or a function of your own, which
            treats each number of an array by itself; its gradient is taken by differences.

    Raises:
        ValueError: no activation has this name.
        TypeError: ``identifier`` is none of the above.

    Example:
        >>> import pyconv
        >>> pyconv.activations.get("relu") is pyconv.activations.relu
        True
    """
    return find("activations.get", identifier)


def find(
    owner: str, identifier: Any, custom_objects: Mapping[str, Any] | None = None
) -> ActivationFunction:
    """Return the activation function that ``identifier`` means; errors name ``owner``."""
    if identifier is None:
        return linear
    if isinstance(identifier, ActivationFunction):
        return identifier
    known = ", ".join(sorted(_BY_NAME))
    if isinstance(identifier, str):
        if custom_objects and identifier in custom_objects:
            return find(owner, custom_objects[identifier])
        own = named(identifier)
        if own is not None:
            return find(owner, own)
        if identifier in _BY_NAME:
            return _BY_NAME[identifier]
        hint = did_you_mean(identifier.lower(), _BY_NAME)
        raise ValueError(f"{owner}: activation must be one of {known}, got {identifier!r}{hint}")
    if is_layer(identifier):
        return _of_layer(owner, identifier, custom_objects)
    if isinstance(identifier, Mapping):
        found, config = _registry.find_config(owner, "activation", identifier, _FAMILIES)
        return _registry.construct(owner, found, config)
    if callable(identifier) and not isinstance(identifier, type):
        return Custom(identifier)
    raise TypeError(
        f"{owner}: activation must be None, a name or a function, got a "
        f"{type(identifier).__name__}; names are {known}"
    )


def _of_layer(owner: str, given: Any, custom_objects: Any) -> ActivationFunction:
    from pyconv import layers

    layer = layers.deserialize(given, custom_objects) if isinstance(given, Mapping) else given
    # That of an Activation layer may be one that a kernel applies.
    inner = layer.activation if isinstance(layer, layers.Activation) else None
    return OfLayer(owner, layer) if inner is None else inner


def serialize(activation: Any) -> Any:
    """Return the activation as plain data: its name, and its arguments where they are its own.

    Example:
        >>> import pyconv
        >>> pyconv.activations.serialize(pyconv.activations.relu)
        'relu'
    """
    function = find("activations.serialize", activation)
    if isinstance(function, OfLayer):
        return _registry.to_config(function.layer)
    known = _BY_NAME.get(function.name)
    if isinstance(function, basic.Rectified):
        return _registry.to_config(function)
    if known is None or function is known or function.get_config() == known.get_config():
        return function.name
    return _registry.to_config(function)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> ActivationFunction:
    """Return the activation of what ``serialize`` returned.

    Args:
        config: a name, or ``{"class_name": ..., "config": {...}}``.
        custom_objects: functions of your own by name.

    Raises:
        ValueError: the activation is not known.

    Example:
        >>> import pyconv
        >>> pyconv.activations.deserialize("tanh")
        <activation tanh>
    """
    return find("activations.deserialize", config, custom_objects)
