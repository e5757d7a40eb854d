"""The arrays of a ``state_dict``: read, put in groups by module, and matched with a model's."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import path_arg
from pyconv._types import Array
from pyconv.interop._modules import AFFINE, CONV, LINEAR, NORM, SLOPES, Module


def mapped(owner: str, source: Mapping[Any, Any]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a mapping, checked to hold numbers."""
    state = {}
    for name, value in source.items():
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{owner}: {name} must hold numbers, got {array.dtype}")
        state[str(name)] = array
    return state


def read(owner: str, source: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file."""
    from safetensors import SafetensorError, safe_open

    path = path_arg(owner, "source, where it is no mapping,", source)
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


def grouped(state: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the arrays by module and name."""
    groups: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in state.items():
        prefix, _, name = key.rpartition(".")
        if name != "num_batches_tracked":
            groups.setdefault(prefix, {})[name] = array
    return groups


def _kind(group: Mapping[str, NDArray[Any]]) -> str | None:
    if "running_mean" in group:
        return NORM
    weight = group.get("weight")
    vector = AFFINE if "bias" in group else SLOPES
    return {4: CONV, 2: LINEAR, 1: vector}.get(-1 if weight is None else weight.ndim)


def chosen_names(
    owner: str,
    modules: list[Module],
    groups: Mapping[str, Mapping[str, NDArray[Any]]],
    names: list[str] | None,
    in_order: bool,
) -> list[str]:
    """Return the name of the group of each module."""
    if names is not None:
        prefixes = checked_names(owner, modules, names)
        missing = [name for name in prefixes if name not in groups]
        if missing:
            raise ValueError(f"{owner}: there is no module {missing[0]!r}; there are {[*groups]}")
        return prefixes
    order = list(groups) if in_order else sorted(groups, key=_natural)
    left: dict[str | None, list[str]] = {}
    for prefix in order:
        left.setdefault(_kind(groups[prefix]), []).append(prefix)
    for kind in (CONV, LINEAR, NORM, AFFINE, SLOPES):
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


def checked_names(owner: str, modules: list[Module], names: list[str]) -> list[str]:
    """Return ``names``, checked to be one for each module."""
    if not isinstance(names, (list, tuple)):
        raise TypeError(f"{owner}: names must be a list of names, got {names!r:.60}")
    if len(names) != len(modules) or len(set(names)) != len(names):
        wanted = ", ".join(module.name for module in modules)
        raise ValueError(
            f"{owner}: names must be {len(modules)} different ones, for {wanted}; got "
            f"{names!r:.200}"
        )
    return list(names)


def filled(
    owner: str, module: Module, prefix: str, group: Mapping[str, NDArray[Any]]
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
