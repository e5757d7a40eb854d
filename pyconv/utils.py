"""Utilities: one-hot labels, seeds, normalization, data sets of batches."""

from typing import Any

import numpy as np

from pyconv import _random, _targets
from pyconv._args import float_arg, int_arg, names_arg
from pyconv._types import Array
from pyconv.preprocessing._directory import image_dataset_from_directory
from pyconv.preprocessing._files import array_to_img, img_to_array, load_img
from pyconv.py_dataset import PyDataset, Sequence

__all__ = [
    "PyDataset",
    "Sequence",
    "array_to_img",
    "decode_top_k",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "set_random_seed",
    "to_categorical",
]


def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Return one-hot rows of class numbers.

    Args:
        x: class numbers, (N,), (N, 1) or of any shape.
        num_classes: number of classes; None for the largest number plus 1.

    Output shape:
        The shape of ``x``, without a last axis of 1, and ``num_classes``; float32.

    Raises:
        TypeError: ``x`` does not hold numbers.
        ValueError: a number is negative, not whole, or not below ``num_classes``.

    Example:
        >>> import pyconv
        >>> pyconv.utils.to_categorical([0, 2], num_classes=3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    owner = "to_categorical"
    numbers = _targets.numeric(owner, "x", x)
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    if num_classes is None:
        if numbers.size == 0:
            raise ValueError(f"{owner}: num_classes must be given where x is empty")
        _targets.class_numbers(owner, numbers, (*numbers.shape, None), "x")
        num_classes = int(numbers.max()) + 1
    classes = int_arg(owner, "num_classes", num_classes)
    labels = _targets.class_numbers(owner, numbers, (*numbers.shape, classes), "x")
    labels = labels.reshape(numbers.shape)
    one_hot = np.zeros((*labels.shape, classes), np.float32)
    np.put_along_axis(one_hot, labels[..., None], 1.0, axis=-1)
    return one_hot


def decode_top_k(predictions: Any, class_names: Any, k: int = 5) -> list[list[tuple[str, float]]]:
    """Return the names of the k most likely classes of each row, with their scores.

    Args:
        predictions: scores (N, classes), such as a network's softmax.
        class_names: a name for each class.
        k: how many, at most as many as there are classes.

    Returns:
        A list for each row: ``(name, score)``, the best first; of equal scores the first class,
        and a score that is no number last.

    Raises:
        TypeError: ``predictions`` does not hold numbers, or ``k`` is not an integer.
        ValueError: there are not as many names as scores in a row, or ``k`` is out of range.

    Example:
        >>> import pyconv
        >>> names = ["scale", "T-shirt", "steel drum", "drumstick"]
        >>> pyconv.utils.decode_top_k([[0.25, 0.125, 0.5, 0.125]], names, k=2)
        [[('steel drum', 0.5), ('scale', 0.25)]]
    """
    owner = "decode_top_k"
    scores = _targets.numeric(owner, "predictions", predictions)
    names = names_arg(owner, "class_names", class_names)
    if scores.ndim != 2 or scores.shape[1] != len(names):
        raise ValueError(
            f"{owner}: predictions must be (N, {len(names)}), a score for each of class_names, got "
            f"shape {scores.shape}"
        )
    count = int_arg(owner, "k", k, maximum=len(names))
    best = np.argsort(-scores.astype(float), axis=1, kind="stable")[:, :count]
    return [
        [(names[i], float(row[i])) for i in order] for row, order in zip(scores, best, strict=True)
    ]


def set_random_seed(seed: int) -> None:
    """Seed Python's ``random``, numpy's global generator and pyconv's own.

    From it follow initial weights, shuffles and dropout: the same seed and program give the same
    bits, for any number of threads.

    Args:
        seed: 0 to 2**32 - 1.

    Raises:
        TypeError: ``seed`` is not an integer.
        ValueError: it is out of range.

    Example:
        >>> import pyconv
        >>> pyconv.utils.set_random_seed(1)
    """
    import random

    value = int_arg("set_random_seed", "seed", seed, 0, 2**32 - 1)
    random.seed(value)
    np.random.seed(value)
    _random.seed(value)


def normalize(x: Any, axis: int = -1, order: float = 2) -> Array:
    """Return ``x`` divided by its norm along an axis; rows of norm 0 stay 0.

    Args:
        x: an array of numbers.
        axis: the axis of the norm.
        order: order of the norm, such as 2.

    Output shape:
        The shape of ``x``, of at least one axis; float32.

    Raises:
        TypeError: ``x`` does not hold numbers.
        ValueError: ``axis`` is not one of its axes, or ``order`` is not above 0.

    Example:
        >>> import pyconv
        >>> pyconv.utils.normalize([[1.0, 3.0]], order=1).tolist()
        [[0.25, 0.75]]
    """
    array = np.atleast_1d(_targets.numeric("normalize", "x", x)).astype(np.float64)
    at = int_arg("normalize", "axis", axis, -array.ndim, array.ndim - 1)
    power = float_arg("normalize", "order", order, 0.0, np.inf)
    if power == 0:
        raise ValueError("normalize: order must be above 0, got 0")
    norm = np.linalg.norm(array, power, at, keepdims=True)
    return np.asarray(array / np.where(norm == 0, 1, norm), np.float32)
