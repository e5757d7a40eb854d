"""``keras.layers.Wrapper``, from which wrappers of the user's own are derived."""

from typing import Any

from pyconv.layers.layer import Layer


def wrapper(base: Any, module: str) -> Any:
    """Return the class, below ``keras.layers.Layer``."""

    class Wrapper(base):  # type: ignore[misc]
        """A layer that holds another; a subclass's ``call`` says what is done with it.

        Args:
            layer: the other layer.
            **kwargs: those of ``Layer``.

        Raises:
            ValueError: ``layer`` is none.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> class Twice(keras.layers.Wrapper):
            ...     def call(self, x):
            ...         return 2 * self.layer(x)
            >>> Twice(keras.layers.ReLU())(np.array([[-1.0, 3.0]])).tolist()
            [[0.0, 6.0]]
        """

        def __init__(self, layer: Any, **kwargs: Any) -> None:
            if not isinstance(layer, Layer):
                raise ValueError(
                    f"Layer {layer!r:.60} supplied to Wrapper isn't a supported layer type. Please "
                    "ensure wrapped layer is a valid Keras layer."
                )
            super().__init__(**kwargs)
            self.layer = layer

        def build(self, input_shape: Any = None) -> None:
            """Build the other layer."""
            if not self.layer.built:
                self.layer.build(input_shape)

        def get_config(self) -> dict[str, Any]:
            """Return the constructor's arguments as plain data."""
            from pyconv.compat.keras import saving

            described = saving.serialize_keras_object(self.layer)
            return {**super().get_config(), "layer": described}

        @classmethod
        def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
            """Return a new layer of what ``get_config`` returned."""
            from pyconv.compat.keras import saving

            given = dict(config)
            layer = given.pop("layer")
            if not isinstance(layer, Layer):
                layer = saving.deserialize_keras_object(layer, custom_objects)
            return cls(layer, **given)

    Wrapper.__module__, Wrapper.__qualname__ = module, "Wrapper"
    return Wrapper
