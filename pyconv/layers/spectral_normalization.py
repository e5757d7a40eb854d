"""Filters and matrices of spectral norm 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyconv._args import in_other_words, int_arg
from pyconv._types import Array, Shape
from pyconv.initializers import TruncatedNormal
from pyconv.layers._container import Container
from pyconv.layers._path import Path
from pyconv.layers.layer import Layer

_EPSILON = 1e-7  # Keras's, the least length that is divided by


class SpectralNormalization(Container):
    """A layer whose kernel each training step divides by its greatest singular value.

    That is found by power iterations, from the vector that the last step left: Miyato et al.,
    2018. The gradient takes it for a constant.

    Args:
        layer: the layer, one with a ``kernel``.
        power_iterations: how many iterations a step takes.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        That of the layer.

    Output shape:
        That of the layer.

    Raises:
        TypeError: ``layer`` is none.
        ValueError: ``power_iterations`` is below 1, or the layer has no kernel.

    Example:
        >>> import numpy as np, pyconv
        >>> dense = pyconv.layers.Dense(2, kernel_initializer="ones")
        >>> layer = pyconv.layers.SpectralNormalization(dense, power_iterations=8)
        >>> layer(np.ones((1, 2)), training=True).round(3)
        array([[1., 1.]], dtype=float32)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with in_other_words("`power_iterations` should be greater than zero."):
            self.power_iterations = int_arg(self.label, "power_iterations", power_iterations)
        self.layer: Layer = layer
        self._take(Path(self, "layer", [layer]))

    @property
    def vector_u(self) -> Array:
        """The vector (1, OUT) of the last iteration; AttributeError before it is built."""
        return self._weight_once_built("vector_u")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the layer's result."""
        return self._paths[0].compute_output_shape(input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        super()._create_weights(input_shape)
        kernel = self._kernel
        if kernel is None:
            raise ValueError(
                f"{self.label}: layer must have a kernel: {type(self.layer).__name__} object has "
                "no attribute 'kernel' nor 'embeddings'"
            )
        first = TruncatedNormal(stddev=0.02)
        self._add_weight("vector_u", (1, kernel.shape[-1]), first, trainable=False)

    def forward(self, x: Array, training: bool, **options: Any) -> Array:
        """Return the layer's result; in training, normalize its kernel first."""
        if training:
            self._normalize()
        return self._paths[0].forward(x, training, **options)

    def backward(self, dy: Array, need_dx: bool, **options: Any) -> Array | None:
        """Fill the layer's ``grads``; return the gradient of x where it is needed."""
        return self._paths[0].backward(dy, need_dx, **options)

    @property
    def _kernel(self) -> Any:
        """The weight that is normalized, None where the layer has none."""
        return getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))

    def _normalize(self) -> None:
        kernel = self._kernel
        values = np.asarray(kernel, np.float64)
        if not values.any():
            return
        rows = values.reshape(-1, values.shape[-1])
        u = np.asarray(self.vector_u, np.float64)
        for _ in range(self.power_iterations):
            v = _unit(u @ rows.T)
            u = _unit(v @ rows)
        self.vector_u[...] = u.astype(np.float32)
        kernel[...] = (values / (v @ rows @ u.T).item()).astype(np.float32)

    # --- what the container has beside its layer's --------------------------------------------

    @property
    def named_weights(self) -> dict[str, Array]:
        """The layer's weights by name, and the vector."""
        return {**super().named_weights, **self._weights}

    @property
    def non_trainable_weights(self) -> list[Array]:
        """The weights that training leaves as they are."""
        if not self.trainable:
            return self.weights
        return [*super().non_trainable_weights, *self._weights.values()]

    non_trainable_variables = non_trainable_weights

    def give_weights(self, weights: Mapping[str, Array]) -> None:
        """Have ``build`` take these arrays, by name, as the weights: none is initialized."""
        super().give_weights(weights)
        self._given_weights = weights

    def move(self) -> None:
        """Bring the weights to where operations run, if they are elsewhere."""
        super().move()
        Layer.move(self)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        from pyconv import layers

        return {
            **super().get_config(),
            "layer": layers.serialize(self.layer),
            "power_iterations": self.power_iterations,
        }


def _unit(vector: Any) -> Any:
    """Return a vector of length 1."""
    return vector * min(1 / max(float(np.linalg.norm(vector)), 1e-300), 1 / _EPSILON)
