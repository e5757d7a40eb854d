"""Weights from and to PyTorch, as a ``state_dict`` in a safetensors file.

PyTorch keeps images as (N, C, H, W): filters are OIHW there and HWIO here, matrices of dense layers
are transposed, and the first dense layer after ``Flatten`` takes its numbers in another order. All
of this is turned. What a ``state_dict`` does not say must be right in the model: the epsilon of
normalizations (1e-5 in PyTorch, 1e-3 in Keras), the groups, and padding (``padding=1`` is the same
in both; ``"same"`` with strides is not).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._files import place, replacing
from pyconv.interop._modules import NORM, modules_of
from pyconv.interop._state import checked_names, chosen_names, filled, grouped, mapped, read
from pyconv.model import Sequential

__all__ = ["load_torch_state", "save_torch_state", "torch_state"]


def load_torch_state(model: Sequential, source: Any, names: list[str] | None = None) -> None:
    """Read the weights of the same network in PyTorch.

    Convolutions are filled with convolutions in order, dense layers with linear ones, batch
    normalizations with theirs, group, instance and layer normalizations with such, PReLU with PReLU
    (of one slope a channel: ``shared_axes=[1, 2]`` here). In a file the order is that of the names,
    numbers by value (``conv2`` before ``conv10``); where this is not the order of the network, give
    ``names``.

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
    state = mapped(owner, source) if in_order else read(owner, source)
    modules = list(modules_of(owner, model))
    groups = grouped(state)
    chosen = chosen_names(owner, modules, groups, names, in_order)
    pairs = []
    for module, prefix in zip(modules, chosen, strict=True):
        pairs += filled(owner, module, prefix, groups[prefix])
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
    modules = list(modules_of(owner, model))
    prefixes = [module.name for module in modules]
    if names is not None:
        prefixes = checked_names(owner, modules, names)
    state: dict[str, NDArray[Any]] = {}
    for module, prefix in zip(modules, prefixes, strict=True):
        for name, weight, turn, _ in module.arrays:
            state[f"{prefix}.{name}"] = np.array(turn(np.asarray(weight)), order="C")
        if module.kind == NORM:
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
