"""Loads a data set by its name, and says which one it took and why."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyconv._names import did_you_mean
from pyconv._types import Array
from pyconv.datasets import _cifar_files, _idx_files, cifar10, fashion_mnist, shapes10
from pyconv.datasets._search import Catalog, DatasetNotFoundError, locate, path_arg

UInt8 = NDArray[np.uint8]
Part = tuple[UInt8, UInt8]

_NAMES = ("auto", "cifar10", "fashion_mnist", "shapes10")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory.

    ``x_train`` and ``x_test`` are uint8 (N, H, W, C); ``y_train`` and ``y_test`` are uint8 (N,)
    of classes, indices into ``class_names``. ``name`` is the data set that was really taken, and
    ``why`` a sentence that says where it comes from and why it was taken.

    Example:
        >>> import numpy as np, pyconv
        >>> x, y = np.zeros((2, 32, 32, 3), "uint8"), np.array([0, 1], "uint8")
        >>> pyconv.datasets.Dataset("mine", x, y, x, y, ("cat", "dog"), "for a test").input_shape
        (32, 32, 3)
    """

    name: str
    x_train: UInt8
    y_train: UInt8
    x_test: UInt8
    y_test: UInt8
    class_names: tuple[str, ...]
    why: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(H, W, C) of one image."""
        return self.x_train.shape[1:]

    def split(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Return ``(x, y), (x_valid, y_valid)`` to train on and to validate on.

        Images are float32 of 0 to 1, labels one-hot. As in the course the first 5,000 training
        images are those to validate on; of fewer than 50,000 a tenth, at least one.

        Raises:
            ValueError: there is only one training image.

        Example:
            >>> import pyconv.datasets
            >>> (x, y), (x_valid, y_valid) = pyconv.datasets.load("shapes10").split()
            >>> x.shape, y.shape, len(x_valid)
            ((9000, 32, 32, 3), (9000, 10), 1000)
        """
        count = len(self.x_train)
        if count < 2:
            raise ValueError(f"training needs at least 2 images, {self.name} has {count}")
        first = min(5000, max(1, count // 10))
        x = scaled(self.x_train)
        y = np.eye(len(self.class_names), dtype=np.float32)[self.y_train]
        return (x[first:], y[first:]), (x[:first], y[:first])


def scaled(images: UInt8) -> Array:
    """Return images of 0 to 255 as float32 of 0 to 1."""
    result = images.astype(np.float32)
    result /= 255
    return result


def load(name: str = "auto", path: str | os.PathLike[str] | None = None) -> Dataset:
    """Load the data set ``name``.

    Args:
        name: "cifar10", "fashion_mnist", "shapes10", or "auto": what ``path`` holds; without
            one, CIFAR-10 where it is found or can be downloaded, else the embedded shapes10.
        path: the data set's folder or archive, as its ``load_data`` takes it. A wrong one is an
            error: nothing else is taken instead.

    Returns:
        A ``Dataset``. Every data set has the same form: images (N, H, W, C), labels (N,).

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: ``name`` is unknown, "shapes10" was given a path, or a file is damaged.
        FileNotFoundError: the data set is not at ``path``, or is not to be had.

    Example:
        >>> import pyconv.datasets
        >>> data = pyconv.datasets.load("shapes10")
        >>> data.x_train.shape, data.y_train.shape, data.input_shape
        ((10000, 32, 32, 3), (10000,), (32, 32, 3))
        >>> print(data.why)
        shapes10, drawn by pyconv (10,000 training and 2,000 test images).
    """
    if not isinstance(name, str):
        raise TypeError(f"load: name must be a string, got {type(name).__name__}")
    if name not in _NAMES:
        raise ValueError(
            f"load: name must be one of {', '.join(_NAMES)}, got {name!r}{_hint(name)}"
        )
    if name == "shapes10":
        if path is not None:
            raise ValueError("load: shapes10 is drawn, not read; leave out path, or name another")
        return _shapes10("shapes10, drawn by pyconv")
    if name == "fashion_mnist" or (name == "auto" and path is not None and _is_fashion(path)):
        return _from_files(_idx_files.CATALOG, _idx_files.read, fashion_mnist.CLASS_NAMES, path)
    try:
        return _from_files(_cifar_files.CATALOG, _cifar_files.read, cifar10.CLASS_NAMES, path)
    except DatasetNotFoundError as error:
        if name != "auto":
            raise
        folder = os.environ.get("PYCONV_DATA")
        nor = f", nor in PYCONV_DATA ({folder})," if folder else ""
        return _shapes10(
            f"CIFAR-10 is not on this machine{nor} and could not be downloaded "
            f"({error.reason}); instead shapes10, drawn by pyconv"
        )


def _is_fashion(path: str | os.PathLike[str]) -> bool:
    place = path_arg("load", path)
    is_cifar = any(_cifar_files.candidates(place))
    return not is_cifar and any(_idx_files.candidates(place))


def _from_files(
    catalog: Catalog,
    read: Callable[[Path], tuple[Part, Part]],
    class_names: tuple[str, ...],
    path: str | os.PathLike[str] | None,
) -> Dataset:
    source = locate(catalog, path)
    return _dataset(catalog.name, read(source), class_names, f"{catalog.title} from {source}")


def _shapes10(why: str) -> Dataset:
    return _dataset("shapes10", shapes10.load_data(), shapes10.CLASS_NAMES, why)


def _dataset(
    name: str, parts: tuple[Part, Part], class_names: tuple[str, ...], why: str
) -> Dataset:
    (x_train, y_train), (x_test, y_test) = parts
    if x_train.ndim == 3:
        x_train, x_test = x_train[..., np.newaxis], x_test[..., np.newaxis]
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train.reshape(-1),
        x_test=x_test,
        y_test=y_test.reshape(-1),
        class_names=class_names,
        why=f"{why} ({len(x_train):,} training and {len(x_test):,} test images).",
    )


def _hint(name: str) -> str:
    return did_you_mean(name.lower().replace("-", "_"), _NAMES, 0.5)
