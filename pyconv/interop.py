"""Weights from and to PyTorch, as a ``state_dict`` in a safetensors file.

PyTorch keeps images as (N, C, H, W): filters are OIHW there and HWIO here, matrices of dense layers
are transposed, and the first dense layer after ``Flatten`` takes its numbers in another order. All
of this is turned. What a ``state_dict`` does not say must be right in the model: the epsilon of
batch normalization (1e-5 in PyTorch, 1e-3 in Keras) and padding (``padding=1`` is the same in both;
``"same"`` with strides is not).
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._files import place, replacing
from pyconv._types import Array
from pyconv.layers._container import Container
from pyconv.layers.layer import Layer
from pyconv.model import Sequential

__all__ = ["load_torch_state", "save_torch_state", "torch_state"]

Turn = Callable[[NDArray[Any]], NDArray[Any]]
_CONV, _LINEAR, _NORM = "convolution", "linear", "normalization"


@dataclass
class _Module:
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


def load_torch_state(model: Sequential, source: Any, names: list[str] | None = None) -> None:
    """Read the weights of the same network in PyTorch.

    Convolutions are filled with convolutions in order, dense layers with linear ones, batch
    normalizations with theirs. In a file the order is that of the names, numbers by value
    (``conv2`` before ``conv10``); where this is not the order of the network, give ``names``.

    Args:
        model: a built model.
        source: a safetensors file, as ``safetensors.torch.save_file(module.state_dict(), path)``
            writes it, or a mapping of arrays by name, whose order counts.
        names: the names of PyTorch's modules, such as ``features.0``, in the order of the model's
            layers with weights; SeparableConv2D is two, of ``Residual`` and ``Branches`` the
            layers within count, the shortcut's last.

    Raises:
        OSError: the file cannot be read.
        TypeError: ``source`` is neither a path nor a mapping of arrays.
        ValueError: the file is damaged, or does not fit; the model is left as it was.

    Example:
        >>> import numpy as np, pyconv
        >>> model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2)])
        >>> state = {"0.weight": np.ones((2, 3)), "0.bias": np.zeros(2)}
        >>> pyconv.interop.load_torch_state(model, state)
        >>> model([[1.0, 2.0, 3.0]]).tolist()
        [[6.0, 6.0]]
    """
    owner = "load_torch_state"
    in_order = isinstance(source, Mapping)
    state = _mapped(owner, source) if in_order else _read(owner, source)
    modules = list(_modules(owner, model))
    groups = _grouped(state)
    chosen = _chosen(owner, modules, groups, names, in_order)
    pairs = []
    for module, prefix in zip(modules, chosen, strict=True):
        pairs += _filled(owner, module, prefix, groups[prefix])
    for weight, value in pairs:
        weight[...] = value


def torch_state(model: Sequential, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the weights as PyTorch's ``load_state_dict`` takes them, as numpy arrays by name.

    Args:
        model: a built model.
        names: see ``load_torch_state``; by default the names of the layers.

    Raises:
        ValueError: a layer has no counterpart, or there are more or fewer names than modules.

    Example:
        >>> import pyconv
        >>> dense = pyconv.layers.Dense(2, name="fc")
        >>> model = pyconv.Sequential([pyconv.Input((3,)), dense])
        >>> {name: array.shape for name, array in pyconv.interop.torch_state(model).items()}
        {'fc.weight': (2, 3), 'fc.bias': (2,)}
    """
    owner = "torch_state"
    modules = list(_modules(owner, model))
    prefixes = [module.name for module in modules]
    if names is not None:
        prefixes = _checked_names(owner, modules, names)
    state: dict[str, NDArray[Any]] = {}
    for module, prefix in zip(modules, prefixes, strict=True):
        for name, weight, turn, _ in module.arrays:
            state[f"{prefix}.{name}"] = np.array(turn(np.asarray(weight)), order="C")
        if module.kind == _NORM:
            state[f"{prefix}.num_batches_tracked"] = np.array(0, np.int64)
    return state


def save_torch_state(model: Sequential, filepath: Any, names: list[str] | None = None) -> None:
    """Write the weights to a safetensors file for PyTorch.

    There, ``module.load_state_dict(safetensors.torch.load_file(path))`` takes it.

    Args:
        model: a built model.
        filepath: the file; it is written beside its place and renamed.
        names: see ``load_torch_state``; by default the names of the layers.

    Raises:
        OSError: it cannot be written.
        ValueError: see ``torch_state``.

    Example:
        >>> import os, pyconv, tempfile
        >>> model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2)])
        >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
        >>> pyconv.interop.save_torch_state(model, path)
        >>> pyconv.interop.load_torch_state(model, path)
    """
    from safetensors.numpy import save

    path = place("save_torch_state", filepath)
    data = save(torch_state(model, names), {"format": "pt"})
    with replacing(path) as file:
        file.write(data)


# --- the model's side -------------------------------------------------------------------------


def _modules(owner: str, model: Sequential) -> Iterator[_Module]:
    """Give PyTorch's modules of a model, in order."""
    if not model.built:
        raise ValueError(f"{owner}: {model.label} must be built; call build(input_shape)")
    order: NDArray[Any] | None = None
    for within, layer in _leaves(model.layers):
        kinds = [found.__name__ for found in type(layer).__mro__]
        kind = next((name for name in kinds if name in (*_MAKERS, "Flatten")), None)
        if kind == "Flatten":
            order = _order(owner, layer)
        elif layer.named_weights:
            if kind is None:
                raise ValueError(f"{owner}: {layer.label} has no counterpart that is known")
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


def _conv(layer: Layer, order: Any) -> Iterator[_Module]:
    kernel = layer.named_weights["kernel"]
    arrays = _with_bias(layer, ("weight", kernel, _to_oihw, _to_hwio))
    yield _Module(layer, "", _CONV, arrays)


def _depthwise_weight(kernel: Array) -> tuple[str, Array, Turn, Turn]:
    # (KH, KW, C, multiplier) here; there a group a channel: (C * multiplier, 1, KH, KW).
    kh, kw, channels, multiplier = kernel.shape
    return (
        "weight",
        kernel,
        lambda a: a.reshape(kh, kw, channels * multiplier, 1).transpose(2, 3, 0, 1),
        lambda a: a.transpose(2, 3, 0, 1).reshape(kh, kw, channels, multiplier),
    )


def _depthwise(layer: Layer, order: Any) -> Iterator[_Module]:
    own = layer.named_weights
    kernel = own["kernel"] if "kernel" in own else own["depthwise_kernel"]
    yield _Module(layer, "", _CONV, _with_bias(layer, _depthwise_weight(kernel)))


def _separable(layer: Layer, order: Any) -> Iterator[_Module]:
    own = layer.named_weights
    depthwise = [_depthwise_weight(own["depthwise_kernel"])]
    yield _Module(layer, ".depthwise", _CONV, depthwise)
    pointwise = ("weight", own["pointwise_kernel"], _to_oihw, _to_hwio)
    yield _Module(layer, ".pointwise", _CONV, _with_bias(layer, pointwise))


def _dense(layer: Layer, order: NDArray[Any] | None) -> Iterator[_Module]:
    rows = np.arange(layer.named_weights["kernel"].shape[0]) if order is None else order
    back = np.argsort(rows)
    weight: tuple[str, Array, Turn, Turn] = (
        "weight", layer.named_weights["kernel"],
        lambda a: a[back].T,
        lambda a: a.T[rows],
    )  # fmt: skip
    yield _Module(layer, "", _LINEAR, _with_bias(layer, weight))


def _norm(layer: Layer, order: NDArray[Any] | None) -> Iterator[_Module]:
    own = layer.named_weights
    size = next(iter(own.values())).size
    places = order if order is not None and order.size == size else np.arange(size)
    back = np.argsort(places)
    names = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    arrays: list[tuple[str, Array, Turn, Turn]] = [
        (there, own[here], lambda a: a[back], lambda a: a[places])
        for here, there in names.items()
        if here in own
    ]
    yield _Module(layer, "", _NORM, arrays)


_MAKERS: dict[str, Callable[[Layer, Any], Iterator[_Module]]] = {
    "BatchNormalization": _norm,
    "Conv2D": _conv,
    # (KH, KW, OC, C) here, (C, OC, KH, KW) there: the same turn.
    "Conv2DTranspose": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
}


# --- PyTorch's side ---------------------------------------------------------------------------


def _mapped(owner: str, source: Mapping[Any, Any]) -> dict[str, NDArray[Any]]:
    state = {}
    for name, value in source.items():
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{owner}: {name} must hold numbers, got {array.dtype}")
        state[str(name)] = array
    return state


def _read(owner: str, source: Any) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError, safe_open

    path = os.fsdecode(source)
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith((b"PK\x03\x04", b"\x80\x02")):
        raise ValueError(
            f"{owner}: {path} is a pickle, which could run code; write it with "
            "safetensors.torch.save_file(module.state_dict(), path)"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError) as error:
        raise ValueError(f"{owner}: {path} is damaged or no safetensors file: {error}") from None


def _grouped(state: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the arrays by module and name."""
    groups: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in state.items():
        prefix, _, name = key.rpartition(".")
        if name != "num_batches_tracked":
            groups.setdefault(prefix, {})[name] = array
    return groups


def _kind(group: Mapping[str, NDArray[Any]]) -> str | None:
    if "running_mean" in group:
        return _NORM
    weight = group.get("weight")
    return {4: _CONV, 2: _LINEAR}.get(-1 if weight is None else weight.ndim)


def _chosen(
    owner: str,
    modules: list[_Module],
    groups: Mapping[str, Mapping[str, NDArray[Any]]],
    names: list[str] | None,
    in_order: bool,
) -> list[str]:
    """Return the name of the group of each module."""
    if names is not None:
        prefixes = _checked_names(owner, modules, names)
        missing = [name for name in prefixes if name not in groups]
        if missing:
            raise ValueError(f"{owner}: there is no module {missing[0]!r}; there are {[*groups]}")
        return prefixes
    order = list(groups) if in_order else sorted(groups, key=_natural)
    left: dict[str | None, list[str]] = {}
    for prefix in order:
        left.setdefault(_kind(groups[prefix]), []).append(prefix)
    for kind in (_CONV, _LINEAR, _NORM):
        own, there = sum(m.kind == kind for m in modules), len(left.get(kind, []))
        if own != there:
            raise ValueError(
                f"{owner}: the model has {own} layers of the kind {kind}, PyTorch's {there}: "
                f"{left.get(kind, [])}"
            )
    unknown = left.get(None)
    if unknown:
        raise ValueError(f"{owner}: there are arrays of another kind: {unknown}")
    return [left[module.kind].pop(0) for module in modules]


def _natural(name: str) -> list[Any]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _checked_names(owner: str, modules: list[_Module], names: list[str]) -> list[str]:
    if len(names) != len(modules) or len(set(names)) != len(names):
        wanted = ", ".join(module.name for module in modules)
        raise ValueError(
            f"{owner}: names must be {len(modules)} different ones, for {wanted}; got "
            f"{names!r:.200}"
        )
    return list(names)


def _filled(
    owner: str, module: _Module, prefix: str, group: Mapping[str, NDArray[Any]]
) -> list[tuple[Array, NDArray[Any]]]:
    """Return (the weight, its new values) of a module; ValueError where they do not fit."""
    label = f"{owner}: {module.layer.label}{module.suffix}, from {prefix!r}"
    wanted = [name for name, *_ in module.arrays]
    if set(wanted) != set(group):
        hint = ""
        if set(wanted) ^ set(group) == {"bias"}:
            hint = f"; make the layer with use_bias={'bias' in group}"
        raise ValueError(f"{label}: it has {', '.join(wanted)}, PyTorch's {', '.join(group)}{hint}")
    pairs = []
    for name, weight, to_torch, from_torch in module.arrays:
        there, shape = group[name], to_torch(np.asarray(weight)).shape
        if there.shape != shape:
            raise ValueError(
                f"{label}: {name} must be {shape}, as PyTorch has it, got {there.shape}; where the "
                "order of modules is another, give names"
            )
        pairs.append((weight, np.asarray(from_torch(there), np.float32)))
    return pairs
