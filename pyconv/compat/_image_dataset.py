"""Keras's ``image_dataset_from_directory``: images in folders as a ``tf.data.Dataset``."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _random
from pyconv._args import int_arg, pair_arg, path_arg
from pyconv.compat import _image_order
from pyconv.compat._dataset import Dataset
from pyconv.compat._eager import eager
from pyconv.layers.resizing import Resizing
from pyconv.preprocessing._files import color_mode_arg, img_to_array, load_img

_OWNER = "image_dataset_from_directory"
_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_MODES = ("int", "categorical", "binary", None)


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the images in a folder, which has a folder for each class, as a data set of batches.

    Args:
        directory: the folder.
        labels: 'inferred' from the folders, a list of a class number for each file in their order,
            or None.
        label_mode: 'int' for labels (n,), 'categorical' for (n, classes), 'binary' for (n, 1) of 0
            and 1, None for none.
        class_names: names of the folders, in the order of the classes; None for all, sorted.
        color_mode: 'rgb', 'rgba' or 'grayscale'.
        batch_size: images of a batch; None for images one by one.
        image_size: (height, width) that images are resized to, as ``keras.layers.Resizing`` does.
        shuffle: whether each pass has a new order.
        seed: an integer for the same order, and the same split, in each run.
        validation_split: share of the images to validate on.
        subset: 'training', 'validation', or 'both' for the two data sets.
        interpolation: 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio, pad_to_aspect_ratio: keep the proportions; see ``Resizing``.
        data_format: 'channels_last' or 'channels_first'; None for the backend's.
        format: has no effect.
        verbose: whether to say how many files there are.

    Returns:
        A ``tf.data.Dataset`` of float32 images of values 0 to 255 with labels, which has
        ``class_names`` and ``file_paths`` as well; for 'both' two of them.

    Raises:
        ImportError: there is no Pillow.
        ValueError: an argument is wrong, or there are no images.

    Example:
        >>> import os, tempfile, numpy as np, pyconv.compat.keras as keras
        >>> folder = tempfile.mkdtemp()
        >>> os.mkdir(os.path.join(folder, "cat"))
        >>> keras.utils.save_img(os.path.join(folder, "cat", "1.png"), np.ones((8, 8, 3)))
        >>> data = keras.utils.image_dataset_from_directory(folder, image_size=(4, 4))
        Found 1 files belonging to 1 classes.
        >>> [(x.shape, y.tolist()) for x, y in data], data.class_names
        ([((1, 4, 4, 3), [0])], ['cat'])
    """
    folder = path_arg(_OWNER, "directory", directory)
    _check(labels, label_mode, class_names, color_mode, format)
    _check_split(validation_split, subset, shuffle, seed)
    if labels is None or label_mode is None:
        labels = label_mode = None
    seed = int(_random.generator().integers(1_000_000)) if seed is None else seed
    paths, numbers, names = _found(folder, labels, class_names, follow_links)
    if verbose:
        of_classes = "" if names is None else f" belonging to {len(names)} classes"
        print(f"Found {len(paths)} files{of_classes}.")
    if shuffle:
        order = np.random.default_rng(seed).permutation(len(paths))
        paths, numbers = [paths[i] for i in order], numbers[order]
    if label_mode == "binary" and len(names or ()) != 2:
        raise ValueError(
            f'{_OWNER}: When passing `label_mode="binary"`, there must be exactly 2 class_names. '
            f"Received: class_names={names}"
        )
    height, width = pair_arg(_OWNER, "image_size", image_size)
    reader = _Reader(
        Resizing(
            height,
            width,
            interpolation,
            crop_to_aspect_ratio=crop_to_aspect_ratio,
            pad_to_aspect_ratio=pad_to_aspect_ratio,
        ),
        color_mode,
        label_mode,
        len(names or ()),
        (data_format or _image_order.data_format()) == "channels_first",
    )
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        rows = _rows(len(paths), validation_split, part)
        if verbose and part is not None:
            print(f"Using {rows.stop - rows.start} files for {part}.")
        if rows.start == rows.stop:
            kind = "" if part is None else f"{part} "
            raise ValueError(
                f"{_OWNER}: No {kind}images found in directory {folder}. Allowed formats: "
                f"{_SUFFIXES}"
            )
        data = reader.dataset(paths[rows], numbers[rows], batch_size, shuffle, seed)
        data.class_names, data.file_paths = names, paths[rows]
        made.append(data)
    return made if subset == "both" else made[0]


class _Reader:
    """Reads images of files, and their labels."""

    def __init__(
        self, resizing: Resizing, color_mode: str, mode: str | None, classes: int, first: bool
    ) -> None:
        self._resizing, self._color_mode = resizing, color_mode
        self._mode, self._classes, self._first = mode, classes, first

    def dataset(
        self,
        paths: Sequence[str],
        numbers: NDArray[Any],
        batch_size: int | None,
        shuffle: bool,
        seed: int,
    ) -> Any:
        """Return the data set of these files."""
        count = None if batch_size is None else int_arg(_OWNER, "batch_size", batch_size)
        random = np.random.default_rng(seed)

        def elements() -> Iterator[Any]:
            rows = random.permutation(len(paths)) if shuffle else np.arange(len(paths))
            for at in range(0, len(rows), count or 1):
                part = rows[at : at + (count or 1)]
                x = np.stack([self._image(paths[row]) for row in part])
                y = self._labels(numbers[part])
                batch = (x,) if y is None else (x, y)
                batch = batch if count else tuple(value[0] for value in batch)
                yield eager(batch) if y is not None else eager(batch[0])

        return Dataset(elements, -(-len(paths) // (count or 1)))

    def _image(self, path: str) -> NDArray[Any]:
        image = np.asarray(self._resizing(img_to_array(load_img(path, self._color_mode))))
        return image.transpose(2, 0, 1) if self._first else image

    def _labels(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        if self._mode is None:
            return None
        if self._mode == "categorical":
            hot: NDArray[Any] = np.eye(self._classes, dtype=np.float32)[numbers]
            return hot
        if self._mode == "binary":
            numbers = numbers.astype(np.float32)[:, None]
            return numbers
        return numbers.astype(np.int32)


def _check(labels: Any, mode: Any, class_names: Any, color_mode: Any, kind: Any) -> None:
    given = isinstance(labels, (list, tuple))
    if not given and labels not in ("inferred", None):
        raise ValueError(
            f"{_OWNER}: `labels` argument should be a list/tuple of integer labels, of the same "
            f"size as the number of image files, 'inferred' or None. Received: labels={labels!r}"
        )
    if given and class_names:
        raise ValueError(
            f'{_OWNER}: You can only pass `class_names` if `labels="inferred"`. Received: '
            f"labels={labels} and class_names={class_names}"
        )
    if mode not in _MODES:
        raise ValueError(
            f'{_OWNER}: `label_mode` argument must be one of "int", "categorical", "binary", or '
            f"None. Received: label_mode={mode!r}"
        )
    try:
        color_mode_arg(_OWNER, color_mode)
    except ValueError as error:
        raise ValueError(f"{error}. `color_mode` must be one of these") from None
    if kind not in ("tf", "grain"):
        raise ValueError(f'{_OWNER}: `format` should be either "tf" or "grain", got {kind!r}')


def _check_split(fraction: Any, subset: Any, shuffle: Any, seed: Any) -> None:
    if fraction and not 0 < fraction < 1:
        raise ValueError(
            f"{_OWNER}: `validation_split` must be between 0 and 1, received: {fraction}"
        )
    if bool(fraction) != bool(subset):
        raise ValueError(
            f"{_OWNER}: If `subset` is set, `validation_split` must be set, and inversely."
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'{_OWNER}: `subset` must be either "training", "validation" or "both", received: '
            f"{subset}"
        )
    if fraction and shuffle and seed is None:
        raise ValueError(
            f"{_OWNER}: If using `validation_split` and shuffling the data, you must provide a "
            "`seed` argument, so that the training and validation subset do not overlap."
        )


def _found(
    folder: str, labels: Any, class_names: Any, follow_links: bool
) -> tuple[list[str], NDArray[Any], list[str] | None]:
    """Return the files, their class numbers, and the classes' names, None without labels."""
    if not os.path.isdir(folder):
        raise ValueError(f"{_OWNER}: there is no folder {folder!r}")
    if not isinstance(labels, str):
        paths = _images(folder, follow_links)
        if labels is None:
            return paths, np.zeros(len(paths), np.int64), None
        if len(labels) != len(paths):
            raise ValueError(
                f"{_OWNER}: Expected the lengths of `labels` to match the number of files in the "
                f"target directory. len(labels) is {len(labels)} while we found {len(paths)} files"
            )
        return paths, np.asarray(labels), [str(label) for label in sorted(set(labels))]
    names = sorted(e.name for e in os.scandir(folder) if e.is_dir() and e.name[0] != ".")
    if class_names:
        if set(class_names) != set(names):
            raise ValueError(
                f"{_OWNER}: The `class_names` passed did not match the names of the "
                f"subdirectories of the target directory. Expected: {names}, but received: "
                f"{list(class_names)}"
            )
        names = list(class_names)
    found = [(path, i) for i, name in enumerate(names) for path in _images(
        os.path.join(folder, name), follow_links)]  # fmt: skip
    return [path for path, _ in found], np.array([i for _, i in found], np.int64), names


def _images(folder: str, follow_links: bool) -> list[str]:
    """Return the images in a folder and those below it, in Keras's order."""
    walk = sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0])
    return [
        os.path.join(root, name)
        for root, _, names in walk
        for name in sorted(names)
        if name.lower().endswith(_SUFFIXES)
    ]


def _rows(count: int, fraction: float | None, part: str | None) -> slice:
    last = 0 if fraction is None else int(fraction * count)
    if part is None:
        return slice(0, count)
    return slice(0, count - last) if part == "training" else slice(count - last, count)
