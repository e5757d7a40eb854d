"""``keras.utils.np_utils``: one-hot labels and normalization."""

from pyconv.utils import normalize, to_categorical

__all__ = ["normalize", "to_categorical"]
