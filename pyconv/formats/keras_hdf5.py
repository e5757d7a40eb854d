"""Keras's HDF5 files: whole models and weights, as ``.h5``, and the weights of Keras 3.

Both have trees of groups. ``.h5``: attributes ``model_config`` and ``training_config``, a group
``model_weights`` with the layers in the order of its attribute ``layer_names``, and
``optimizer_weights``. ``.weights.h5``: ``layers/conv2d_1/vars/0`` by class and number, and
``optimizer/vars/0``.
"""

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv._names import snake_case
from pyconv.formats import keras_config
from pyconv.formats.hdf5_reader import Dataset, Group
from pyconv.formats.hdf5_writer import Tree
from pyconv.formats.stored import Arrays, Stored, layer_states
from pyconv.layers.graph import flat

if TYPE_CHECKING:
    from pyconv.model import Sequential

_CHECKSUM, _STATE = "pyconv_crc32", "pyconv_state"
# Of layers in TensorFlow 2.12 to 2.15, then in Keras 3.
_CONTAINERS = ("_layer_checkpoint_dependencies", "layers")


# --- writing ----------------------------------------------------------------------------------


def model_tree(model: "Sequential", include_optimizer: bool) -> Tree:
    """Return the tree of a whole model, in the layout of ``.h5``."""
    tree = Tree()
    tree.attrs["keras_version"] = keras_config.KERAS_VERSION
    tree.attrs["backend"] = "tensorflow"
    tree.attrs["model_config"] = json.dumps(keras_config.model_config(model, False))
    states = layer_states(model)
    if states:
        tree.attrs[_STATE] = json.dumps(states)
    _put_layers(tree.group("model_weights"), model)
    compiled = model.get_compile_config() if include_optimizer else None
    if compiled is not None:
        tree.attrs["training_config"] = json.dumps(keras_config.compile_config(compiled, False))
        _put_optimizer(tree, model)
    return tree


def weights_tree(model: "Sequential") -> Tree:
    """Return the tree of a model's weights, in the layout of ``.h5``."""
    tree = Tree()
    _put_layers(tree, model)
    return tree


def variables_tree(model: "Sequential", include_optimizer: bool) -> Tree:
    """Return the tree of a model's weights, in the layout of ``.weights.h5``."""
    tree = Tree()
    tree.group("vars").attrs["name"] = model.name
    counts: dict[str, int] = {}
    for layer in _named_layers(model):
        kind = snake_case(type(layer).__name__)
        number = counts[kind] = counts.get(kind, -1) + 1
        group = tree.group(f"layers/{kind}_{number}/vars" if number else f"layers/{kind}/vars")
        group.attrs["name"] = layer.name
        for i, weight in enumerate(layer.weights_of_files.values()):
            group.put(str(i), np.asarray(weight))
    optimizer = model.optimizer
    if include_optimizer and optimizer is not None and optimizer.built:
        group = tree.group("optimizer/vars")
        group.attrs["name"] = optimizer.name
        for i, array in enumerate(optimizer.variables):
            group.put(str(i), _narrow(array))
    return tree


def _named_layers(model: "Sequential") -> list[Any]:
    """Return the layers that Keras has too."""
    return [layer for layer in flat(model._layers) if not layer.is_within]


def signed(tree: Tree) -> Tree:
    """Return the tree with a checksum of all that is in it, which Keras leaves alone."""
    tree.attrs[_CHECKSUM] = _checksum(tree)
    return tree


def _put_layers(tree: Tree, model: "Sequential") -> None:
    layers = _named_layers(model)
    tree.attrs["layer_names"] = [layer.name for layer in layers]
    tree.attrs["backend"] = "tensorflow"
    tree.attrs["keras_version"] = keras_config.KERAS_VERSION
    for layer in layers:
        group = tree.group(layer.name)
        weights = layer.weights_of_files
        names = [f"{layer.name}/{name}:0" for name in weights]
        group.attrs["weight_names"] = names
        for name, weight in zip(names, weights.values(), strict=True):
            group.put(name, np.asarray(weight))
    tree.group("top_level_model_weights").attrs["weight_names"] = []


def _put_optimizer(tree: Tree, model: "Sequential") -> None:
    optimizer = model.optimizer
    if optimizer is None or not optimizer.built:
        return
    # Keras 3 finds them by order; the names only have to differ.
    arrays = optimizer.variables
    names = [f"{optimizer.name}/variable_{i}" for i in range(len(arrays))]
    group = tree.group("optimizer_weights")
    group.attrs["weight_names"] = names
    for name, array in zip(names, arrays, strict=True):
        group.put(name, _narrow(array))


def _narrow(array: Any) -> Any:
    """Return the array as Keras keeps it: counts are int32 where they fit."""
    array = np.asarray(array)
    fits = array.dtype == np.int64 and array < 2**31
    return array.astype(np.int32) if fits else array


# --- reading ----------------------------------------------------------------------------------


def stored(root: Group) -> Stored:
    """Return what a file of either layout holds.

    Raises:
        ValueError: it is of neither, or damaged.
    """
    _verify(root)
    if any(name in root for name in _CONTAINERS):
        return _of_variables(root)
    weights = root.group("model_weights") if "model_weights" in root else root
    if "layer_names" not in weights.attrs and "layer_names0" not in weights.attrs:
        raise ValueError("it holds no weights of Keras: there are no layer_names")
    if weights.attrs.get("backend") == "theano":
        raise ValueError(
            "its filters are of Keras's Theano backend, which flips them; save it anew with "
            "another backend"
        )
    groups = {}
    for name in _list(weights, "layer_names"):
        arrays = _named(weights.group(name))
        if arrays:
            groups[name] = arrays
    result = Stored(groups)
    result.config = _json(root, "model_config")
    result.compiled = _json(root, "training_config")
    result.states = _json(root, _STATE)
    if "optimizer_weights" in root:
        result.optimizer = _named(root.group("optimizer_weights"))
    return result


def _of_variables(root: Group) -> Stored:
    container = root.group(next(name for name in _CONTAINERS if name in root))
    groups = {}
    for name, node in container.items():
        variables = node.find("vars") if isinstance(node, Group) else None
        if isinstance(variables, Group) and variables:
            groups[name] = _numbered(variables)
    result = Stored(groups, by_class=True)
    optimizer = root.find("optimizer/vars")
    if isinstance(optimizer, Group):
        result.optimizer = _numbered(optimizer)
    return result


def _numbered(group: Group) -> Arrays:
    return [group.array(str(i)) for i in range(len(group))]


def _named(group: Group) -> Arrays:
    return [group.array(name) for name in _list(group, "weight_names")]


def _list(group: Group, name: str) -> list[str]:
    """Return a list of strings; a long one is in several attributes."""
    values = group.attrs.get(name)
    if values is None:
        values, i = [], 0
        while f"{name}{i}" in group.attrs:
            values += list(group.attrs[f"{name}{i}"])
            i += 1
    if len(values) and not (isinstance(values, list) and isinstance(values[0], str)):
        raise ValueError(f"{name} must be a list of strings")
    return list(values)


def _json(group: Group, name: str) -> Any:
    text = group.attrs.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    return json.loads(text)


def _verify(root: Group) -> None:
    wanted = root.attrs.pop(_CHECKSUM, None)
    if wanted is None:
        return
    found = _checksum(root)
    if wanted != found:
        raise ValueError(
            f"its checksum is {found}, and should be {wanted!r:.40}; where it was changed on "
            f"purpose, remove its attribute {_CHECKSUM}"
        )


def _checksum(root: "Tree | Group") -> str:
    crc = 0
    nodes: list[tuple[str, Any]] = [("", root)]
    while nodes:
        path, node = nodes.pop()
        if isinstance(node, (Tree, Group)):
            attributes = sorted((name, _plain(value)) for name, value in node.attrs.items())
            crc = zlib.crc32(json.dumps([path, attributes]).encode(), crc)
            nodes += sorted(
                ((f"{path}/{name}", child) for name, child in node.items()), key=lambda n: n[0]
            )
            continue
        array = node.read() if isinstance(node, Dataset) else np.asarray(node, order="C")
        crc = zlib.crc32(f"{path} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(np.atleast_1d(array).view(np.uint8).data, crc)
    return f"{crc:08x}"


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
