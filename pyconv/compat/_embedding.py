"""Keras's ``Embedding``: a row of numbers for each label that a network is given."""

from typing import Any

import numpy as np

from pyconv import backend, constraints, initializers, regularizers
from pyconv._args import bool_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.layers.layer import Layer


class Embedding(Layer):
    """A row of weights for each whole number.

    Args:
        input_dim: how many numbers there are: 0 to ``input_dim - 1``.
        output_dim: length of a row.
        embeddings_initializer: initial values of the rows.
        embeddings_regularizer: penalty of the rows, or None.
        embeddings_constraint: constraint of the rows, or None.
        mask_zero: must be False.
        input_length: how many numbers a sample has.
        **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

    Input shape:
        (N, ...), whole numbers.

    Output shape:
        (N, ..., output_dim).

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a size is below 1, or an input is not one of the numbers.
        NotImplementedError: ``mask_zero`` is True.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.layers.Embedding(10, 3)([[1], [7]]).shape
        (2, 1, 3)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_length is not None and "input_shape" not in kwargs:
            kwargs["input_shape"] = (int_arg("Embedding", "input_length", input_length),)
        super().__init__(**kwargs)
        self.input_dim = int_arg(self.label, "input_dim", input_dim)
        self.output_dim = int_arg(self.label, "output_dim", output_dim)
        if bool_arg(self.label, "mask_zero", mask_zero):
            raise NotImplementedError(
                f"{self.label}: mask_zero must be False: there are no layers for sequences"
            )
        self.embeddings_initializer = initializers.find(
            self.label, "embeddings_initializer", embeddings_initializer
        )
        self.embeddings_regularizer = regularizers.find(
            self.label, "embeddings_regularizer", embeddings_regularizer
        )
        self.embeddings_constraint = constraints.find(
            self.label, "embeddings_constraint", embeddings_constraint
        )

    @property
    def embeddings(self) -> Array:
        """The rows (input_dim, output_dim)."""
        return self._weights["embeddings"]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape and the length of a row."""
        return (*input_shape, self.output_dim)

    def build(self, input_shape: Shape | None = None) -> None:
        """Create the rows, which are the same for inputs of any shape."""
        assert input_shape is not None
        super().build(input_shape)

    def _input_shape_arg(self, value: Any) -> Shape:
        return super()._input_shape_arg((None,) if value is None else value)

    def _create_weights(self, input_shape: Shape) -> None:
        self._add_weight(
            "embeddings",
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            self.embeddings_regularizer,
            self.embeddings_constraint,
        )

    def forward(self, x: Array, training: bool) -> Array:
        """Return the rows of the numbers."""
        numbers = np.asarray(x)
        self._rows = numbers.astype(np.int64)
        if self._rows.size and not 0 <= self._rows.min() <= self._rows.max() < self.input_dim:
            raise ValueError(
                f"{self.label}: inputs must be 0 to {self.input_dim - 1}, got "
                f"{numbers.min():g} to {numbers.max():g}"
            )
        result: Array = backend.on_device(np.asarray(self.embeddings)[self._rows])
        return result

    def backward(self, dy: Array, need_dx: bool) -> Array | None:
        """Add up the gradients of each row; those of the numbers are zeros."""
        if self.params:
            whole = np.zeros((self.input_dim, self.output_dim), np.float32)
            np.add.at(whole, self._rows.ravel(), np.asarray(dy).reshape(-1, self.output_dim))
            self.grads[0][...] = backend.on_device(whole)
        return backend.zeros(self._rows.shape, np.float32) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": False,
        }


Embedding.__module__ = "pyconv.compat.keras.layers"  # as files name it
