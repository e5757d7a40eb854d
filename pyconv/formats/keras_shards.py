"""Keras 3's weights in several files: ``model.weights.json`` says which file has which.

``weight_map`` has the file, or the files, of each group of arrays: ``"/layers/dense/vars"``.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyconv._files import replacing
from pyconv.formats import hdf5_reader, hdf5_writer, keras_hdf5
from pyconv.formats.hdf5_writer import Tree
from pyconv.formats.places import Place, but
from pyconv.formats.stored import Stored

if TYPE_CHECKING:
    from pyconv.model import Sequential

_GIGABYTE = 2**30
# Of each file; with those of another saving beside it they do not fit.
_CHECKSUMS = "pyconv_crc32"
_LARGEST_INDEX = 64 * 2**20


def write(
    path: str, model: "Sequential", max_shard_size: float, skipped: Collection[int] = ()
) -> None:
    """Write a model's weights to files of at most ``max_shard_size`` gigabytes, and their index.

    All are written aside and then renamed, the index last. Layers of the ids ``skipped`` are left
    out.

    Raises:
        ValueError: one array is larger.
    """
    folder, base = os.path.split(path.removesuffix(".json").removesuffix(".weights"))
    weight_map: dict[str, Any] = {}
    checksums = {}
    total = 0
    shards = _shards(but(model.file_places(), skipped), max_shard_size * _GIGABYTE)
    with ExitStack() as files:  # which renames the file that it was given first last
        index_file = files.enter_context(replacing(path))
        for i, shard in enumerate(shards):
            name = f"{base}_{i:05}.weights.h5"
            tree = Tree()
            for (group, owner, key), array in shard.items():
                within = tree.group(group)
                within.attrs["name"] = owner
                within.put(key, array)
                total += array.nbytes
                names = weight_map.setdefault(f"/{group}", [])
                if name not in names:
                    names.append(name)
            checksums[name] = keras_hdf5.sign(tree)
            hdf5_writer.write(files.enter_context(replacing(os.path.join(folder, name))), tree)
        index = {
            "metadata": {"total_size": total, _CHECKSUMS: checksums},
            "weight_map": {k: v[0] if len(v) == 1 else v for k, v in weight_map.items()},
        }
        index_file.write(json.dumps(index, indent=4).encode())


# Arrays by the path of their group, the name of their layer, and their own name.
_Shard = dict[tuple[str, str, str], NDArray[Any]]


def _shards(places: Sequence[Place], most: float) -> list[_Shard]:
    shards: list[_Shard] = [{}]
    size = 0
    for place in places:
        group = f"{place.path}/vars" if place.path else "vars"
        for key, array in place.saved().items():
            if array.nbytes > most:
                raise ValueError(
                    f"save_weights: {place.owner.label}: the size of {key!r} is {array.nbytes} "
                    f"bytes, which exceeds the maximum shard size of {most:.0f}; give a larger "
                    "max_shard_size"
                )
            if size + array.nbytes > most:
                shards.append({})
                size = 0
            shards[-1][group, place.owner.name, key] = array
            size += array.nbytes
    return shards


def read(path: str) -> Stored:
    """Return the weights that an index and its files hold.

    Raises:
        ValueError: the index is damaged, or does not fit its files.
        OSError: one of them is not there.
    """
    if os.path.getsize(path) > _LARGEST_INDEX:
        raise ValueError(f"an index is not as large as {os.path.getsize(path)} bytes")
    with open(path, "rb") as file:
        index = json.loads(file.read().decode())
    weight_map = index.get("weight_map") if isinstance(index, Mapping) else None
    metadata = index.get("metadata") if isinstance(index, Mapping) else None
    if not isinstance(weight_map, Mapping) or not isinstance(metadata, Mapping):
        raise ValueError("it is no index of weights: it must have a weight_map and metadata")
    files = {group: _listed(group, named) for group, named in weight_map.items()}
    checksums = metadata.get(_CHECKSUMS, {})
    if not isinstance(checksums, Mapping):
        raise ValueError(f"its {_CHECKSUMS} must be those of its files by name")
    stores: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys([name for names in files.values() for name in names]):
        found = _of_file(os.path.join(os.path.dirname(path), name), checksums.get(name))
        for group, store in found.items():
            if name not in files.get(f"/{group}/vars" if group else "/vars", ()):
                raise ValueError(f"it does not say that {name} has weights of {group!r:.60}")
            known = stores.setdefault(group, {})
            if known.keys() & store.keys():
                raise ValueError(f"two files have the same weights of {group!r:.60}")
            known.update(store)
        for group, names in files.items():
            if name in names and group.removesuffix("vars").strip("/") not in found:
                raise ValueError(f"{name} has no weights of {group!r:.60}")
    size = sum(np.asarray(array).nbytes for store in stores.values() for array in store.values())
    if metadata.get("total_size") != size:
        raise ValueError(
            f"its weights are to be of {metadata.get('total_size')!r:.30} bytes, the files have "
            f"{size}"
        )
    return keras_hdf5.of_stores(
        {k: v for k, v in stores.items() if k.partition("/")[0] != "optimizer"}
    )


def _of_file(path: str, checksum: Any) -> dict[str, dict[str, Any]]:
    with open(path, "rb") as file:
        root = hdf5_reader.read(file)
        if checksum is not None and root.attrs.get(keras_hdf5.CHECKSUM) != checksum:
            raise ValueError(f"{os.path.basename(path)} is of another saving than the index")
        return keras_hdf5.stores(root)


def _listed(group: Any, named: Any) -> list[str]:
    names = named if isinstance(named, list) else [named]
    for name in names:
        plain = isinstance(name, str) and name.endswith(".h5") and name == os.path.basename(name)
        if not plain or "\\" in name or "\0" in name:
            raise ValueError(
                f"the file of {group!r:.60} must be one beside the index, got {name!r:.60}"
            )
    if not isinstance(group, str) or not group.startswith("/") or not names:
        raise ValueError(f"it has no group and files in {group!r:.60}")
    return names
