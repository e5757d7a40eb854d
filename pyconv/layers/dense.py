"""Fully connected layer."""

import math
from typing import Any

from pyconv import backend
from pyconv._args import int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import known_sizes
from pyconv.layers._kernel_layer import KernelLayer
from pyconv.layers._lora import LowRank


class Dense(LowRank, KernelLayer):
    """A fully connected layer: ``y = activation(x @ kernel + bias)``.

    Args:
        units: how many results for a sample.
        activation: a name such as ``"relu"``, a function of ``pyconv.activations``, or None.
        use_bias: whether a number is added to each unit.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: a penalty on the kernel that is added to the loss, such as ``"l2"`` or
            ``pyconv.regularizers.L2(1e-4)``, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the result, divided by the size of the batch, or None.
        kernel_constraint: applied to the kernel after each step, such as
            ``pyconv.constraints.MaxNorm(2)``, or None.
        bias_constraint: applied to the bias after each step, or None.
        lora_rank: columns of the matrices of ``enable_lora``, which the layer is then built with;
            None for none.
        lora_alpha: the factor of their product; None for ``lora_rank``.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``, ``input_dim`` of ``Layer``.

    Input shape:
        ``(N, ..., IN)``; images go through ``Flatten`` first, or each pixel is a sample.

    Output shape:
        ``(N, ..., units)``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has not the last axis that the
            layer was built for.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.Dense(10, activation="softmax")
        >>> layer(np.ones((2, 512), "float32")).shape
        (2, 10)
        >>> layer.count_params()
        5130
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            {
                "kernel_regularizer": kernel_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "bias_constraint": bias_constraint,
            },
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.units = int_arg(self.label, "units", units, kind="a positive integer")
        self._take_rank(lora_rank, lora_alpha)
        self._x: Array | None = None
        # Set for a step whose optimizer multiplies the kernel's gradient out as it updates it.
        self.factored = False
        self._factors: tuple[Array, Array] | None = None

    @property
    def grads(self) -> list[Array]:
        """The gradients of ``params``, in the same order, as the last ``backward`` left them."""
        grads = super().grads
        if self._factors is not None:
            backend.active.dense_backward_weights(*self._factors, grads[0])
            self._factors = None
        return grads

    @property
    def update_grads(self) -> list[Any]:
        """``grads``, with the kernel's as the two arrays whose product it is, where that is due."""
        grads = super().grads
        return grads if self._factors is None else [self._factors, *grads[1:]]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, ..., units)."""
        shape = tuple(input_shape)
        if len(shape) < 2 or shape[-1] is None:
            raise ValueError(
                f"{self.label}: input must be (N, ..., IN) with a known last axis, got {shape}"
            )
        if self.built and shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"{self.label}: it was built for a last axis of {self.kernel.shape[0]}, got an "
                f"input of {shape}; the input is incompatible with the layer"
            )
        return (*shape[:-1], self.units)

    def flops(self, input_shape: Shape) -> int:
        """Return the multiplications and additions of ``forward``, two for each multiply-add.

        Example:
            >>> import pyconv
            >>> pyconv.layers.Dense(10).flops((None, 500))
            10000
        """
        x = known_sizes(self.label, input_shape)
        self.compute_output_shape(x)
        return 2 * math.prod(x) * self.units

    def _create_weights(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        assert features is not None
        self._add_kernel_and_bias((features, self.units))

    def forward(self, x: Array, training: bool, logits: bool = False) -> Array:
        """Return (N, ..., units); with ``logits`` before a softmax activation."""
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        y = backend.active.dense_forward(
            rows, self.kernel, self.bias, self._fused, self._buffer("y", (len(rows), self.units))
        )
        self._x = x
        if x.ndim != 2:
            y = y.reshape(*x.shape[:-1], self.units)
        return y if logits else self._activate(y)

    def backward(self, dy: Array, need_dx: bool, logits: bool = False) -> Array | None:
        """Fill ``grads``; return the gradient of x (N, ..., IN) where it is needed."""
        x = self._x
        assert x is not None
        if not logits:
            dy = self._activation_gradient(dy)
        if x.ndim != 2:
            dy = dy.reshape(-1, self.units)
        if self.trainable:
            grads = super().grads
            rows = x.reshape(-1, x.shape[-1])
            self._factors = (rows, dy) if self.factored else None
            if not self.factored:
                backend.active.dense_backward_weights(rows, dy, grads[0])
            if self.use_bias:
                backend.active.bias_backward(dy, grads[1])
        if not need_dx:
            return None
        dx = self._buffer("dx", (len(dy), x.shape[-1]))
        return backend.active.dense_backward_input(dy, self.kernel, dx).reshape(x.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {**super().get_config(), "units": self.units}
        if self.activity_regularizer is None:
            del config["activity_regularizer"]  # as in Keras's of this layer
        return config
