"""``keras.preprocessing.image``: ``pyconv.preprocessing.image``, in either order of axes."""

from typing import Any

import numpy as np

from pyconv.compat import _image_order, _unsupported
from pyconv.preprocessing import image

_FIRST, _LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class ImageDataGenerator(image.ImageDataGenerator):
    """``pyconv.preprocessing.image.ImageDataGenerator``, of images in Theano's order as well.

    Args:
        *args: those of pyconv's.
        data_format: None for the order that ``keras.backend`` was told, 'channels_last' or
            'channels_first': images (N, C, H, W).
        dim_ordering: Keras 1's ``data_format``: 'tf' or 'th'.
        **kwargs: those of pyconv's.

    Raises:
        TypeError, ValueError: as pyconv's.

    Example:
        >>> import numpy as np, pyconv.compat.keras as keras
        >>> images = keras.preprocessing.image.ImageDataGenerator(data_format="channels_first")
        >>> next(images.flow(np.zeros((4, 3, 8, 8)), batch_size=2)).shape
        (2, 3, 8, 8)
    """

    def __init__(
        self, *args: Any, data_format: Any = None, dim_ordering: Any = None, **kwargs: Any
    ) -> None:
        given = {"tf": "channels_last", "th": "channels_first"}.get(dim_ordering, data_format)
        self._turns = (given or _image_order.data_format()) == "channels_first"
        kwargs["data_format"] = None if self._turns else given
        super().__init__(*args, **kwargs)

    def fit(self, x: Any, *args: Any, **kwargs: Any) -> None:
        """Take the numbers that normalize from images; see pyconv's."""
        super().fit(self._turned(x), *args, **kwargs)

    def flow(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the batches of arrays; see pyconv's."""
        batches = super().flow(self._turned(x), *args, **kwargs)
        return _Turned(batches) if self._turns else batches

    def standardize(self, x: Any) -> Any:
        """Return images brought to the common scale; see pyconv's."""
        if not self._turns:
            return super().standardize(x)
        return np.moveaxis(super().standardize(np.moveaxis(x, -3, -1)), -1, -3)

    def _turned(self, x: Any) -> Any:
        return np.transpose(x, _LAST) if self._turns and np.ndim(x) == 4 else x


class _Turned:
    """Batches whose images are (N, C, H, W)."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._batches, name)

    def __iter__(self) -> "_Turned":
        return self

    def __next__(self) -> Any:
        return self._first(next(self._batches))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: Any) -> Any:
        return self._first(self._batches[number])

    def _first(self, batch: Any) -> Any:
        if isinstance(batch, tuple):
            return (np.transpose(batch[0], _FIRST), *batch[1:])
        return np.transpose(batch, _FIRST)


__all__ = sorted({*image.__all__, "ImageDataGenerator"})
__getattr__ = _unsupported.getter(__name__, image)
