"""Keras's HDF5 files: whole models and weights, as ``.h5``, and the weights of Keras 3.

Both have trees of groups. ``.h5``: attributes ``model_config`` and ``training_config``, a group
``model_weights`` with the layers in the order of its attribute ``layer_names``, and
``optimizer_weights``. ``.weights.h5``: ``layers/conv2d_1/vars/0`` by class and number, and
``optimizer/vars/0``.
"""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv.formats import keras_config_writer
from pyconv.formats.hdf5_reader import Dataset, Group
from pyconv.formats.hdf5_writer import Tree
from pyconv.formats.places import but, in_old_order
from pyconv.formats.stored import Arrays, Stored, layer_states, optimizer_reordered

if TYPE_CHECKING:
    from pyconv.model import Sequential

CHECKSUM, _STATE = "pyconv_crc32", "pyconv_state"
_TOP = "top_level_model_weights"
# Of layers in TensorFlow 2.12 to 2.15, then in Keras 3.
_CONTAINERS = ("_layer_checkpoint_dependencies", "layers")


# --- writing ----------------------------------------------------------------------------------


def model_tree(model: "Sequential", include_optimizer: bool) -> Tree:
    """Return the tree of a whole model, in the layout of ``.h5``."""
    tree = Tree()
    tree.attrs["keras_version"] = keras_config_writer.KERAS_VERSION
    tree.attrs["backend"] = "tensorflow"
    tree.attrs["model_config"] = json.dumps(keras_config_writer.model_config(model, False))
    states = layer_states(model)
    if states:
        tree.attrs[_STATE] = json.dumps(states)
    _put_layers(tree.group("model_weights"), model, model.is_network)
    compiled = model.get_compile_config() if include_optimizer else None
    if compiled is not None:
        tree.attrs["training_config"] = json.dumps(
            keras_config_writer.compile_config(compiled, False)
        )
        _put_optimizer(tree, model)
    return tree


def weights_tree(model: "Sequential") -> Tree:
    """Return the tree of a model's weights, in the layout of ``.h5``."""
    tree = Tree()
    _put_layers(tree, model, as_network=False)
    return tree


def variables_tree(
    model: "Sequential",
    include_optimizer: bool,
    as_network: bool = False,
    skipped: Collection[int] = (),
) -> Tree:
    """Return the tree of a model's weights, in the layout of ``.weights.h5``.

    Layers of the ids ``skipped`` are left out.
    """
    tree = Tree()
    tree.group("vars").attrs["name"] = model.name
    for place in but(model.file_places(as_network), skipped):
        group = tree.group(f"{place.path}/vars" if place.path else "vars")
        group.attrs["name"] = place.owner.name
        for name, array in place.saved().items():
            group.put(name, array)
    optimizer = model.optimizer
    if include_optimizer and optimizer is not None and optimizer.built:
        _put_variables(tree, "optimizer", optimizer, _optimizer_arrays(model, as_network))
        inner = getattr(optimizer, "inner_optimizer", None)
        if inner is not None:
            _put_variables(tree, "optimizer/inner_optimizer", inner, inner.variables)
    return tree


def _put_variables(tree: Tree, path: str, optimizer: Any, arrays: Sequence[Any]) -> None:
    group = tree.group(f"{path}/vars")
    group.attrs["name"] = optimizer.name
    for i, array in enumerate(arrays):
        group.put(str(i), _narrow(array))


def _optimizer_arrays(model: "Sequential", as_network: bool) -> list[Any]:
    order = model.file_order() if as_network else None
    arrays = list(model.optimizer.variables) if model.optimizer is not None else []
    return arrays if order is None else optimizer_reordered(model.optimizer, arrays, order)


def signed(tree: Tree) -> Tree:
    """Return the tree with a checksum of all that is in it, which Keras leaves alone."""
    sign(tree)
    return tree


def sign(tree: Tree) -> str:
    """Give the tree a checksum of all that is in it, and return that."""
    found = _checksum(tree)
    tree.attrs[CHECKSUM] = found
    return found


def _put_layers(tree: Tree, model: "Sequential", as_network: bool) -> None:
    members = model.file_members(as_network)
    tree.attrs["layer_names"] = [name for name, _ in members if name]
    tree.attrs["backend"] = "tensorflow"
    tree.attrs["keras_version"] = keras_config_writer.KERAS_VERSION
    tree.group(_TOP).attrs["weight_names"] = []
    for member, places in members:
        group = tree.group(member or _TOP)
        listed = in_old_order(places)
        names = [f"{place.name}/{name}:0" for place, name, _ in listed]
        group.attrs["weight_names"] = names
        for name, (_, _, weight) in zip(names, listed, strict=True):
            group.put(name, np.asarray(weight))


def _put_optimizer(tree: Tree, model: "Sequential") -> None:
    optimizer = model.optimizer
    if optimizer is None or not optimizer.built:
        return
    # Keras 3 finds them by order; the names only have to differ.
    arrays = _optimizer_arrays(model, model.is_network)
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
    if _is_of_variables(root):
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
    top = weights.find(_TOP)
    if isinstance(top, Group) and _named(top):
        groups[""] = _named(top)
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


def _is_of_variables(root: Group) -> bool:
    """Whether it has Keras 3's layout, which has ``vars`` where models of one's own have others."""
    if any(name in root for name in _CONTAINERS):
        return True
    return "vars" in root and "layer_names" not in root.attrs and "model_weights" not in root


def _of_variables(root: Group) -> Stored:
    result = of_stores(dict(_variables(root, "")))
    optimizer = root.find("optimizer/vars")
    if isinstance(optimizer, Group):
        result.optimizer = _numbered(optimizer)
    return result


def stores(root: Group) -> dict[str, dict[str, Any]]:
    """Return the arrays of a file of Keras 3's weights by path and name, the optimizer's too.

    Raises:
        ValueError: it is damaged.
    """
    _verify(root)
    return dict(_variables(root, "", left_out=""))


def of_stores(stores: Mapping[str, Mapping[str, Any]]) -> Stored:
    """Return what is in a file of these arrays by name, by Keras 3's paths."""
    groups, paths = {}, {}
    for path, store in stores.items():
        numbers = [str(i) for i in range(len(store))]
        if set(numbers) != set(store):
            continue  # names that a layer of the user's own knows
        paths[path] = [store[number] for number in numbers]
        head, _, name = path.rpartition("/")
        if head == "layers":
            groups[name] = paths[path]
    return Stored(groups, by_class=True, paths=paths, stores=stores)


def _variables(
    group: Group, path: str, left_out: str = "optimizer"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the arrays by name within a group, by Keras 3's paths."""
    for name, node in group.items():
        if not isinstance(node, Group) or (not path and name == left_out):
            continue
        if name == "vars" and all(isinstance(one, Dataset) for one in node.values()):
            if node:
                yield path, {key: node.array(key) for key in node}
            continue
        kept = "layers" if name in _CONTAINERS else name
        yield from _variables(node, f"{path}/{kept}" if path else kept)


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
    wanted = root.attrs.pop(CHECKSUM, None)
    if wanted is None:
        return
    found = _checksum(root)
    if wanted != found:
        raise ValueError(
            f"its checksum is {found}, and should be {wanted!r:.40}; where it was changed on "
            f"purpose, remove its attribute {CHECKSUM}"
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
