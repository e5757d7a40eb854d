"""Batches that an ``ImageDataGenerator`` makes of arrays, folders and tables."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import is_one_of
from pyconv._types import Array
from pyconv.preprocessing._changes import Changes
from pyconv.preprocessing._directory import DirectoryIterator
from pyconv.preprocessing._iterator import NumpyArrayIterator
from pyconv.preprocessing._saved import save_to_arg
from pyconv.preprocessing._table import DataFrameIterator


class Flows:
    """What an ``ImageDataGenerator`` has for each source of images."""

    validation_split: float

    def changed(
        self,
        x: NDArray[Any],
        rng: "np.random.Generator | Changes",
        rows: NDArray[np.int64] | None = None,
    ) -> Array:
        """Return images changed at random."""
        raise NotImplementedError

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Return batches of arrays, without an end; ``fit`` takes them as ``x``.

        Args:
            x: images (N, H, W, C).
            y: labels (N, ...), or None.
            batch_size: images of a batch.
            shuffle: whether each pass has a new order.
            sample_weight: weights (N,), or None.
            seed: an integer for the same orders and changes in each run.
            save_to_dir: a folder that the images of each batch are written to, or None.
            save_prefix: what their files' names begin with.
            save_format: what they end with: ``"png"``, ``"jpeg"``.
            subset: ``"validation"`` for the first ``validation_split`` of the images,
                ``"training"`` for the others.

        Raises:
            TypeError, ValueError: an argument is wrong.
        """
        save_to = save_to_arg("flow", save_to_dir, save_prefix, save_format)
        arrays = [None if a is None else np.asarray(a) for a in (x, y, sample_weight)]
        part = self._part("flow", subset)
        if part is not None:
            rows = slice(*(int(len(x) * share) for share in part))
            arrays = [None if array is None else array[rows] for array in arrays]
        generator: Any = self
        batches = NumpyArrayIterator(
            arrays[0], arrays[1], generator, batch_size, shuffle, seed, arrays[2]
        )
        batches.save_to = save_to
        return batches

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Return batches of the images in a folder that has a folder for each class.

        Args:
            directory: the folder.
            target_size: (height, width) that images are resized to.
            color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
            classes: names of the folders, in the order of the classes; None for all, sorted.
            class_mode: ``"categorical"``, ``"sparse"``, ``"binary"``, ``"input"`` or None.
            batch_size, shuffle, seed, subset: as for ``flow``.
            save_to_dir: a folder that the images of each batch are written to, or None.
            save_prefix: what their files' names begin with.
            save_format: what they end with: ``"png"``, ``"jpeg"``.
            follow_links: has no effect: links are followed.
            interpolation: see ``load_img``.

        Raises:
            FileNotFoundError: there is no such folder.
            ImportError: there is no Pillow.
            TypeError, ValueError: an argument is wrong.
        """
        save_to = save_to_arg("flow_from_directory", save_to_dir, save_prefix, save_format)
        part = self._part("flow_from_directory", subset)
        batches = DirectoryIterator(
            directory,
            self.changed,
            target_size,
            color_mode,
            classes,
            class_mode,
            batch_size,
            shuffle,
            seed,
            part,
            interpolation,
        )
        batches.save_to = save_to
        return batches

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Return batches of the images that a column of a table names.

        Args:
            dataframe, directory, x_col, y_col, weight_col, target_size, color_mode, classes,
                class_mode, interpolation, validate_filenames: see ``DataFrameIterator``.
            batch_size, shuffle, seed, subset: as for ``flow``.
            save_to_dir: a folder that the images of each batch are written to, or None.
            save_prefix: what their files' names begin with.
            save_format: what they end with: ``"png"``, ``"jpeg"``.
            **kwargs: ``has_ext``, ``sort`` and ``drop_duplicates`` of older versions, which have
                no effect.

        Raises:
            ImportError: there is no Pillow.
            KeyError: the table has no such column.
            TypeError, ValueError: an argument, or what a column holds, is wrong.
        """
        owner = "flow_from_dataframe"
        for name in kwargs:
            if name not in ("has_ext", "sort", "drop_duplicates"):
                raise TypeError(f"{owner}: there is no argument {name!r}")
            warnings.warn(f"{owner}: {name} has no effect", stacklevel=2)
        save_to = save_to_arg(owner, save_to_dir, save_prefix, save_format)
        part = self._part(owner, subset)
        batches = DataFrameIterator(
            dataframe,
            directory,
            self.changed,
            x_col,
            y_col,
            weight_col,
            target_size,
            color_mode,
            classes,
            "raw" if class_mode == "other" else class_mode,
            batch_size,
            shuffle,
            seed,
            part,
            interpolation,
            validate_filenames,
        )
        batches.save_to = save_to
        return batches

    def _part(self, owner: str, subset: Any) -> tuple[float, float] | None:
        """Return (from, to) of the share of the images that a subset is, None for all."""
        if subset is None:
            return None
        if not is_one_of(subset, ("training", "validation")):
            raise ValueError(
                f"{owner}: subset must be 'training' or 'validation', got {subset!r:.60}"
            )
        at = self.validation_split
        return (0.0, at) if subset == "validation" else (at, 1.0)
