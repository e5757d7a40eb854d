"""What layers share that change images, and what belongs to them: labels, boxes and masks."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import bool_arg
from pyconv._convert import float32_array
from pyconv._types import Array, Shape
from pyconv.bounding_boxes.formats import (
    clip_to_image_size,
    convert_format,
    dense_boxes,
    format_arg,
)
from pyconv.layers._arguments import image_shape
from pyconv.layers.layer import Layer

# What is done to images: None where nothing is, or what the layer draws, by name.
Transformation = Any


class ImageLayer(Layer):
    """A layer of images (N, H, W, C), of one image (H, W, C), or of a dict.

    A dict has ``images``, and any of ``labels``, ``bounding_boxes`` (a dict of ``boxes`` (N, K, 4)
    and ``labels`` (N, K)) and ``segmentation_masks`` (N, H, W, C), all of which are changed as the
    images are; of one image they lack the first axis. As in Keras,
    ``get_random_transformation`` draws what the ``transform_...`` methods then do.
    """

    takes_one_image = True

    def __init__(
        self,
        data_format: str | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format = None
        if bounding_box_format is not None:
            self.bounding_box_format = format_arg(
                self.label, "bounding_box_format", bounding_box_format
            )
        self._set_data_format(data_format)

    # --- what a kind of layer implements ---------------------------------------------------------

    def images_shape(self, shape: Shape) -> Shape:
        """Return the shape of the result for images of ``shape`` (N, H, W, C)."""
        return shape

    def transformed(self, images: Array, transformation: Transformation) -> Array:
        """Return images (N, H, W, C) changed."""
        raise NotImplementedError

    def still(self, images: Array) -> Array:
        """Return images (N, H, W, C) as they are outside of training."""
        return images

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return boxes (N, K, 4) of images (h, w) that were changed; all in pixels, "xyxy"."""
        return boxes

    # --- Keras's methods -------------------------------------------------------------------------

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: int | None = None
    ) -> Transformation:
        """Draw what is done to images.

        Args:
            data: the images, one image, or a dict.
            training: False for what is done outside of training.
            seed: an integer to draw from in place of the layer's own numbers.
        """
        return {"input_shape": np.shape(data["images"] if isinstance(data, dict) else data)}

    def transform_images(
        self, images: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return images, or one image, changed in this way; as outside of training for None."""
        x = float32_array(self.label, "images", images)
        one = x.ndim == 3
        x = x[np.newaxis] if one else x
        image_shape(self.label, x.shape)
        first = self.data_format == "channels_first"
        x = np.ascontiguousarray(np.moveaxis(x, 1, 3)) if first else x
        does = training and transformation is not None
        y = self.transformed(x, transformation) if does else self.still(x)
        y = np.ascontiguousarray(np.moveaxis(y, 3, 1)) if first else y
        return y[0] if one and not (does and self._keeps_batch) else y

    # Whether ``transform_images`` returns one image as a batch, for what was drawn for a batch.
    _keeps_batch = False
    # Likewise ``transform_bounding_boxes``.
    _boxes_keep_batch = False

    def transform_labels(
        self, labels: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return labels of images that were changed in this way."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks of images that were changed in this way."""
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """Return boxes of images that were changed in this way, cut at the images' edges.

        Raises:
            ValueError: the layer was given no ``bounding_box_format``, or boxes are no dict of
                ``boxes`` and ``labels``.
        """
        given = dense_boxes(self.label, bounding_boxes)
        kind = type(self)
        moves = kind.moved_boxes is not ImageLayer.moved_boxes
        if not (moves and training and transformation is not None):
            return given
        if self.bounding_box_format is None:
            raise ValueError(
                f"{self.label}: bounding boxes need `bounding_box_format`, for example "
                "bounding_box_format='xyxy'"
            )
        h, w = self._size_of(transformation)
        boxes = convert_format(given["boxes"], self.bounding_box_format, "xyxy", h, w)
        one = boxes.ndim == 2
        moved = self.moved_boxes(boxes[np.newaxis] if one else boxes, transformation, h, w)
        _, tall, wide, _ = self.images_shape((1, h, w, 3))
        assert tall is not None
        assert wide is not None
        boxes = moved[0] if one and not self._boxes_keep_batch else moved
        result = clip_to_image_size({**given, "boxes": boxes}, height=tall, width=wide)
        return {
            **result,
            "boxes": convert_format(result["boxes"], "xyxy", self.bounding_box_format, tall, wide),
        }

    interpolation: str

    def _nearest(self, masks: Any, transformation: Transformation, training: bool) -> Any:
        """Return masks changed as the images are, with the values of the nearest cells."""
        kept = self.interpolation
        self.interpolation = "nearest"
        try:
            return self.transform_images(masks, transformation, training)
        finally:
            self.interpolation = kept

    def _last(self, value: Any) -> NDArray[Any]:
        """Return what a transformation has for each pixel with the channels last."""
        array = np.asarray(value)
        first = self.data_format == "channels_first" and array.ndim == 4
        return np.moveaxis(array, 1, 3) if first else array

    def _size_of(self, transformation: Transformation) -> tuple[int, int]:
        """Return the rows and columns of the images that a transformation was drawn for."""
        if "image_height" in transformation:
            return transformation["image_height"], transformation["image_width"]
        first = self.data_format == "channels_first"
        h, w = transformation["input_shape"][-2:] if first else transformation["input_shape"][-3:-1]
        return int(h), int(w)

    def _images_of(self, data: Any) -> tuple[int, int, int, int]:
        """Return (N, H, W, C) of images, of one image, or of a dict."""
        shape = tuple(np.shape(data["images"] if isinstance(data, dict) else data))
        n, a, b, c = image_shape(self.label, (1, *shape) if len(shape) == 3 else shape)
        sizes: Any = (n, b, c, a) if self.data_format == "channels_first" else (n, a, b, c)
        return sizes  # type: ignore[no-any-return]

    # --- the layer -------------------------------------------------------------------------------

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the result for images, for one image, or for a dict of shapes."""
        if isinstance(input_shape, dict):
            return {**input_shape, "images": self.compute_output_shape(input_shape["images"])}
        shape = tuple(input_shape)
        if len(shape) == 3:
            if shape[0] is None:
                warnings.warn(
                    f"{self.label}: an input of {shape} is taken as one image (H, W, C), as Keras "
                    "takes it; a batch of grey images gets its channel axis with "
                    "x[..., np.newaxis]",
                    stacklevel=3,
                )
            return self.images_shape(image_shape(self.label, (1, *shape)))[1:]
        if len(shape) != 4:
            raise ValueError(
                f"{self.label}: input must be (N, H, W, C) or (H, W, C), got {shape}. Expected "
                "the input image to be rank 3 or 4."
            )
        return self.images_shape(image_shape(self.label, shape))

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return images, one image or a dict changed.

        Raises:
            TypeError, ValueError: ``x`` is none of these.
        """
        if isinstance(x, dict):
            return self._changed_parts(x, bool_arg(self.label, "training", training))
        if np.ndim(x) == 3:
            return super().__call__(np.asarray(x)[np.newaxis], training)[0]
        return super().__call__(x, training)

    def _changed_parts(self, data: dict[str, Any], training: bool) -> dict[str, Any]:
        if "images" not in data:
            raise ValueError(f"{self.label}: a dict must have 'images', got {sorted(data)}")
        x = float32_array(self.label, "images", data["images"])
        one = x.ndim == 3
        images = x[np.newaxis] if one else x
        if not self.knows_shape:
            self.build((None, *images.shape[1:]))
        self.compute_output_shape(images.shape)
        how = self.get_random_transformation(images, training=training)
        result = {**data, "images": self.transform_images(images, how, training)}

        def batch(value: Any) -> NDArray[Any]:
            return np.asarray(value)[np.newaxis] if one else np.asarray(value)

        if "labels" in data:
            result["labels"] = self.transform_labels(batch(data["labels"]), how, training)
        if "segmentation_masks" in data:
            masks = batch(data["segmentation_masks"])
            result["segmentation_masks"] = self.transform_segmentation_masks(masks, how, training)
        boxes = None
        if "bounding_boxes" in data:
            boxes = self._given_boxes(data["bounding_boxes"], one)
            boxes = self.transform_bounding_boxes(boxes, how, training)
            result["bounding_boxes"] = boxes
        if one:
            result = {
                name: value if name not in _PARTS else value[0] for name, value in result.items()
            }
            if boxes is not None:
                result["bounding_boxes"] = {name: np.asarray(v)[0] for name, v in boxes.items()}
        return result

    def _given_boxes(self, given: Any, one: bool) -> dict[str, Any]:
        if self.bounding_box_format is None and self._takes_boxes_of_a_format:
            raise ValueError(
                f"{self.label}: an input with 'bounding_boxes' needs their format: pass "
                "`bounding_box_format`, for example bounding_box_format='xyxy'"
            )
        dense = dense_boxes(self.label, given)
        boxes, labels = dense["boxes"], dense["labels"]
        if labels.ndim not in (boxes.ndim - 1, boxes.ndim):
            raise ValueError(
                f"{self.label}: bounding_boxes: labels must have rank {boxes.ndim - 1} or "
                f"{boxes.ndim} beside boxes of {boxes.shape}, got {labels.shape}"
            )
        if not one:
            return dense
        return {name: np.asarray(value)[np.newaxis] for name, value in dense.items()}

    _takes_boxes_of_a_format = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config


_PARTS = ("images", "labels", "segmentation_masks")
