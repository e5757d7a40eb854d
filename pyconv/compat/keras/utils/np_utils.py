"""``keras.utils.np_utils``: one-hot labels and normalization."""

from typing import Any

import numpy as np

from pyconv.utils import normalize, to_categorical

__all__ = ["categorical_probas_to_classes", "normalize", "probas_to_classes", "to_categorical"]


def categorical_probas_to_classes(p: Any) -> Any:
    """Return the class (N,) of the largest of each row's probabilities (N, K), as Keras 1 did.

    Example:
        >>> from pyconv.compat.keras.utils import np_utils
        >>> np_utils.categorical_probas_to_classes([[0.2, 0.8]]).tolist()
        [1]
    """
    return np.argmax(p, axis=1)


def probas_to_classes(y_pred: Any) -> Any:
    """Return the classes (N,) of probabilities (N, K), or of those (N, 1) of class 1.

    Example:
        >>> from pyconv.compat.keras.utils import np_utils
        >>> np_utils.probas_to_classes([[0.2], [0.7]]).tolist()
        [0, 1]
    """
    given = np.asarray(y_pred)
    if given.ndim > 1 and given.shape[1] > 1:
        return categorical_probas_to_classes(given)
    return (given.reshape(-1) > 0.5).astype(int)
