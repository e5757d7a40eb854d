"""Images mixed with others of their batch, and labels likewise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._types import Array
from pyconv.bounding_boxes.formats import dense_boxes
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import factor_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange, by_image


class _Mixing(PixelChange):
    """Draws which image each is mixed with, and what share it keeps."""

    _keeps_batch = True

    def transform_labels(
        self, labels: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return labels (N, classes) mixed as the images are.

        Raises:
            ValueError: labels are class numbers (N,), which cannot be mixed.
        """
        if not training or transformation is None:
            return labels
        y = np.asarray(labels, np.float32)
        if y.ndim < 2:
            raise ValueError(
                f"{self.label}: labels must be one-hot (N, classes), got {y.shape}; make them so "
                "with utils.to_categorical"
            )
        share = np.asarray(transformation["mix_weight"], np.float32)
        share = share.reshape(-1, *(1,) * (y.ndim - 1))
        return share * y + (1 - share) * y[_order(transformation)]


def _order(t: Transformation) -> NDArray[np.int64]:
    return np.asarray(t["permutation_order"], np.int64)


class MixUp(_Mixing):
    """In training, mixes each image with another of its batch, and their labels by the same shares.

    Zhang et al., "mixup: Beyond empirical risk minimization", 2018. To mix labels too it is called
    on a dict of ``images`` and one-hot ``labels``; boxes are those of both.

    Args:
        alpha: of the Beta distribution of the shares: near 0 images are mostly one of the two.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        seed: an integer for the same choices in each run.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``bounding_box_format``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or a dict.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> images = np.stack([np.zeros((2, 2, 1)), np.ones((2, 2, 1))])
        >>> mixed = pyconv.layers.MixUp(1.0, seed=5)(
        ...     {"images": images, "labels": np.eye(2)}, training=True
        ... )
        >>> bool(np.allclose(mixed["labels"][:, 1], mixed["images"][:, 0, 0, 0]))
        True
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.alpha = number_arg(self.label, "alpha", alpha, 1e-6)

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Return ``permutation_order`` (n,) and ``mix_weight`` (n,)."""
        rng = self.generator()
        return {
            "permutation_order": rng.permutation(n),
            "mix_weight": rng.beta(self.alpha, self.alpha, n),
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images mixed."""
        share = by_image(t["mix_weight"], len(images))
        return share * images + (1 - share) * images[_order(t)]

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks mixed as the images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """Return the boxes of both images."""
        given = dense_boxes(self.label, bounding_boxes)
        if not training or transformation is None:
            return given
        boxes, labels, order = given["boxes"], given["labels"], _order(transformation)
        axis = min(labels.ndim - 1, 1)
        return {
            **given,
            "boxes": np.concatenate([boxes, boxes[order]], axis=1),
            "labels": np.concatenate([labels, labels[order]], axis=axis),
        }

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "alpha": self.alpha}


class CutMix(_Mixing):
    """In training, puts a part of another image of its batch into each image.

    Labels are mixed by the area of the parts. Yun et al., "CutMix", 2019. To mix labels too it is
    called on a dict of ``images`` and one-hot ``labels``.

    Args:
        factor: largest parameter of the Beta distribution of the areas, 0 to 1, or (least, most);
            one is drawn for a batch.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, C)``, or ``(N, C, H, W)`` where channels are first; or a dict.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> images = np.stack([np.zeros((8, 8, 1)), np.ones((8, 8, 1))])
        >>> mixed = pyconv.layers.CutMix(seed=2)(
        ...     {"images": images, "labels": np.eye(2)}, training=True
        ... )
        >>> mixed["images"].shape, mixed["labels"].sum(axis=1).tolist()
        ((2, 8, 8, 1), [1.0, 1.0])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Return ``permutation_order``, ``mix_weight`` (n,), and ``batch_masks``, one a pixel."""
        rng = self.generator()
        alpha = rng.uniform(*self.factor) + 1e-6
        ratio = np.sqrt(1 - rng.beta(alpha, alpha, n))
        inside, area = np.ones((n, 1, 1, 1), bool), np.ones(n)
        for axis, size in ((2, w), (1, h)):
            length = ratio * size
            start = rng.random(n) * (size - length)
            shape = [1, 1, 1, 1]
            shape[axis] = size
            cells = np.arange(size).reshape(shape)
            first, end = (v.reshape(-1, 1, 1, 1) for v in (start, start + length))
            inside = inside & (cells >= first) & (cells < end)
            area = area * length / size
        first = self.data_format == "channels_first"
        return {
            "permutation_order": rng.permutation(n),
            "mix_weight": 1 - area,
            "batch_masks": np.moveaxis(inside, 3, 1) if first else inside,
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images with parts of others."""
        return np.where(self._last(t["batch_masks"]), images[_order(t)], images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks with parts of others, as the images."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """Raise NotImplementedError, as Keras does: a box may be covered in part."""
        raise NotImplementedError(
            f"{self.label}: there is no rule for bounding boxes; MixUp has one"
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}
