"""Batches of images whose files and labels are columns of a table, such as one of pandas."""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import is_one_of, path_arg
from pyconv._types import Array
from pyconv.preprocessing._directory import SUFFIXES
from pyconv.preprocessing._file_iterator import FileIterator

_OWNER = "flow_from_dataframe"
_OF_CLASSES = ("categorical", "sparse", "binary")
_CLASS_MODES = (*_OF_CLASSES, "input", "multi_output", "raw", None)


class DataFrameIterator(FileIterator):
    """Batches of the images that a column of a table names.

    Args:
        dataframe: the table: what gives a column, a sequence, for ``dataframe[name]``.
        directory: the folder of the files, or None where the table has whole paths.
        change: called with images (n, H, W, C) and a random generator; returns the images of the
            batch.
        x_col: name of the column of files.
        y_col: name of the column of labels; for ``"multi_output"`` and ``"raw"`` a list of names.
        weight_col: name of the column of sample weights, or None.
        target_size: (height, width) that images are resized to.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: names of the classes, in their order; rows of others are left out. None for all,
            sorted.
        class_mode: ``"categorical"`` for labels (n, classes), of one name or a list of them in
            each row, ``"sparse"`` or ``"binary"`` for (n,), ``"raw"`` for what the column has, or
            (n, columns) of a list of columns, ``"multi_output"`` for a list of such, ``"input"``
            for the images themselves, None for no labels.
        batch_size, shuffle, seed: see ``ImageIterator``.
        part: (from, to) share of the rows, or None for all.
        interpolation: see ``load_img``.
        validate_filenames: whether rows whose file is not there are left out, with a warning.

    Raises:
        ImportError: there is no Pillow.
        KeyError: the table has no such column.
        TypeError, ValueError: an argument, or what a column holds, is wrong.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import ImageDataGenerator, array_to_img
        >>> folder = tempfile.mkdtemp()
        >>> for name in "ab":
        ...     array_to_img(np.ones((8, 8, 3))).save(os.path.join(folder, f"{name}.png"))
        >>> table = {"file": ["a.png", "b.png"], "kind": ["dog", "cat"]}
        >>> batches = ImageDataGenerator().flow_from_dataframe(
        ...     table, folder, "file", "kind", target_size=(4, 4), shuffle=False)
        Found 2 validated image filenames belonging to 2 classes.
        >>> batches.class_indices, batches[0][1].tolist()
        ({'cat': 0, 'dog': 1}, [[0.0, 1.0], [1.0, 0.0]])
    """

    def __init__(
        self,
        dataframe: Any,
        directory: Any,
        change: Callable[[Array, np.random.Generator], Array],
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
        part: tuple[float, float] | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
    ) -> None:
        names = getattr(getattr(dataframe, "dtype", None), "names", None)  # of numpy's records
        if not isinstance(dataframe, Mapping) and not hasattr(dataframe, "columns") and not names:
            raise TypeError(
                f"{_OWNER}: dataframe must be a table of pandas, or a dict of columns, got a "
                f"{type(dataframe).__name__}"
            )
        if not is_one_of(class_mode, _CLASS_MODES):
            raise ValueError(
                f"{_OWNER}: class_mode must be one of {_CLASS_MODES}, got {class_mode!r:.60}"
            )
        if class_mode == "multi_output" and not isinstance(y_col, (list, tuple)):
            raise TypeError(
                f"{_OWNER}: y_col must be a list of columns for class_mode='multi_output', got "
                f"{y_col!r:.60}"
            )
        folder = "" if directory is None else path_arg(_OWNER, "directory", directory)
        self._read_as(_OWNER, folder, change, target_size, color_mode, interpolation)
        self.class_mode = class_mode
        files = _column(dataframe, x_col)
        if not all(isinstance(name, str) for name in files):
            raise TypeError(f"{_OWNER}: x_col={x_col!r} must hold texts, the names of files")
        rows = np.arange(len(files))
        if validate_filenames:
            rows = self._valid(files, x_col)
        if class_mode in _OF_CLASSES:
            labels = _column(dataframe, y_col)
            rows = self._take_classes(labels, rows, y_col, classes)
        if part is not None:
            rows = rows[int(part[0] * len(rows)) : int(part[1] * len(rows))]
        self.filenames = [files[row] for row in rows]
        if class_mode in _OF_CLASSES:
            self.classes = [self._numbers(labels[row]) for row in rows]
        elif class_mode in ("raw", "multi_output"):
            several = isinstance(y_col, (list, tuple))
            columns = [_column(dataframe, name) for name in (y_col if several else [y_col])]
            targets = [np.asarray(column)[rows] for column in columns]
            stacked = class_mode == "raw" and several
            self._targets = [np.stack(targets, axis=1)] if stacked else targets
        weights = None if weight_col is None else _column(dataframe, weight_col)
        self.sample_weight = None if weights is None else np.asarray(weights)[rows]
        text = f"Found {len(rows)}{' validated' if validate_filenames else ''} image filenames"
        kinds = f" belonging to {self.num_classes} classes" if class_mode in _OF_CLASSES else ""
        print(f"{text}{kinds}.")
        super().__init__(len(rows), batch_size, shuffle, seed)

    def _valid(self, files: list[Any], x_col: str) -> NDArray[Any]:
        paths = [self._path(name) for name in files]
        valid = [p.lower().endswith(SUFFIXES) and os.path.isfile(p) for p in paths]
        lacking = len(valid) - sum(valid)
        if lacking:
            warnings.warn(
                f"{_OWNER}: {lacking} of {len(valid)} files in x_col={x_col!r} are left out: not "
                f"there, or no images, such as {paths[valid.index(False)]!r}",
                stacklevel=4,
            )
        return np.flatnonzero(valid)

    def _take_classes(
        self, labels: list[Any], rows: NDArray[Any], y_col: str, classes: Any
    ) -> NDArray[Any]:
        """Note the classes; return the rows that have one of them."""
        several = self.class_mode == "categorical"
        for label in labels:
            if not isinstance(label, (str, list, tuple) if several else str):
                raise TypeError(
                    f"{_OWNER}: y_col={y_col!r} must hold texts for class_mode="
                    f"{self.class_mode!r}, got {label!r:.60}; convert it with astype(str), or use "
                    "class_mode='raw'"
                )
        known = {name for row in rows for name in _listed(labels[row])}
        names = sorted(known) if classes is None else list(classes)
        if self.class_mode == "binary" and len(names) != 2:
            raise ValueError(
                f"{_OWNER}: class_mode='binary' needs 2 classes, got {len(names)}: {names[:9]}"
            )
        self.class_names, self.num_classes = names, len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        kept = [
            row for row in rows if any(name in self.class_indices for name in _listed(labels[row]))
        ]
        return np.asarray(kept, np.intp)

    def _numbers(self, label: Any) -> Any:
        """Return the number of a class; of several a list of them."""
        if isinstance(label, str):
            return self.class_indices[label]
        return [self.class_indices[name] for name in label if name in self.class_indices]

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Any:
        """Return x (n, H, W, C), or x and the labels, or these and weights, of these rows."""
        x = self._images(rows, rng)
        if self.class_mode is None:
            return x
        y = self._labels(x, rows)
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[rows])

    def _labels(self, x: Array, rows: NDArray[np.int64]) -> Any:
        if self.class_mode == "input":
            return x.copy()
        if self.class_mode == "raw":
            return self._targets[0][rows]
        if self.class_mode == "multi_output":
            return [targets[rows] for targets in self._targets]
        if self.class_mode != "categorical":
            return np.array([self.classes[row] for row in rows], np.float32)
        y = np.zeros((len(rows), self.num_classes), np.float32)
        for i, row in enumerate(rows):
            y[i, self.classes[row]] = 1
        return y


def _column(table: Any, name: Any) -> list[Any]:
    try:
        return list(table[name])
    except (KeyError, IndexError, TypeError):
        known = [str(column) for column in getattr(table, "columns", table)][:20]
        raise KeyError(f"{_OWNER}: there is no column {name!r}; there are {known}") from None


def _listed(label: Any) -> Any:
    return [label] if isinstance(label, str) else label
