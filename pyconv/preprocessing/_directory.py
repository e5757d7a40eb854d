"""Batches of images that lie in folders, one a class."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import float_arg, is_one_of, path_arg
from pyconv._types import Array
from pyconv.preprocessing._file_iterator import FileIterator

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff")
_CLASS_MODES = ("categorical", "sparse", "binary", "input", None)


class DirectoryIterator(FileIterator):
    """Batches of the images in a folder that has a folder for each class.

    Args:
        directory: the folder.
        change: called with images (n, H, W, C) and a random generator; returns the images of the
            batch.
        target_size: (height, width) that images are resized to.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: names of the folders, in the order of the classes; None for all, sorted.
        class_mode: ``"categorical"`` for labels (n, classes), ``"sparse"`` or ``"binary"`` for
            (n,), ``"input"`` for the images themselves, None for no labels.
        batch_size, shuffle, seed: see ``ImageIterator``.
        part: (from, to) share of each class's files, or None for all.
        interpolation: see ``load_img``.

    Raises:
        FileNotFoundError: there is no such folder.
        ImportError: there is no Pillow.
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import ImageDataGenerator, array_to_img
        >>> folder = tempfile.mkdtemp()
        >>> for name in "cat", "dog":
        ...     os.mkdir(os.path.join(folder, name))
        ...     array_to_img(np.ones((8, 8, 3))).save(os.path.join(folder, name, "1.png"))
        >>> batches = ImageDataGenerator().flow_from_directory(folder, target_size=(4, 4))
        Found 2 images belonging to 2 classes.
        >>> batches.class_indices, batches[0][0].shape
        ({'cat': 0, 'dog': 1}, (2, 4, 4, 3))
    """

    def __init__(
        self,
        directory: Any,
        change: Callable[[Array, np.random.Generator], Array],
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        part: tuple[float, float] | None = None,
        interpolation: str = "nearest",
    ) -> None:
        owner = "flow_from_directory"
        folder = path_arg(owner, "directory", directory)
        self._read_as(owner, folder, change, target_size, color_mode, interpolation)
        if not os.path.isdir(self.directory):
            raise FileNotFoundError(f"{owner}: there is no folder {self.directory!r}")
        if not is_one_of(class_mode, _CLASS_MODES):
            raise ValueError(
                f"{owner}: class_mode must be one of {_CLASS_MODES}, got {class_mode!r:.60}"
            )
        self.class_mode = class_mode
        names = _folders(self.directory) if classes is None else list(classes)
        self.class_names = names
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.num_classes = len(names)
        if class_mode == "binary" and self.num_classes != 2:
            raise ValueError(
                f"{owner}: class_mode='binary' needs 2 classes, got {self.num_classes}: {names}"
            )
        found = [
            (os.path.join(name, file), number)
            for name, number in self.class_indices.items()
            for file in _part(_images(owner, os.path.join(self.directory, name)), part)
        ]
        self.filenames = [name for name, _ in found]
        self.classes = np.array([number for _, number in found], np.int64)
        print(f"Found {len(found)} images belonging to {self.num_classes} classes.")
        super().__init__(len(found), batch_size, shuffle, seed)

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Any:
        """Return x (n, H, W, C), or x and the labels, of these files."""
        x = self._images(rows, rng)
        if self.class_mode is None:
            return x
        if self.class_mode == "input":
            return x, x.copy()
        labels = self.classes[rows]
        if self.class_mode == "categorical":
            return x, np.eye(self.num_classes, dtype=np.float32)[labels]
        return x, labels.astype(np.float32)


def image_dataset_from_directory(
    directory: Any,
    labels: str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    verbose: bool = True,
) -> DirectoryIterator:
    """Return batches of the images in a folder that has a folder for each class.

    Args:
        directory: the folder.
        labels: ``"inferred"`` from the folders, or None for images alone.
        label_mode: ``"int"`` for labels (n,), ``"categorical"`` for (n, classes), ``"binary"``
            for 0 and 1, None for none.
        class_names: names of the folders, in the order of the classes; None for all, sorted.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        batch_size: images of a batch.
        image_size: (height, width) that images are resized to.
        shuffle: whether each pass has a new order.
        seed: an integer for the same order in each run.
        validation_split: share of each class's images to validate on.
        subset: ``"training"`` or ``"validation"``, where there is a split.
        interpolation: see ``load_img``.
        verbose: has no effect: how many images there are is always said.

    Returns:
        Batches (x, y) of float32 images of values 0 to 255; ``class_names`` has the classes.

    Raises:
        FileNotFoundError: there is no such folder.
        ImportError: there is no Pillow.
        TypeError, ValueError: an argument is wrong.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import array_to_img, image_dataset_from_directory
        >>> folder = tempfile.mkdtemp()
        >>> os.mkdir(os.path.join(folder, "cat"))
        >>> array_to_img(np.ones((8, 8, 3))).save(os.path.join(folder, "cat", "1.png"))
        >>> images = image_dataset_from_directory(folder, image_size=(4, 4))
        Found 1 images belonging to 1 classes.
        >>> images.class_names
        ['cat']
    """
    owner = "image_dataset_from_directory"
    modes = {"int": "sparse", "categorical": "categorical", "binary": "binary", None: None}
    if not is_one_of(label_mode, modes):
        raise ValueError(f"{owner}: label_mode must be one of {[*modes]}, got {label_mode!r:.60}")
    if not is_one_of(labels, ("inferred", None)):
        raise ValueError(f"{owner}: labels must be 'inferred' or None, got {labels!r:.60}")
    part = None
    if (validation_split is None) != (subset is None):
        raise ValueError(f"{owner}: validation_split and subset must be given together")
    if validation_split is not None:
        at = 1 - float_arg(owner, "validation_split", validation_split, 0.0, 1.0)
        if not is_one_of(subset, ("training", "validation")):
            raise ValueError(f"{owner}: subset must be 'training' or 'validation', got {subset!r}")
        part = (0.0, at) if subset == "training" else (at, 1.0)
    batches = DirectoryIterator(
        directory,
        lambda x, rng: x,
        image_size,
        color_mode,
        class_names,
        None if labels is None else modes[label_mode],
        batch_size,
        shuffle,
        seed,
        part,
        interpolation,
    )
    if batches.n == 0:
        raise ValueError(
            f"{owner}: No images found in directory {directory}; each class has a folder of its "
            f"own, with files that end in one of {SUFFIXES}"
        )
    return batches


def _folders(directory: str) -> list[str]:
    return sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())


def _images(owner: str, folder: str) -> list[str]:
    """Return the images in a folder and the folders below it, sorted."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{owner}: there is no folder {folder!r}")
    return sorted(
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(SUFFIXES)
    )


def _part(files: list[str], part: tuple[float, float] | None) -> list[str]:
    if part is None:
        return files
    return files[int(part[0] * len(files)) : int(part[1] * len(files))]
