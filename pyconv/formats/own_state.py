"""What layers and models of the user's own write to files themselves: arrays, and files beside.

Keras 3 calls ``save_own_variables`` and ``load_own_variables``, and for files ``save_assets`` and
``load_assets`` with the path of a folder.
"""

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyconv.formats.places import Place

if TYPE_CHECKING:
    from pyconv.formats.stored import Stored


def assets_of(places: Sequence[Place]) -> dict[str, bytes]:
    """Return the contents of the files that layers write by ``save_assets``, by path."""
    saving = [place for place in places if hasattr(place.owner, "save_assets")]
    if not saving:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for place in saving:
            path = os.path.join(folder, place.path)
            os.makedirs(path, exist_ok=True)
            place.owner.save_assets(path)
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def load(places: Sequence[Place], stored: "Stored", skip_mismatch: bool) -> None:
    """Have layers of the user's own take up what a file has of them.

    Raises:
        ValueError: one does not; with ``skip_mismatch`` it is a warning.
    """
    for place in places:
        if place.loads_itself:
            paths = (place.path, *place.others)
            store = next((stored.stores[x] for x in paths if x in stored.stores), {})
            _run(place, "load_own_variables", store, skip_mismatch)
    loading = [place for place in places if hasattr(place.owner, "load_assets")]
    if not stored.assets or not loading:
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(stored.assets, folder)
        for place in loading:
            found = [os.path.join(folder, x) for x in (place.path, *place.others)]
            inner = next((x for x in found if os.path.isdir(x)), None)
            _run(place, "load_assets", inner, skip_mismatch)


def _run(place: Place, method: str, argument: object, skip_mismatch: bool) -> None:
    try:
        getattr(place.owner, method)(argument)
    except Exception as error:
        text = f"{place.owner.label}: {method}: {type(error).__name__}: {error}"
        if not skip_mismatch:
            raise ValueError(text) from error
        warnings.warn(text, stacklevel=5)


def _unpack(assets: Mapping[str, bytes], folder: str) -> None:
    for path, contents in assets.items():
        place = Path(folder, *parts_of(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents)


def parts_of(path: str) -> list[str]:
    """Return the parts of an asset's path; ValueError where it leads out of its folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"the asset {path!r:.60} is none: its path leads out of the assets")
    return parts
