"""pyconv's own kernels and networks, as its layers call them: into buffers that are kept."""

import os
from collections.abc import Callable
from functools import partial, singledispatchmethod
from typing import Any

import numpy as np

import pyconv
from pyconv import backend
from pyconv._types import Array
from pyconv.bench.cases import Case, Conv, Dense, MaxPool, Predict, Relu, Train, Update
from pyconv.bench.filter_cases import SIGMAS, Filter
from pyconv.bench.inputs import labels, normal
from pyconv.bench.networks import (
    CLASSES,
    EPSILON,
    INPUT,
    LEARNING_RATE,
    LONG_STEP,
    NETWORKS,
    Step,
    initial_weights,
)
from pyconv.bench.peers import UnsupportedError, Variant, Variants
from pyconv.filters.smoothing import gaussian_weights


def there(role: str, shape: tuple[int, ...]) -> Array:
    """Return normal numbers where operations run."""
    array: Array = backend.on_device(normal(role, shape))
    return array


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        pyconv.set_num_threads(threads)
        self.version = f"{pyconv.__version__} ({backend.cpu.isa()})"
        if backend.active is not backend.cpu:
            self.version = f"{pyconv.__version__} ({pyconv.get_device()})"
            high = os.environ.get("PYCONV_BENCH_PRECISION") == "high"
            pyconv.set_float32_precision("high" if high else "highest")

    def synchronize(self) -> None:
        """Wait for what was asked of the device."""
        if backend.active is not backend.cpu:
            native: Any = backend.active
            native.synchronize()

    @singledispatchmethod
    def variants(self, case: Case) -> Variants:
        """Return the ways to run the case."""
        raise UnsupportedError(case.name)

    @variants.register
    def _(self, case: Conv) -> Variants:
        x, w = there("x", case.x_shape), there("w", case.w_shape)
        dy = there("dy", case.y_shape)
        steps, spread = (case.stride,) * 2, (case.dilation,) * 2
        shared = (steps, case.pads, spread, case.groups)
        call: Callable[[], object]
        if case.direction == "forward":
            out = backend.empty(dy.shape, np.float32)
            call = partial(backend.active.conv2d_forward, x, w, None, *shared, "linear", out)
        elif case.direction == "input":
            out = backend.empty(x.shape, np.float32)
            call = partial(backend.active.conv2d_backward_input, dy, w, case.x_shape, *shared, out)
        else:
            out = backend.empty(w.shape, np.float32)
            call = partial(backend.active.conv2d_backward_filter, x, dy, case.kernel, *shared, out)
        return {"": lambda: Variant(call, lambda: [np.asarray(out)])}

    @variants.register
    def _(self, case: Dense) -> Variants:
        x = there("x", (case.n, case.inputs))
        w = there("w", (case.inputs, case.units))
        dy = there("dy", (case.n, case.units))
        call: Callable[[], object]
        if case.direction == "forward":
            out = backend.empty(dy.shape, np.float32)
            call = partial(backend.active.dense_forward, x, w, None, "linear", out)
        elif case.direction == "input":
            out = backend.empty(x.shape, np.float32)
            call = partial(backend.active.dense_backward_input, dy, w, out)
        else:
            out = backend.empty(w.shape, np.float32)
            call = partial(backend.active.dense_backward_weights, x, dy, out)
        return {"": lambda: Variant(call, lambda: [np.asarray(out)])}

    @variants.register
    def _(self, case: MaxPool) -> Variants:
        x, dy, pads = there("x", case.x_shape), there("dy", case.y_shape), (0, 0, 0, 0)
        call: Callable[[], object]
        if case.direction == "forward":
            out = backend.empty(dy.shape, np.float32)
            call = partial(backend.active.maxpool2d_forward, x, (2, 2), (2, 2), pads, out)
        else:
            out = backend.empty(x.shape, np.float32)
            call = partial(backend.active.maxpool2d_backward, x, dy, (2, 2), (2, 2), pads, out)
        return {"": lambda: Variant(call, lambda: [np.asarray(out)])}

    @variants.register
    def _(self, case: Relu) -> Variants:
        x, dy = there("x", (case.size,)), there("dy", (case.size,))
        out = backend.empty(x.shape, np.float32)
        if case.direction == "forward":
            return {
                "": lambda: Variant(
                    partial(backend.active.relu_forward, x, out), lambda: [np.asarray(out)]
                )
            }
        y = backend.active.relu_forward(x)
        return {
            "": lambda: Variant(
                partial(backend.active.relu_backward, y, dy, out), lambda: [np.asarray(out)]
            )
        }

    @variants.register
    def _(self, case: Update) -> Variants:
        params = [there(f"w{i}", shape) for i, shape in enumerate(case.shapes)]
        grads = [there(f"g{i}", shape) for i, shape in enumerate(case.shapes)]
        zeros = [backend.zeros(param.shape, np.float32) for param in params]
        ones = [backend.on_device(np.ones(param.shape, np.float32)) for param in params]
        call: Callable[[], object]
        if case.optimizer == "SGD momentum":
            call = partial(backend.active.sgd_update, params, grads, zeros, 0.01, 0.9)
        elif case.optimizer == "RMSprop":
            call = partial(backend.active.rmsprop_update, params, grads, ones, None, None, 0.001)
        else:
            call = partial(
                backend.active.adam_update, params, grads, zeros, ones, None, 0.001, 1001
            )

        def result() -> list[Array]:
            for i, (param, zero, one) in enumerate(zip(params, zeros, ones, strict=True)):
                param[...], zero[...], one[...] = there(f"w{i}", param.shape), 0, 1
            call()
            return [np.asarray(param) for param in params]

        return {"": lambda: Variant(call, result)}

    @variants.register
    def _(self, case: Filter) -> Variants:
        x, size, at = case.image(), (case.size, case.size), (case.size // 2, case.size // 2)
        out, border, cpu = np.empty_like(x), "reflect_101", pyconv.backend.cpu
        call: Callable[[], object]
        if case.kind == "filter2d":
            call = partial(cpu.filter2d, x, case.kernel(), at, border, 0.0, case.dtype, out)
        elif case.kind == "mean":
            call = partial(cpu.box_filter, x, size, at, True, border, out)
        elif case.kind == "Gaussian":
            w = gaussian_weights(case.dtype, case.size, 0.0)
            call = partial(cpu.gaussian_blur, x, w, w, border, out)
        elif case.kind == "median":
            call = partial(cpu.median_blur, x, case.size, out)
        else:
            call = partial(cpu.bilateral_filter, x, at[0], SIGMAS, SIGMAS, border, out)
        return {"": lambda: Variant(call, lambda: [out])}

    @variants.register
    def _(self, case: Predict) -> Variants:
        model, x = _model(case.network), normal("x", case.x_shape)
        call = partial(model.predict, x, batch_size=case.batch, verbose=0)
        return {"": lambda: Variant(call, lambda: [call()])}

    @variants.register
    def _(self, case: Train) -> Variants:
        x, y = normal("x", case.x_shape), pyconv.utils.to_categorical(labels(case), CLASSES)
        model = _model(case.network)
        model.compile(pyconv.optimizers.RMSprop(LEARNING_RATE), "categorical_crossentropy")
        call = partial(model.fit, x, y, batch_size=case.batch, verbose=0)
        return {"": lambda: Variant(call, partial(_gradients, case, x, y), case.steps)}


def _model(network: str, dropout: bool = True) -> pyconv.Sequential:
    layers: list[Any] = [pyconv.Input(INPUT)]
    blocks: list[list[Any]] = []
    for step in NETWORKS[network]:
        if step.kind == "fork":
            # The layers so far, the block's path, and its shortcut.
            blocks = [layers, [], []]
            layers = blocks[1]
        elif step.kind == "add":
            layers = blocks[0]
            layers.append(pyconv.layers.Residual(blocks[1], blocks[2] or None, "relu"))
        elif step.kind == "project":
            blocks[2].extend(_layers(step))
        elif dropout or step.kind != "dropout":
            layers += _layers(step)
    model = pyconv.Sequential(layers)
    model.set_weights(initial_weights(network))
    return model


def _layers(step: Step) -> list[pyconv.layers.Layer]:
    if step.kind == "conv":
        return [pyconv.layers.Conv2D(step.units, step.kernel, padding="same", activation="relu")]
    if step.kind == "pool":
        return [pyconv.layers.MaxPooling2D(2)]
    if step.kind == "flatten":
        return [pyconv.layers.Flatten()]
    if step.kind == "dense":
        return [pyconv.layers.Dense(step.units, activation=step.activation)]
    if step.kind == "dropout":
        return [pyconv.layers.Dropout(step.rate)]
    if step.kind == "mean":
        return [pyconv.layers.GlobalAveragePooling2D()]
    made: list[pyconv.layers.Layer] = [
        pyconv.layers.Conv2D(
            step.units, step.kernel, step.stride, padding=step.kernel // 2, use_bias=False
        ),
        pyconv.layers.BatchNormalization(momentum=0.9, epsilon=EPSILON),
    ]
    return [*made, pyconv.layers.ReLU()] if step.activation == "relu" else made


def _gradients(case: Train, x: Array, y: Array) -> list[Array]:
    """Return the gradients of the first batch, read off a long step of plain descent."""
    model = _model(case.network, dropout=False)
    model.compile(pyconv.optimizers.SGD(LONG_STEP), "categorical_crossentropy")
    before = [np.array(w) for w in model.trainable_weights]
    model.train_on_batch(x[: case.batch], y[: case.batch])
    after = [np.asarray(w) for w in model.trainable_weights]
    return [(b - a) / LONG_STEP for b, a in zip(before, after, strict=True)]
