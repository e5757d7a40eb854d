"""Layers in a row as one layer."""

from typing import Any

import numpy as np

from pyconv._types import Array
from pyconv.layers._container import Container, configs
from pyconv.layers._image_layer import ImageLayer
from pyconv.layers._path import Path
from pyconv.layers.layer import Layer


class Pipeline(Container):
    """Layers, each of which takes the result of the one before; as a rule they change images.

    Args:
        layers: a list of layers.
        name: its name.
        **kwargs: ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        That of the first layer; where it takes one image, or a dict with ``images``, so does this.

    Output shape:
        That of the last layer.

    Raises:
        TypeError: ``layers`` is no list of layers.
        ValueError: two layers have one name.

    Example:
        >>> import numpy as np, pyconv
        >>> from pyconv.layers import CenterCrop, Pipeline, Rescaling
        >>> both = Pipeline([CenterCrop(2, 2), Rescaling(0.5)])
        >>> both(np.ones((1, 4, 4, 1))).ravel().tolist()
        [0.5, 0.5, 0.5, 0.5]
    """

    def __init__(self, layers: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._main = Path(self, "layers", layers)
        self._take(self._main)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape that the layers give for an input of ``input_shape``."""
        if isinstance(input_shape, dict):
            shapes: Any = input_shape
            for layer in self.layers:
                shapes = layer.compute_output_shape(shapes)
            return shapes
        return self._main.compute_output_shape(tuple(input_shape))

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Return what the layers make of x.

        Raises:
            TypeError, ValueError: a layer does not take what it is given.
        """
        of_images = bool(self.layers) and isinstance(self.layers[0], ImageLayer)
        if isinstance(x, dict) or (of_images and np.ndim(x) == 3):
            for layer in self.layers:
                x = layer(x, training)
            return x
        return super().__call__(x, training)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the last layer's result."""
        return self._main.forward(x, training)

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Fill the layers' ``grads``; return the gradient of x where it is needed."""
        return self._main.backward(dy, need_dx)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "layers": configs(self._main)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, type[Layer]] | None = None
    ) -> Layer:
        """Return a new layer of the configuration that ``get_config`` returned.

        Args:
            config: the configuration.
            custom_objects: your own layer classes by name.

        Raises:
            ValueError: it has no list of layers.
        """
        if not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError(
                "Pipeline: its config must have a list of `layers`, got "
                f"{config.get('layers')!r:.60}"
            )
        return super().from_config(config, custom_objects)
