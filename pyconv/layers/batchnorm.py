"""Batch normalization."""

from typing import Any

import numpy as np

from pyconv import backend, constraints, initializers, regularizers
from pyconv._args import bool_arg, float_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.layers._axes import channel_axis, channels_last
from pyconv.layers._batch_moments import ByMoments
from pyconv.layers.layer import Layer

# Mean, what rounding took from it, variance.
Moments = tuple[Array, Array | None, Array]


class BatchNormalization(ByMoments, Layer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, channel by channel.

    In training mean and variance are those of the batch, the variance biased, and are taken up
    into moving ones: ``moving = moving * momentum + batch * (1 - momentum)``. Outside training,
    and where ``trainable`` is False, the moving ones are used and stay as they are.
    Ioffe and Szegedy, 2015.

    Behind a ``Masking`` only the cells that count have a part in mean and variance. With
    ``renorm`` a batch is corrected towards the moving moments (Ioffe, 2017). Either is computed in
    numpy, many times slower than without.

    Args:
        axis: the axis of the channels, not the batch (0).
        momentum: how much of the moving mean and variance a step keeps.
        epsilon: added to the variance.
        center: whether ``beta`` is added.
        scale: whether ``gamma`` is multiplied by.
        beta_initializer: first values of ``beta``.
        gamma_initializer: first values of ``gamma``.
        moving_mean_initializer: first values of the moving mean.
        moving_variance_initializer: first values of the moving variance.
        beta_regularizer: a penalty on ``beta``, or None.
        gamma_regularizer: a penalty on ``gamma``, or None.
        beta_constraint: applied to ``beta`` after each step, or None.
        gamma_constraint: applied to ``gamma`` after each step, or None.
        renorm: whether batches are renormalized in training.
        renorm_clipping: limits of the corrections: a dict of ``rmax``, ``rmin`` and ``dmax``, or
            None.
        renorm_momentum: how much of the corrections' moments a step keeps.
        synchronized: has no effect: a batch is on one device.
        **kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        Any with this axis: ``(N, H, W, C)``, ``(N, C)``.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or the input has not the channels that the
            layer was built for.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.BatchNormalization(epsilon=0)
        >>> layer(np.array([[1.0, 10.0], [3.0, 30.0]]), training=True)
        array([[-1., -1.],
               [ 1.,  1.]], dtype=float32)
        >>> layer.moving_mean.round(2)
        array([0.02, 0.2 ], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._renorm_arguments(renorm, renorm_clipping, renorm_momentum)
        self.axis = int_arg(self.label, "axis", axis, -32, 32)
        self.momentum = float_arg(self.label, "momentum", momentum, 0, 1)
        self.epsilon = float_arg(self.label, "epsilon", epsilon)
        self.center = bool_arg(self.label, "center", center)
        self.scale = bool_arg(self.label, "scale", scale)
        self.synchronized = bool_arg(self.label, "synchronized", synchronized)
        for name, given in (
            ("beta_initializer", beta_initializer),
            ("gamma_initializer", gamma_initializer),
            ("moving_mean_initializer", moving_mean_initializer),
            ("moving_variance_initializer", moving_variance_initializer),
        ):
            setattr(self, name, initializers.find(self.label, name, given))
        for name, given in (
            ("beta_regularizer", beta_regularizer),
            ("gamma_regularizer", gamma_regularizer),
        ):
            setattr(self, name, regularizers.find(self.label, name, given))
        for name, given in (
            ("beta_constraint", beta_constraint),
            ("gamma_constraint", gamma_constraint),
        ):
            setattr(self, name, constraints.find(self.label, name, given))
        self._x: Array | None = None
        self._moments: Moments | None = None
        self._of_batch = False
        self._rectified: Array | None = None

    @property
    def gamma(self) -> Array | None:
        """The factors (C,), or None where there are none or the layer is not built."""
        return self._weights.get("gamma")

    @property
    def beta(self) -> Array | None:
        """The offsets (C,), or None where there are none or the layer is not built."""
        return self._weights.get("beta")

    @property
    def moving_mean(self) -> Array:
        """The moving mean (C,); AttributeError before the layer is built."""
        return self._weight_once_built("moving_mean")

    @property
    def moving_variance(self) -> Array:
        """The moving variance (C,); AttributeError before the layer is built."""
        return self._weight_once_built("moving_variance")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``input_shape``."""
        axis = channel_axis(self.label, self.axis, input_shape)
        if self.built and input_shape[axis] != self.moving_mean.size:
            raise ValueError(
                f"{self.label}: it was built for {self.moving_mean.size} channels, got an input "
                f"of {tuple(input_shape)}"
            )
        return tuple(input_shape)

    @property
    def moving_stddev(self) -> Array:
        """The moving deviation (C,), of a layer with ``renorm`` that is built."""
        return self._weight_once_built("moving_stddev")

    @property
    def renorm_mean(self) -> Array:
        """The moving mean (C,) that batches are corrected towards, likewise."""
        return self._weight_once_built("renorm_mean")

    @property
    def renorm_stddev(self) -> Array:
        """The moving deviation (C,) that batches are corrected towards, likewise."""
        return self._weight_once_built("renorm_stddev")

    def _create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[self.axis]
        assert channels is not None
        shape, own = (channels,), vars(self)
        for name, wanted in (("gamma", self.scale), ("beta", self.center)):
            if wanted:
                self._add_weight(
                    name,
                    shape,
                    own[f"{name}_initializer"],
                    own[f"{name}_regularizer"],
                    own[f"{name}_constraint"],
                )
        for name in ("moving_mean", "moving_variance"):
            self._add_weight(name, shape, own[f"{name}_initializer"], trainable=False)
        if self.renorm:
            self._create_renorm_weights(shape)

    def forward(
        self, x: Array, training: bool, activation: str = "linear", addend: Array | None = None
    ) -> Array:
        """Return the normalized batch; in training, take its mean and variance up.

        In the same pass over memory it can add an array of its shape, and rectify: ``"relu"``. Both
        are for normalization along the last axis.
        """
        by_moments = self.renorm or self.mask is not None or self.mask_source is not None
        if by_moments and training and self.trainable and x.size > 0 and activation == "linear":
            return self._normalize(x, training)
        self._done = None
        rows = channels_last(x, self.axis)
        self._of_batch = training and self.trainable and rows.size > 0
        if self._of_batch:
            shape = (rows.shape[-1],)
            mean, rest, variance = backend.active.batchnorm_moments(
                rows,
                self._buffer("mean", shape),
                self._buffer("rest", shape),
                self._buffer("variance", shape),
            )
            moments: Moments = mean, rest, variance
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                if backend.active is backend.cpu:
                    backend.cpu.moving_average(moving, batch, self.momentum)
                else:
                    moving *= np.float32(self.momentum)
                    moving += batch * np.float32(1 - self.momentum)
        else:
            moments = self.moving_mean, None, self.moving_variance
        self._x, self._moments = rows, moments
        y = backend.active.batchnorm_forward(
            rows,
            self.gamma,
            self.beta,
            *moments,
            self.epsilon,
            self._buffer("y", rows.shape),
            addend,
            activation,
        )
        self._rectified = y if activation == "relu" else None
        return y if rows is x else self._turned("turned y", y)

    def backward(self, dy: Array, need_dx: bool, out: Array | None = None) -> Array | None:
        """Fill ``grads``; return the gradient of x, where it is needed.

        It is written over dy, or to ``out``, which leaves in dy the gradient of what was added.
        """
        if self._done is not None:
            return self._normalize_backward(dy, need_dx)
        assert self._x is not None
        assert self._moments is not None
        rows = channels_last(dy, self.axis)
        grads = iter(self.grads if self.trainable else [])
        dgamma = next(grads, None) if self.scale else None
        dbeta = next(grads, None) if self.center else None
        if self._x.size == 0:
            for grad in self.grads:
                grad[...] = 0
            return dy if need_dx else None
        dx = rows if out is None else out
        backend.active.batchnorm_backward(
            self._x,
            rows,
            self.gamma,
            *self._moments,
            self.epsilon,
            self._of_batch,
            dgamma,
            dbeta,
            dx if need_dx else None,
            self._rectified,
        )
        if not need_dx:
            return None
        return dx if rows is dy else self._turned("turned dx", dx)

    def _turned(self, name: str, rows: Array) -> Array:
        """Return the array with its axes as the input has them."""
        turned = np.moveaxis(rows, -1, self.axis)
        out = self._buffer(name, turned.shape)
        out[...] = turned
        return out

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        own = vars(self)
        config = {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": self.synchronized,
        }
        for name in ("beta", "gamma", "moving_mean", "moving_variance"):
            key = f"{name}_initializer"
            config[key] = initializers.serialize(own[key])
        for name in ("beta", "gamma"):
            config[f"{name}_regularizer"] = regularizers.serialize(own[f"{name}_regularizer"])
            config[f"{name}_constraint"] = constraints.serialize(own[f"{name}_constraint"])
        return config
