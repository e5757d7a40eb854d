"""The modules of PyTorch that a model's layers are, and how their weights are turned."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.layers._container import Container
from pyconv.layers.layer import Layer
from pyconv.model import Sequential, model_arg

Turn = Callable[[NDArray[Any]], NDArray[Any]]
CONV, LINEAR, NORM = "convolution", "linear", "normalization"
# Of normalizations that keep no means, and of PReLU.
AFFINE, SLOPES = "group or layer normalization", "PReLU"


@dataclass
class Module:
    """A module of PyTorch: (its array's name, the weight here, the turn to it and from it)."""

    layer: Layer
    suffix: str
    kind: str
    arrays: list[tuple[str, Array, Turn, Turn]]
    within: str = ""  # the names of the layers that hold the layer, each with a dot

    @property
    def name(self) -> str:
        """What the module is called here."""
        return self.within + self.layer.name + self.suffix


def modules_of(owner: str, model: Sequential) -> Iterator[Module]:
    """Give PyTorch's modules of a model, in order."""
    if not model_arg(owner, model).built:
        raise ValueError(f"{owner}: {model.label} must be built; call build(input_shape)")
    order: NDArray[Any] | None = None
    for within, layer in _leaves(model.running_layers):
        kinds = [found.__name__ for found in type(layer).__mro__]
        kind = next((name for name in kinds if name in (*_MAKERS, "Flatten")), None)
        if kind == "Flatten":
            order = _order(owner, layer)
        elif layer.named_weights:
            if kind is None:
                raise ValueError(f"{owner}: {layer.label} has no counterpart that is known")
            if kind in _OF_ONE_AXIS and not _has_one_axis(layer):
                hint = _OF_ONE_AXIS[kind]
                raise ValueError(
                    f"{owner}: {layer.label}: PyTorch's has one number a channel{hint}"
                )
            for module in _MAKERS[kind](layer, order):
                module.within = within
                yield module
            order = None if kind == "Dense" else order


def _leaves(layers: list[Layer], within: str = "") -> Iterator[tuple[str, Layer]]:
    """Give the layers that hold no others, each with the names of those that hold it."""
    for layer in layers:
        if isinstance(layer, Container):
            yield from _leaves(layer.layers, f"{within}{layer.name}.")
        else:
            yield within, layer


def _order(owner: str, layer: Layer) -> NDArray[Any] | None:
    """Return, for each number after Flatten, its place in PyTorch's; None where it is the same."""
    shape = layer.input_shape[1:]
    if len(shape) < 3:
        return None
    if getattr(layer, "data_format", None) == "channels_first":
        shape = (*shape[1:], shape[0])
    if None in shape:
        raise ValueError(f"{owner}: {layer.label} must know the sizes of its input, got {shape}")
    sizes = [int(n) for n in shape if n is not None]
    places = np.arange(int(np.prod(sizes))).reshape(sizes[-1], *sizes[:-1])
    return np.moveaxis(places, 0, -1).reshape(-1)


def _same(array: NDArray[Any]) -> NDArray[Any]:
    return array


def _to_oihw(array: Any) -> Any:
    return array.transpose(3, 2, 0, 1)


def _to_hwio(array: Any) -> Any:
    return array.transpose(2, 3, 1, 0)


def _with_bias(layer: Layer, weight: tuple[str, Array, Turn, Turn]) -> Any:
    bias = layer.named_weights.get("bias")
    return [weight] if bias is None else [weight, ("bias", bias, _same, _same)]


def _conv(layer: Layer, order: Any) -> Iterator[Module]:
    kernel = layer.named_weights["kernel"]
    arrays = _with_bias(layer, ("weight", kernel, _to_oihw, _to_hwio))
    yield Module(layer, "", CONV, arrays)


def _depthwise_weight(kernel: Array) -> tuple[str, Array, Turn, Turn]:
    # (KH, KW, C, multiplier) here; there a group a channel: (C * multiplier, 1, KH, KW).
    kh, kw, channels, multiplier = kernel.shape
    return (
        "weight",
        kernel,
        lambda a: a.reshape(kh, kw, channels * multiplier, 1).transpose(2, 3, 0, 1),
        lambda a: a.transpose(2, 3, 0, 1).reshape(kh, kw, channels, multiplier),
    )


def _depthwise(layer: Layer, order: Any) -> Iterator[Module]:
    own = layer.named_weights
    kernel = own["kernel"] if "kernel" in own else own["depthwise_kernel"]
    yield Module(layer, "", CONV, _with_bias(layer, _depthwise_weight(kernel)))


def _separable(layer: Layer, order: Any) -> Iterator[Module]:
    own = layer.named_weights
    depthwise = [_depthwise_weight(own["depthwise_kernel"])]
    yield Module(layer, ".depthwise", CONV, depthwise)
    pointwise = ("weight", own["pointwise_kernel"], _to_oihw, _to_hwio)
    yield Module(layer, ".pointwise", CONV, _with_bias(layer, pointwise))


def _dense(layer: Layer, order: NDArray[Any] | None) -> Iterator[Module]:
    rows = np.arange(layer.named_weights["kernel"].shape[0]) if order is None else order
    back = np.argsort(rows)
    weight: tuple[str, Array, Turn, Turn] = (
        "weight", layer.named_weights["kernel"],
        lambda a: a[back].T,
        lambda a: a.T[rows],
    )  # fmt: skip
    yield Module(layer, "", LINEAR, _with_bias(layer, weight))


def _has_one_axis(layer: Layer) -> bool:
    return all(max(w.shape, default=1) == w.size for w in layer.named_weights.values())


def _vectors(
    layer: Layer, order: NDArray[Any] | None, kind: str, names: dict[str, str]
) -> Iterator[Module]:
    """Give a module whose arrays have one number a channel, or after Flatten one a number."""
    own = layer.named_weights
    first = next(iter(own.values()))
    size, shape = first.size, first.shape
    places = order if order is not None and order.size == size else np.arange(size)
    back = np.argsort(places)
    arrays: list[tuple[str, Array, Turn, Turn]] = [
        (
            there,
            own[here],
            lambda a: a.reshape(-1)[back],
            lambda a: a[places].reshape(shape),
        )
        for here, there in names.items()
        if here in own
    ]
    yield Module(layer, "", kind, arrays)


def _norm(layer: Layer, order: NDArray[Any] | None) -> Iterator[Module]:
    names = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    yield from _vectors(layer, order, NORM, names)


def _affine(layer: Layer, order: NDArray[Any] | None) -> Iterator[Module]:
    yield from _vectors(layer, order, AFFINE, {"gamma": "weight", "beta": "bias"})


def _slopes(layer: Layer, order: NDArray[Any] | None) -> Iterator[Module]:
    yield from _vectors(layer, order, SLOPES, {"alpha": "weight"})


# What is said where a layer has weights of several axes.
_OF_ONE_AXIS = {
    "LayerNormalization": "; make the layer with axis=-1",
    "PReLU": "; make the layer with shared_axes=[1, 2]",
}


_MAKERS: dict[str, Callable[[Layer, Any], Iterator[Module]]] = {
    "BatchNormalization": _norm,
    "Conv2D": _conv,
    # (KH, KW, OC, C) here, (C, OC, KH, KW) there: the same turn.
    "Conv2DTranspose": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "GroupNormalization": _affine,
    "LayerNormalization": _affine,
    "PReLU": _slopes,
    "SeparableConv2D": _separable,
}
