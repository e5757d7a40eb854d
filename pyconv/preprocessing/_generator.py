"""Keras 2's ImageDataGenerator."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv import _random, backend
from pyconv._args import FLOAT_MAX, bool_arg, float_arg
from pyconv._convert import is_native
from pyconv._types import Array
from pyconv.layers._augmentation import Stage, fill_mode_arg
from pyconv.preprocessing._changes import Changes, RandomChanges, pair_arg, shift_arg
from pyconv.preprocessing._files import channels_last
from pyconv.preprocessing._flows import Flows
from pyconv.preprocessing._iterator import batch_arg, images_arg


class ImageDataGenerator(Flows, RandomChanges):
    """Makes batches of images that are changed at random and brought to a common scale.

    Args:
        featurewise_center: whether the mean of each channel, of the images given to ``fit``, is
            taken away.
        samplewise_center: whether each image's own mean is.
        featurewise_std_normalization: whether values are divided by the deviation of each
            channel, of the images given to ``fit``.
        samplewise_std_normalization: whether by each image's own.
        zca_whitening: whether the images given to ``fit`` say how to make pixels uncorrelated.
        zca_epsilon: keeps its roots away from 0.
        rotation_range: largest angle, in degrees.
        width_shift_range: largest movement: a share of the width below 1, else columns; an
            integer for whole columns; or a list of movements to choose from.
        height_shift_range: the same of the height.
        brightness_range: (least, most) factor of the values, or None.
        shear_range: largest angle of shear, in degrees.
        zoom_range: (least, most) share of the image that is shown, or r for (1 - r, 1 + r).
        channel_shift_range: largest number added to the values.
        fill_mode: ``"nearest"``, ``"constant"``, ``"reflect"`` or ``"wrap"``.
        cval: what ``"constant"`` fills with.
        horizontal_flip: whether half of the images are flipped from left to right.
        vertical_flip: whether half of them are upside down.
        rescale: a factor of all values, such as 1/255, or None.
        preprocessing_function: called with each image (H, W, C); returns one of that shape.
        data_format: None or ``"channels_last"``.
        validation_split: share of the images that ``subset="validation"`` means.
        dtype: has no effect: images are float32.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np
        >>> from pyconv.preprocessing.image import ImageDataGenerator
        >>> images = ImageDataGenerator(width_shift_range=0.1, horizontal_flip=True, rescale=0.5)
        >>> x, y = next(images.flow(np.ones((8, 6, 6, 3)), np.arange(8), batch_size=4))
        >>> x.shape, float(x.max())
        ((4, 6, 6, 3), 0.5)
    """

    _times_set = 0  # how often an attribute was: changes drawn ahead are of one state

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        dtype: Any = None,
    ) -> None:
        owner = "ImageDataGenerator"
        channels_last(owner, data_format)
        self.zca_whitening = bool_arg(owner, "zca_whitening", zca_whitening)
        scaled = bool_arg(owner, "featurewise_std_normalization", featurewise_std_normalization)
        self.featurewise_std_normalization = scaled and not self.zca_whitening
        centered = bool_arg(owner, "featurewise_center", featurewise_center)
        self.featurewise_center = centered or self.zca_whitening or scaled
        self.samplewise_std_normalization = bool_arg(
            owner, "samplewise_std_normalization", samplewise_std_normalization
        )
        centered = bool_arg(owner, "samplewise_center", samplewise_center)
        self.samplewise_center = centered or self.samplewise_std_normalization
        self.zca_epsilon = float_arg(owner, "zca_epsilon", zca_epsilon)
        self.rotation_range = float_arg(owner, "rotation_range", rotation_range)
        self.width_shift_range = shift_arg(owner, "width_shift_range", width_shift_range)
        self.height_shift_range = shift_arg(owner, "height_shift_range", height_shift_range)
        self.brightness_range = (
            None
            if brightness_range is None
            else pair_arg(owner, "brightness_range", brightness_range)
        )
        self.shear_range = float_arg(owner, "shear_range", shear_range)
        if isinstance(zoom_range, (tuple, list)):
            self.zoom_range = pair_arg(owner, "zoom_range", zoom_range)
        else:
            share = float_arg(owner, "zoom_range", zoom_range, 0.0, 1.0)
            self.zoom_range = 1 - share, 1 + share
        self.channel_shift_range = float_arg(owner, "channel_shift_range", channel_shift_range)
        self.fill_mode = fill_mode_arg(owner, fill_mode)
        self.cval = cval
        self.horizontal_flip = bool_arg(owner, "horizontal_flip", horizontal_flip)
        self.vertical_flip = bool_arg(owner, "vertical_flip", vertical_flip)
        self.rescale = None if rescale is None else float_arg(owner, "rescale", rescale, -FLOAT_MAX)
        if preprocessing_function is not None and not callable(preprocessing_function):
            raise TypeError(
                f"{owner}: preprocessing_function must be callable, got {preprocessing_function!r}"
            )
        self.preprocessing_function = preprocessing_function
        self.validation_split = float_arg(owner, "validation_split", validation_split, 0.0, 1.0)
        self.mean: Array | None = None
        self.std: Array | None = None
        self.whitening: Array | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; an argument's new value holds from the next batch on."""
        super().__setattr__(name, value)
        super().__setattr__("_times_set", self._times_set + 1)

    # --- changes ---------------------------------------------------------------------------------

    def changed(
        self,
        x: NDArray[Any],
        rng: "np.random.Generator | Changes",
        rows: NDArray[np.int64] | None = None,
    ) -> Array:
        """Return images (N, H, W, C) changed at random and standardized, in an array of their own.

        Args:
            x: the images.
            rng: what is drawn from; or what was drawn.
            rows: the numbers of the images, all by default.
        """
        return self._standardized(self._transformed(x, rng, rows))

    def random_transform(self, x: Any, seed: int | None = None) -> Array:
        """Return an image (H, W, C) changed at random.

        Args:
            x: the image.
            seed: an integer for the same changes each time.
        """
        rng = _random.generator() if seed is None else np.random.default_rng(seed)
        one: Array = self._transformed(batch_arg("random_transform", x), rng)[0]
        return one

    def standardize(self, x: Any) -> Array:
        """Return an image (H, W, C), or images (N, H, W, C), brought to the common scale."""
        result = self._standardized(np.array(batch_arg("standardize", x)))
        return result if np.ndim(x) == 4 else np.asarray(result[0])

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Take means, deviations and whitening, as far as they are wanted, from images.

        Args:
            x: images (N, H, W, C).
            augment: whether to take them from changed images.
            rounds: how often each image is changed.
            seed: an integer for the same changes in each run.
        """
        images = np.asarray(images_arg("fit", "x", x), np.float32)
        if augment:
            rng = _random.generator() if seed is None else np.random.default_rng(seed)
            images = np.concatenate([self._transformed(images, rng) for _ in range(rounds)])
        if self.featurewise_center:
            self.mean = images.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
            images = images - self.mean
        if self.featurewise_std_normalization:
            self.std = images.std(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
        if self.zca_whitening:
            flat = images.reshape(len(images), -1).astype(np.float64)
            values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
            roots = np.sqrt(np.maximum(values, 0) + self.zca_epsilon)
            self.whitening = np.asarray((vectors / roots) @ vectors.T, np.float32)

    def _transformed(
        self,
        x: NDArray[Any],
        rng: np.random.Generator | Changes,
        rows: NDArray[np.int64] | None = None,
    ) -> Array:
        n, (h, w) = len(x if rows is None else rows), x.shape[1:3]
        return self._applied(
            rng if isinstance(rng, Changes) else self._drawn(rng, n, h, w), x, rows
        )

    def _applied(
        self,
        changes: Changes,
        x: NDArray[Any],
        rows: NDArray[np.int64] | None = None,
        more: Sequence[Stage] = (),
        out: Array | None = None,
    ) -> Array:
        """Return images ``rows`` of x, None for all, changed, and after the stages ``more``."""
        h, w = x.shape[1:3]
        stages: list[Stage] = []
        if changes.matrices is not None:
            stages.append(("affine", changes.matrices, "bilinear", self.fill_mode, self.cval))
        if changes.added is not None:
            x, rows, stages = _taken(x, stages, rows), None, []
            low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
            x = np.clip(x + changes.added.astype(np.float32), low, high)
        if changes.cuts is not None:
            stages.append(("crop_flip", changes.cuts, (h, w), "constant", 0.0))
        if changes.factors is not None:
            stages.append(("scale", changes.factors, 0.0, 255.0))
        return _taken(x, [*stages, *more], rows, out)

    @property
    def _is_native(self) -> bool:
        """Whether stages do all that ``changed`` does."""
        return self.preprocessing_function is None and not (
            self.samplewise_center or self.featurewise_center
        )

    @property
    def _draws_stages(self) -> bool:
        """Whether stages do it whatever the images are."""
        return self._is_native and not self.channel_shift_range

    def _changed_into(
        self, changes: Changes, x: NDArray[Any], rows: NDArray[np.int64], out: Array
    ) -> Array:
        """Return ``out``, with images ``rows`` of x as ``changed`` has them by these changes."""
        more: list[Stage] = []
        if self.rescale:
            factors = np.zeros((len(rows), 2), np.float32)
            factors[:, 0] = self.rescale
            more.append(("scale", factors, -np.inf, np.inf))
        return self._applied(changes, x, rows, more, out)

    def _standardized(self, x: Array) -> Array:
        if self.preprocessing_function is not None:
            x = np.stack([self._preprocessed(one) for one in x])
        if self.rescale:
            x = x * np.float32(self.rescale)
        if self.samplewise_center:
            x = x - x.mean(axis=(1, 2, 3), keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (x.std(axis=(1, 2, 3), keepdims=True) + np.float32(1e-6))
        if self.featurewise_center and self._fitted(self.mean):
            assert self.mean is not None
            x = x - self.mean
        if self.featurewise_std_normalization and self._fitted(self.std):
            assert self.std is not None
            x = x / (self.std + np.float32(1e-6))
        if self.zca_whitening and self._fitted(self.whitening):
            assert self.whitening is not None
            x = (x.reshape(len(x), -1) @ self.whitening).reshape(x.shape)
        return np.ascontiguousarray(x, np.float32)

    def _preprocessed(self, image: Array) -> Array:
        assert self.preprocessing_function is not None
        result = np.asarray(self.preprocessing_function(image))
        if result.shape != image.shape or result.dtype.kind not in "buif":
            raise ValueError(
                "ImageDataGenerator: preprocessing_function must return an image of the shape that "
                f"it was given, {image.shape}, got {result.dtype} of shape {result.shape}"
            )
        return result.astype(np.float32, copy=False)

    def _fitted(self, known: Array | None) -> bool:
        if known is None:
            warnings.warn(
                "ImageDataGenerator: featurewise_center, featurewise_std_normalization and "
                "zca_whitening need fit(x) first; images are left without",
                stacklevel=4,
            )
        return known is not None


def _taken(
    x: NDArray[Any],
    stages: list[Stage],
    rows: NDArray[np.int64] | None,
    out: Array | None = None,
) -> Array:
    """Return images ``rows`` of x, None for all, after all stages: each while it is in a cache."""
    wanted = bool(stages) or out is not None
    if wanted and is_native(x):
        return backend.cpu.augment(x, stages, rows, out)
    images = np.ascontiguousarray(x if rows is None else x[rows], np.float32)
    return backend.cpu.augment(images, stages, None, out) if wanted else images
