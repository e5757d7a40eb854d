"""Layers that Keras had once."""

from typing import Any

import numpy as np

from pyconv import activations, initializers, regularizers
from pyconv.compat.keras import ops


def _cauchy(shape: Any, dtype: Any = None) -> Any:
    """Return numbers of the standard Cauchy distribution."""
    return np.tan(np.pi * (initializers.RandomUniform(0.0, 1.0)(shape) - 0.5))


def older_layers(names: dict[str, Any], module: str) -> dict[str, Any]:
    """Return the classes by name, made of those that there are."""
    base, relu = names["Layer"], names["ReLU"]

    class ThresholdedReLU(relu):  # type: ignore[misc, valid-type]
        """``x`` where it is above ``theta``, else 0.

        Args:
            theta: the threshold.
            **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> keras.layers.ThresholdedReLU(1.0)(np.array([[0.5, 1.0, 2.0]])).tolist()
            [[0.0, 0.0, 2.0]]
        """

        def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
            super().__init__(threshold=theta, **kwargs)
            self.theta = theta

        def get_config(self) -> dict[str, Any]:
            """Return the constructor's arguments as plain data."""
            config = super().get_config()
            own = {"max_value", "negative_slope", "threshold"}
            kept = {name: value for name, value in config.items() if name not in own}
            return {**kept, "theta": self.theta}

    class MaxoutDense(base):  # type: ignore[misc, valid-type]
        """The largest of ``nb_feature`` dense layers' results; Goodfellow et al., 2013.

        Args:
            output_dim: units.
            nb_feature: number of layers.
            init: first values of the weights.
            W_regularizer: a penalty on them, or None.
            bias: whether there are biases.
            **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

        Input shape:
            ``(N, C)``.

        Output shape:
            ``(N, output_dim)``.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> keras.layers.MaxoutDense(3)(np.ones((2, 4))).shape
            (2, 3)
        """

        def __init__(
            self, output_dim: int, nb_feature: int = 4, init: Any = "glorot_uniform",
            W_regularizer: Any = None, bias: bool = True, **kwargs: Any,  # noqa: N803
        ) -> None:  # fmt: skip
            super().__init__(**kwargs)
            self.output_dim, self.nb_feature, self.bias = output_dim, nb_feature, bias
            self.init = initializers.get(init)
            self.W_regularizer = regularizers.get(W_regularizer)

        def build(self, input_shape: Any) -> None:
            """Make the weights (nb_feature, C, output_dim) and biases."""
            shape = (self.nb_feature, input_shape[-1], self.output_dim)
            self.W = self.add_weight(
                shape=shape, initializer=self.init, regularizer=self.W_regularizer, name="W"
            )
            if self.bias:
                one = (self.nb_feature, self.output_dim)
                self.b = self.add_weight(shape=one, initializer="zeros", name="b")

        def call(self, inputs: Any) -> Any:
            """Return the largest results."""
            y = ops.tensordot(inputs, self.W, [[1], [1]])
            return ops.max(y + self.b if self.bias else y, axis=1)

        def compute_output_shape(self, input_shape: Any) -> Any:
            """Return (N, output_dim)."""
            return (input_shape[0], self.output_dim)

        def get_config(self) -> dict[str, Any]:
            """Return the constructor's arguments as plain data."""
            return {
                **super().get_config(),
                "output_dim": self.output_dim,
                "nb_feature": self.nb_feature,
                "init": initializers.serialize(self.init),
                "W_regularizer": regularizers.serialize(self.W_regularizer),
                "bias": self.bias,
            }

    class Highway(base):  # type: ignore[misc, valid-type]
        """``t * activation(x W + b) + (1 - t) * x`` with a gate t; Srivastava et al., 2015.

        Args:
            init: first values of the weights.
            activation: an activation function.
            bias: whether there are biases.
            **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

        Input shape:
            ``(N, C)``.

        Output shape:
            That of the input.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> keras.layers.Highway()(np.ones((2, 4))).shape
            (2, 4)
        """

        def __init__(
            self, init: Any = "glorot_uniform", activation: Any = None, bias: bool = True,
            **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(**kwargs)
            self.init, self.bias = initializers.get(init), bias
            self.activation = activations.get(activation)

        def build(self, input_shape: Any) -> None:
            """Make two weights (C, C), and biases: -2 for the gate."""
            size = input_shape[-1]
            for name, value in (("W", 0.0), ("W_carry", -2.0)):
                made = self.add_weight(shape=(size, size), initializer=self.init, name=name)
                setattr(self, name, made)
                if self.bias:
                    bias = self.add_weight(
                        shape=(size,), initializer=initializers.Constant(value),
                        name=name.replace("W", "b"),
                    )  # fmt: skip
                    setattr(self, name.replace("W", "b"), bias)

        def call(self, inputs: Any) -> Any:
            """Return the mixture."""
            gate, y = ops.matmul(inputs, self.W_carry), ops.matmul(inputs, self.W)
            if self.bias:
                gate, y = gate + self.b_carry, y + self.b
            gate = ops.sigmoid(gate)
            y = getattr(ops, self.activation.name, self.activation)(y) if self._bends else y
            return gate * y + (1 - gate) * inputs

        @property
        def _bends(self) -> bool:
            return self.activation is not activations.linear

        def get_config(self) -> dict[str, Any]:
            """Return the constructor's arguments as plain data."""
            return {
                **super().get_config(),
                "init": initializers.serialize(self.init),
                "activation": activations.serialize(self.activation),
                "bias": self.bias,
            }

    class RandomFourierFeatures(base):  # type: ignore[misc, valid-type]
        """``cos(x W / scale + b)`` with random ``W`` and ``b``, which are not trained.

        A linear model of these features stands for one with a kernel; Rahimi and Recht, 2007.

        Args:
            output_dim: number of features.
            kernel_initializer: 'gaussian' or 'laplacian', the kernel, or an initializer of ``W``.
            scale: width of the kernel; None for ``sqrt(C / 2)`` of 'gaussian', else 1.
            **kwargs: ``name``, ``trainable``, ``input_shape`` of ``Layer``.

        Input shape:
            ``(N, C)``.

        Output shape:
            ``(N, output_dim)``.

        Example:
            >>> import numpy as np, pyconv.compat.keras as keras
            >>> keras.layers.RandomFourierFeatures(3, scale=10.0)(np.ones((2, 4))).shape
            (2, 3)
        """

        def __init__(
            self, output_dim: int, kernel_initializer: Any = "gaussian",
            scale: float | None = None, trainable: bool = False, name: str | None = None,
            **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(trainable=trainable, name=name, **kwargs)
            self.output_dim, self.scale = output_dim, scale
            self.kernel_initializer = kernel_initializer

        def build(self, input_shape: Any) -> None:
            """Draw the weights (C, output_dim), the biases, and the scale."""
            size = input_shape[-1]
            gaussian = self.kernel_initializer == "gaussian"
            kinds: dict[Any, Any] = {
                "gaussian": initializers.RandomNormal(stddev=1.0),
                "laplacian": _cauchy,
            }
            made = kinds.get(self.kernel_initializer) or initializers.get(self.kernel_initializer)
            self.unscaled_kernel = self.add_weight(
                shape=(size, self.output_dim), initializer=made, trainable=False,
                name="unscaled_kernel",
            )  # fmt: skip
            self.bias = self.add_weight(
                shape=(self.output_dim,), initializer=initializers.RandomUniform(0.0, 2 * np.pi),
                trainable=False, name="bias",
            )  # fmt: skip
            scale = self.scale or (np.sqrt(size / 2.0) if gaussian else 1.0)
            self.kernel_scale = self.add_weight(
                shape=(1,), initializer=initializers.Constant(float(scale)),
                trainable=self.trainable, name="kernel_scale",
            )  # fmt: skip

        def call(self, inputs: Any) -> Any:
            """Return the features."""
            kernel = (1.0 / self.kernel_scale) * self.unscaled_kernel
            return ops.cos(ops.matmul(inputs, kernel) + self.bias)

        def compute_output_shape(self, input_shape: Any) -> Any:
            """Return (N, output_dim)."""
            return (input_shape[0], self.output_dim)

        def get_config(self) -> dict[str, Any]:
            """Return the constructor's arguments as plain data."""
            kind = self.kernel_initializer
            return {
                **super().get_config(),
                "output_dim": self.output_dim,
                "kernel_initializer": kind
                if isinstance(kind, str)
                else initializers.serialize(kind),
                "scale": self.scale,
            }

    made: dict[str, Any] = {}
    for kind in (ThresholdedReLU, MaxoutDense, Highway, RandomFourierFeatures):
        kind.__module__, kind.__qualname__ = module, kind.__name__
        made[kind.__name__] = kind
    made["_Merge"] = merging_base(base, module)
    return made


def merging_base(base: Any, module: str) -> Any:
    """Return Keras 2's base of merging layers."""

    class _Merge(base):  # type: ignore[misc]
        """A layer of several inputs, whose ``_merge_function`` says what is made of them."""

        def _merge_function(self, inputs: Any) -> Any:
            raise NotImplementedError(f"{self.label}: it must have a _merge_function(self, inputs)")

        def call(self, inputs: Any) -> Any:
            """Return what is made of the inputs."""
            return self._merge_function(inputs)

    _Merge.__module__, _Merge.__qualname__ = module, "_Merge"
    return _Merge
