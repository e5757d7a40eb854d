"""``keras.layers``: pyconv's layers, which take the arguments of Keras 1 and 2 as well."""

from typing import Any

from pyconv import layers
from pyconv.compat import _arguments, _classes, _era, _unsupported
from pyconv.compat._chain import Chained

_OLD_NAMES = {
    "AtrousConv2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconv2D": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "SeparableConvolution2D": "SeparableConv2D",
}


def _translate(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    keras2 = _era.is_keras2()
    if keras2 and kwargs.get("name") is None:
        kwargs["name"] = _classes.old_name(cls.__name__)
    return _arguments.layer(name, args, kwargs, keras2)


_names = _classes.all_translated(layers, layers.Layer, __name__, _translate, {"": (Chained,)})
_names.update({old: _names[new] for old, new in _OLD_NAMES.items() if new in _names})
CLASSES = {found.__name__: found for found in _names.values() if isinstance(found, type)}

globals().update(_names)
__all__ = sorted(_names)
__getattr__ = _unsupported.getter(__name__, layers)
