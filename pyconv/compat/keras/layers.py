"""``keras.layers``: pyconv's layers, which take the arguments of Keras 1 and 2 as well."""

import functools
import inspect
from types import SimpleNamespace
from typing import Any

from pyconv import layers
from pyconv.compat import (
    _classes,
    _embedding,
    _era,
    _image_order,
    _lambda,
    _unsupported,
)
from pyconv.compat._batch_axis import BatchAxis
from pyconv.compat._branches import Merge as Merge
from pyconv.compat._chained import Chained
from pyconv.compat._convolution import Convolved
from pyconv.compat._input_tensor import FromTensor
from pyconv.compat._norm_mode import NormMode
from pyconv.compat._older_layers import older_layers
from pyconv.compat._own_call import OwnCall
from pyconv.compat._own_layer import Own
from pyconv.compat._tensor import Tensor
from pyconv.compat._wrapper import wrapper
from pyconv.compat.keras import backend
from pyconv.formats import keras_arguments as _arguments
from pyconv.layers._image_layer import ImageLayer

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
# Layers through which Keras passes a mask on.
_KEEP_MASKS = (
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "BatchNormalization",
    "Concatenate", "Dense", "Dot", "Dropout", "ELU", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU",
    "Masking", "Maximum", "Minimum", "Multiply",
    "Normalization", "PReLU", "ReLU", "Rescaling", "Softmax", "Subtract", "UnitNormalization",
)  # fmt: skip
_POOLING = [f"{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)]
# Layers that Keras has as built before they see anything.
_HAVE_NO_WEIGHTS = (
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "Identity", "LeakyReLU", "Masking", "ReLU", "Softmax", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization", *_POOLING,
    *(f"Global{name}" for name in _POOLING),
)  # fmt: skip


def _translate(
    cls: type, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _classes.Arguments:
    keras2 = _era.is_keras2()
    if keras2 and kwargs.get("name") is None:
        kwargs["name"] = _classes.old_name(cls.__name__)
    args, kwargs = _arguments.layer(name, args, kwargs, keras2)
    if name.startswith("AveragePooling") and not args:  # Keras 1, 2 and tf.keras have a default
        kwargs.setdefault("pool_size", 2)
    first = _image_order.data_format() == "channels_first"
    if first and kwargs.get("data_format") is None and _takes_images(name):
        kwargs["data_format"] = "channels_first"
    return args, kwargs


@functools.cache
def _takes_images(name: str) -> bool:
    """Whether a layer's images may be of either order."""
    kind = getattr(layers, name, object)
    return issubclass(kind, ImageLayer) or "data_format" in inspect.signature(kind).parameters


class _Ordered:
    """Rescaling's numbers of the channels, where images have these first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if _image_order.data_format() == "channels_first":
            self._channel_axis = 1


_mixins = {
    "": (Chained,),
    "BatchNormalization": (NormMode, Chained),
    "Concatenate": (BatchAxis, Chained),
    "Conv2D": (Convolved, Chained),
    "InputLayer": (FromTensor, Chained),
    "Layer": (Own, Chained, OwnCall),
    "Rescaling": (_Ordered, Chained),
}
_names = _classes.all_translated(layers, layers.Layer, __name__, _translate, _mixins)
for _name in _KEEP_MASKS:
    _names[_name].supports_masking = True
# What Keras's calls have behind the input.
_names["BatchNormalization"].by_place = ("training", "mask")
_names["GlobalAveragePooling1D"].by_place = _names["Softmax"].by_place = ("mask",)
_names["Masking"]._makes_mask = True
# They round only their result: what they are called on may be too large for float16.
for _name in ("GroupNormalization", "LayerNormalization"):
    _names[_name].autocast = False
for _name in _HAVE_NO_WEIGHTS:
    _names[_name].has_no_weights = True
_names.update({old: _names[new] for old, new in _OLD_NAMES.items() if new in _names})
_names["Embedding"] = _classes.translated(_embedding.Embedding, __name__, _translate, Chained)
_names["Lambda"] = _classes.translated(_lambda.Lambda, __name__, _translate, Chained)
for _name in ("call", "compute_mask"):  # not those of Chained
    setattr(_names["Lambda"], _name, getattr(_lambda.Lambda, _name))
_names["Wrapper"] = wrapper(_names["Layer"], __name__)
_names.update(older_layers(_names, __name__))
CLASSES = {found.__name__: found for found in _names.values() if isinstance(found, type)}


def Input(*args: Any, **kwargs: Any) -> Tensor:  # noqa: N802
    """Return the tensor of a model's input, on which layers are called.

    Args:
        *args: those of ``InputLayer``: ``shape``, that of one sample, ``batch_size``, ...
        **kwargs: those, ``name``, and ``batch_shape``, the shape with the batch first; or
            ``tensor``, one that there is already.

    Raises:
        TypeError, ValueError: as ``InputLayer``.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.layers.Input((32, 32, 3)).shape
        (None, 32, 32, 3)
    """
    tensor = kwargs.pop("tensor", None)
    if tensor is not None:
        _names["InputLayer"](*args, input_tensor=tensor, **kwargs)
        return tensor  # type: ignore[no-any-return]
    return Tensor(_names["InputLayer"](*args, **kwargs))


def _merging(name: str) -> Any:
    """Return Keras's function of a merging layer: ``add([a, b])`` is ``Add()([a, b])``."""

    def merge(inputs: Any, **kwargs: Any) -> Any:
        return _names[name](**kwargs)(inputs)

    merge.__name__ = merge.__qualname__ = name.lower()
    merge.__doc__ = f"""Return the result of ``{name}(**kwargs)`` for a list of inputs.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> a, b = keras.Input((4,)), keras.Input((4,))
        >>> type(keras.layers.{name.lower()}([a, b]).layer).__name__
        '{name}'
    """
    return merge


def merge(
    inputs: Any,
    mode: Any = "sum",
    dot_axes: Any = -1,
    concat_axis: int = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: Any = None,
    **kwargs: Any,
) -> Any:
    """Return what Keras 1's ``merge`` makes of a list of inputs.

    Args:
        inputs: the list.
        mode: 'sum', 'mul', 'concat', 'ave', 'max' or 'dot'; or a function of the list.
        dot_axes: the axes of 'dot'.
        concat_axis: the axis of 'concat'.
        output_shape: has no effect.
        output_mask: has no effect.
        arguments: more arguments of the function, a dict.
        name: the layer's name.
        **kwargs: have no effect.

    Raises:
        ValueError: ``mode`` is none of these, or the shapes do not fit.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> a, b = keras.Input((4,)), keras.Input((4,))
        >>> keras.layers.merge([a, b], mode="concat").shape
        (None, 8)
    """
    kinds = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum"}
    if mode == "concat":
        return _names["Concatenate"](axis=concat_axis, name=name)(inputs)
    if mode == "dot":
        return _names["Dot"](axes=dot_axes, name=name)(inputs)
    if callable(mode):
        return _names["Lambda"](mode, arguments=arguments, name=name)(inputs)
    if mode not in kinds:
        raise ValueError(
            f"merge: mode must be 'concat', 'dot', a function or one of {list(kinds)}, got "
            f"{mode!r:.60}"
        )
    return _names[kinds[mode]](name=name)(inputs)


_MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
_names.update({name.lower(): _merging(name) for name in _MERGES})


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Return the result of ``Dot(axes, **kwargs)`` for a list of inputs.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> a, b = keras.Input((4,)), keras.Input((4,))
        >>> keras.layers.dot([a, b]).shape
        (None, 1)
    """
    return _names["Dot"](axes=axes, **kwargs)(inputs)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """Return a new layer of the class and configuration that ``serialize`` returned.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.layers.deserialize({"class_name": "Dense", "config": {"units": 3, "name": "d"}})
        <Dense name=d, built=False>
    """
    return layers.deserialize(config, {**CLASSES, **(custom_objects or {})})


class InputSpec:
    """What a layer of one's own says of its inputs in ``input_spec``; it is not checked.

    Args:
        dtype: the type.
        shape: the shape, the batch first.
        ndim: the number of axes.
        max_ndim: the most axes.
        min_ndim: the fewest axes.
        axes: sizes by axis.
        **kwargs: ``optional`` and others.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.layers.InputSpec(ndim=4, axes={3: 16}).axes
        {3: 16}
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        self.dtype, self.shape = dtype, shape
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim, self.min_ndim, self.axes = max_ndim, min_ndim, axes or {}


_names.update({f"BatchNormalizationV{n}": _names["BatchNormalization"] for n in (1, 2)})
_names.update(Input=Input, InputSpec=InputSpec, deserialize=deserialize, dot=dot, merge=merge)
# Where Keras 2 had the layers that change images.
experimental = SimpleNamespace(preprocessing=SimpleNamespace(**_names))
globals().update(_names, K=backend)
# ``from keras.layers import *`` gave Keras 2's backend as well, which scripts use.
__all__ = sorted(name for name in [*_names, "K", "Merge"] if not name.startswith("_"))
__getattr__ = _unsupported.getter(__name__, layers)
