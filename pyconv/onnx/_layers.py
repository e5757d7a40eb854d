"""Nodes with weights or windows, as layers."""

import numpy as np

from pyconv.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    LocalResponseNormalization,
    MaxPooling2D,
    PReLU,
    Rescaling,
    ZeroPadding2D,
)
from pyconv.onnx import _windows
from pyconv.onnx._file import Constant
from pyconv.onnx._fold import axes_of
from pyconv.onnx._network import Step, Value


def conv(step: Step) -> Value:
    """Conv: filters (K, C / groups, KH, KW)."""
    x, w = step.network.image(step.value()), step.constant(1, "the filters")
    if w.ndim != 4:
        raise ValueError(f"the filters must be (K, C, KH, KW), got {w.shape}")
    kernel = (w.shape[2], w.shape[3])
    strides, dilations = (_windows.pair(step, name, [1, 1]) for name in ("strides", "dilations"))
    bias = step.constant(2, "the bias") if step.given(2) else None
    if bias is None:
        bias = step.network.take_bias(step, w.shape[0], 2)
    weights = {"kernel": w.transpose(2, 3, 1, 0)}
    if bias is not None:
        weights["bias"] = bias
    layer = Conv2D(
        w.shape[0],
        kernel,
        strides,
        _windows.padding(step, x, kernel, strides, dilations),
        dilation_rate=dilations,
        groups=step.attribute("group", 1),
        activation=step.network.take_relu(step),
        use_bias=bias is not None,
        name=step.layer_name,
    )
    return step.add(layer, x, weights=weights)


def gemm(step: Step) -> Value:
    """Gemm: alpha * A B + beta * C."""
    if step.attribute("transA", 0):
        raise ValueError("transA must be 0, as samples are rows")
    w = step.constant(1, "B") * np.float32(step.attribute("alpha", 1.0))
    bias = None
    if step.given(2):
        bias = step.constant(2, "C") * np.float32(step.attribute("beta", 1.0))
    return _dense(step, w.T if step.attribute("transB", 0) else w, bias)


def matmul(step: Step) -> Value:
    """MatMul with a matrix, and Add after it."""
    if step.is_constant(0):
        raise ValueError("its first input must not be a constant")
    return _dense(step, step.constant(1, "the second input"), None)


def _dense(step: Step, w: Constant, bias: Constant | None) -> Value:
    x = step.value()
    if w.ndim != 2:
        raise ValueError(f"the weights must be a matrix, got {w.shape}")
    if x.image or len(x.shape) > 1:
        x = step.network.plain(x)
    if bias is None:
        bias = step.network.take_bias(step, w.shape[1], 0)
    elif bias.size in (1, w.shape[1]):
        bias = np.broadcast_to(bias.reshape(-1), w.shape[1:])
    if x.order is not None:
        if len(x.order) != len(w):
            raise ValueError(f"the weights must have {len(x.order)} rows, got {len(w)}")
        w = w[x.order]
    weights = {"kernel": w} if bias is None else {"kernel": w, "bias": bias}
    layer = Dense(
        w.shape[1],
        step.network.take_relu(step),
        use_bias=bias is not None,
        name=step.layer_name,
    )
    return step.add(layer, x, weights=weights)


def batch_normalization(step: Step) -> Value:
    """BatchNormalization with its four arrays."""
    if step.attribute("training_mode", 0):
        raise ValueError("training_mode must be 0: export the model for inference")
    x = step.value()
    if len(x.shape) > 1:
        x = step.network.image(x)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    weights = {name: step.constant(i, name) for i, name in enumerate(names, 1)}
    layer = BatchNormalization(
        momentum=step.attribute("momentum", 0.9),
        epsilon=step.attribute("epsilon", 1e-5),
        name=step.layer_name,
    )
    return step.add(layer, x, weights=weights)


def lrn(step: Step) -> Value:
    """LRN: alpha is divided by the size here."""
    size = step.attribute("size", 0)
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size must be odd, got {size}")
    layer = LocalResponseNormalization(
        (size - 1) // 2,
        step.attribute("bias", 1.0),
        step.attribute("alpha", 1e-4) / size,
        step.attribute("beta", 0.75),
        name=step.layer_name,
    )
    return step.add(layer, step.network.image(step.value()))


def max_pool(step: Step) -> Value:
    """MaxPool."""
    if step.attributes.get("dilations", [1, 1]) != [1, 1]:
        raise ValueError("dilations of pooling must be 1")
    x, kernel, strides, pads = _pooled(step)
    if step.attribute("ceil_mode", 0):
        pads = _windows.with_ceiling(x, kernel, strides, pads)
    return step.add(MaxPooling2D(kernel, strides, pads, name=step.layer_name), x)


def average_pool(step: Step) -> Value:
    """AveragePool; where padding counts, it is a layer of zeros before."""
    if step.attributes.get("dilations", [1, 1]) != [1, 1]:
        raise ValueError("dilations of pooling must be 1")
    x, kernel, strides, pads = _pooled(step)
    if step.attribute("count_include_pad", 0) and pads != "valid":
        if pads == "same":
            raise ValueError("padding that counts needs a known size; give input_shape")
        x = step.add(ZeroPadding2D(pads, name=f"{step.layer_name}_padding"), x)
        pads = "valid"
    if step.attribute("ceil_mode", 0):
        pads = _windows.with_ceiling(x, kernel, strides, pads)
    return step.add(AveragePooling2D(kernel, strides, pads, name=step.layer_name), x)


def _pooled(
    step: Step,
) -> tuple[Value, tuple[int, int], tuple[int, int], _windows.Padding]:
    x = step.network.image(step.value())
    kernel = _windows.pair(step, "kernel_shape", None)
    strides = _windows.pair(step, "strides", [1, 1])
    return x, kernel, strides, _windows.padding(step, x, kernel, strides, (1, 1))


def global_average_pool(step: Step) -> Value:
    """GlobalAveragePool."""
    layer = GlobalAveragePooling2D(keepdims=True, name=step.layer_name)
    return step.add(layer, step.network.image(step.value()))


def global_max_pool(step: Step) -> Value:
    """GlobalMaxPool."""
    layer = GlobalMaxPooling2D(keepdims=True, name=step.layer_name)
    return step.add(layer, step.network.image(step.value()))


def reduce_mean(step: Step) -> Value:
    """ReduceMean over the pixels of an image."""
    x = step.network.image(step.value())
    inputs = [None, step.constant(1, "axes")] if step.given(1) else []
    axes = axes_of(inputs, step.attributes)
    if axes is None or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise ValueError(f"only means over height and width are read, got axes {axes}")
    keepdims = bool(step.attribute("keepdims", 1))
    layer = GlobalAveragePooling2D(keepdims=keepdims, name=step.layer_name)
    return step.add(layer, x, image=keepdims)


def prelu(step: Step) -> Value:
    """PRelu with one slope, or one a channel."""
    x, slope = step.value(), step.constant(1, "the slope")
    if len(x.shape) > 1:
        x = step.network.image(x)
    channels, axes = x.shape[-1], len(x.shape) - 1
    shape = slope.shape[1:] if slope.ndim == axes + 2 and slope.shape[0] == 1 else slope.shape
    if slope.size not in (1, channels) or shape[1:] not in ((), (1,) * axes):
        raise ValueError(f"the slope must be one number or one a channel, got {slope.shape}")
    alpha = np.broadcast_to(slope.reshape(-1), (1,) * axes + (channels or 1,))
    layer = PReLU(shared_axes=[1, 2][:axes] or None, name=step.layer_name)
    return step.add(layer, x, weights={"alpha": alpha})


def scaled(step: Step, factor: Constant, offset: Constant, i: int) -> Value:
    """Return the i-th input times a constant, plus another: one number, or one a channel."""
    x = step.value(i)
    if factor.size == offset.size == 1:
        scale, add = float(factor.reshape(())), float(offset.reshape(()))
        return step.add(Rescaling(scale, add, name=step.layer_name), x, order=x.order)
    x = step.network.image(x)
    channels = x.shape[2] or 0
    parts = []
    for part in (factor, offset):
        shape = (1,) * (4 - part.ndim) + part.shape
        if shape not in ((1, channels, 1, 1), (1, 1, 1, 1)):
            raise ValueError(
                f"the constant must be one number, or one for each of {channels} channels, got "
                f"{part.shape}"
            )
        parts.append(np.broadcast_to(part.reshape(-1), (channels,)))
    if step.op == "Mul":
        after = step.network.take_bias(step, channels, 2)
        parts[1] = parts[1] if after is None else after
    layer = DepthwiseConv2D(1, activation=step.network.take_relu(step), name=step.layer_name)
    return step.add(layer, x, weights={"kernel": parts[0][None, None, :, None], "bias": parts[1]})
