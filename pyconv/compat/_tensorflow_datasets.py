"""``tensorflow_datasets``: ``load`` of the data sets that pyconv has, as ``tf.data.Dataset``."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv.compat._dataset import Dataset
from pyconv.datasets import cifar10, cifar100, fashion_mnist, shapes10

__all__ = ["as_numpy", "disable_progress_bar", "enable_progress_bar", "load"]

Arrays = dict[str, tuple[Any, Any]]

_DIGITS = tuple("0123456789")
# fmt: off
_OF_CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
    "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)
# fmt: on
_PART = re.compile(r"(train|test|all)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?")


def load(
    name: str,
    split: Any = None,
    data_dir: Any = None,
    batch_size: int | None = None,
    shuffle_files: bool = False,
    download: bool = True,
    as_supervised: bool = False,
    with_info: bool = False,
    **kwargs: Any,
) -> Any:
    """Return a data set's images and labels, from where ``keras.datasets`` finds them.

    Args:
        name: 'mnist', 'fashion_mnist', 'cifar10', 'cifar100' or pyconv's 'shapes10'; what follows
            a ':' or a '/' is left out.
        split: 'train', 'test', 'all', a part such as 'train[:80%]' or 'train[1000:]', several
            joined by '+', or a list of these; None for a dict of the training and the test set.
        data_dir: has no effect.
        batch_size: so many samples to an element; None for one, -1 for all in one.
        shuffle_files: has no effect.
        download: has no effect.
        as_supervised: whether elements are ``(image, label)``, not dicts of the two.
        with_info: whether to return ``(data, info)``; ``info`` has ``splits[...].num_examples`` and
            ``features["label"]`` with ``num_classes`` and ``names``.
        **kwargs: have no effect.

    Raises:
        ValueError: the data set or the split is not known.
        OSError: the data set is not on this machine and cannot be downloaded.

    Example:
        >>> from pyconv.compat import _tensorflow_datasets as tfds
        >>> options = {"as_supervised": True, "with_info": True}
        >>> data, info = tfds.load("shapes10", split="test[:10]", **options)
        >>> len(data), info.features["label"].num_classes, next(iter(data))[0].shape
        (10, 10, (32, 32, 3))
    """
    key = re.split("[:/]", name)[0]
    if key not in _LOADERS:
        raise ValueError(
            f"tensorflow_datasets.load: pyconv has no data set {name!r:.60}; it has "
            f"{', '.join(sorted(_LOADERS))}; load the files yourself, and give tf.data arrays"
        )
    load_data, names = _LOADERS[key]
    (x, y), (x_test, y_test) = load_data()
    arrays = {"train": _pair(x, y), "test": _pair(x_test, y_test)}

    def made(wanted: Any) -> Any:
        if isinstance(wanted, (list, tuple)):
            return type(wanted)(made(part) for part in wanted)
        images, labels = _part(arrays, str(wanted))
        parts: Any = (images, labels) if as_supervised else {"image": images, "label": labels}
        data = Dataset.from_tensor_slices(parts)
        if batch_size is None:
            return data
        if batch_size == -1:
            return next(iter(data.batch(max(len(labels), 1))))
        return data.batch(batch_size)

    result = {part: made(part) for part in arrays} if split is None else made(split)
    return (result, _info(key, arrays, names)) if with_info else result


def _mnist() -> Any:
    from pyconv.compat.keras.datasets import mnist

    return mnist.load_data()


_LOADERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "mnist": (_mnist, _DIGITS),
    "fashion_mnist": (lambda: fashion_mnist.load_data(), fashion_mnist.CLASS_NAMES),
    "cifar10": (lambda: cifar10.load_data(), cifar10.CLASS_NAMES),
    "cifar100": (lambda: cifar100.load_data(), _OF_CIFAR100),
    "shapes10": (lambda: shapes10.load_data(), shapes10.CLASS_NAMES),
}


def _pair(x: Any, y: Any) -> tuple[Any, Any]:
    """Return images (N, H, W, C) and labels (N,), int64."""
    images = x[..., np.newaxis] if x.ndim == 3 else x
    return images, np.asarray(y, np.int64).reshape(-1)


def _part(arrays: Arrays, split: str) -> tuple[Any, Any]:
    """Return the images and labels of a split."""
    found: list[tuple[Any, Any]] = []
    for text in split.split("+"):
        match = _PART.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                "tensorflow_datasets.load: split must be such as 'train', 'test', 'train[:80%]' or "
                f"'train[100:]+test', got {split!r:.60}"
            )
        name, first, last = match.groups()
        for one in arrays if name == "all" else [name]:
            x, y = arrays[one]
            part = slice(_place(first, len(y)), _place(last, len(y)))
            found.append((x[part], y[part]))
    if len(found) == 1:
        return found[0]
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


def _place(text: str | None, count: int) -> int | None:
    if text is None:
        return None
    return round(int(text[:-1]) * count / 100) if text.endswith("%") else int(text)


def _info(name: str, arrays: Arrays, names: tuple[str, ...]) -> Any:
    label = SimpleNamespace(
        num_classes=len(names),
        names=list(names),
        int2str=lambda i: names[int(i)],
        str2int=names.index,
        dtype=np.dtype(np.int64),
        shape=(),
    )
    shape = arrays["train"][0].shape[1:]
    return SimpleNamespace(
        name=name,
        splits={part: SimpleNamespace(num_examples=len(y)) for part, (_, y) in arrays.items()},
        features={"image": SimpleNamespace(shape=shape, dtype=np.dtype(np.uint8)), "label": label},
        supervised_keys=("image", "label"),
    )


def as_numpy(dataset: Any) -> Iterator[Any] | Any:
    """Return the elements of a data set with plain arrays, or an element so.

    Example:
        >>> from pyconv.compat import _tensorflow_datasets as tfds
        >>> data = tfds.load("shapes10", split="test[:2]")
        >>> [type(item["image"]).__name__ for item in tfds.as_numpy(data)]
        ['ndarray', 'ndarray']
    """
    if isinstance(dataset, Dataset):
        return dataset.as_numpy_iterator()
    if isinstance(dataset, dict):
        return {name: as_numpy(part) for name, part in dataset.items()}
    if isinstance(dataset, tuple):
        return tuple(as_numpy(part) for part in dataset)
    return np.asarray(dataset)


def disable_progress_bar() -> None:
    """Do nothing.

    Example:
        >>> from pyconv.compat import _tensorflow_datasets as tfds
        >>> tfds.disable_progress_bar()
    """


enable_progress_bar = disable_progress_bar
