"""A model of pyconv's layers as a function of torch tensors, for gradients of whole networks."""

import torch
from torch.nn import functional


def output(layers, x, weights, training=True):
    """Return the result of ``layers``; ``weights`` is an iterator of all their weights, in order.

    Images are (N, H, W, C); dropout must be off. A last softmax is left out.
    """
    for layer in layers:
        x = _FUNCTIONS[type(layer).__name__](layer, x, weights, training)
    return x


def _same(x, size, strides, value=0.0):
    """Pad (N, C, H, W) as TensorFlow's 'same'."""
    pads = []
    for axis in (3, 2):
        k, s, n = size[axis - 2], strides[axis - 2], x.shape[axis]
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads, value=value)


def _images(function):
    def turned(layer, x, weights, training):
        return function(layer, x.permute(0, 3, 1, 2), weights).permute(0, 2, 3, 1)

    return turned


def _conv(layer, x, weights):
    kernel = next(weights).permute(3, 2, 0, 1).contiguous()
    bias = next(weights) if layer.use_bias else None
    y = functional.conv2d(
        _padded(layer, x), kernel, bias, layer.strides, 0, layer.dilation_rate, layer.groups
    )
    return _activated(layer, y)


def _depthwise(layer, x, weights):
    kernel = next(weights)  # (KH, KW, C, multiplier)
    kernel = kernel.reshape(*kernel.shape[:2], 1, -1).permute(3, 2, 0, 1).contiguous()
    y = functional.conv2d(_padded(layer, x), kernel, next(weights), groups=x.shape[1])
    return _activated(layer, y)


def _padded(layer, x):
    if layer.padding == "same":
        size = [
            d * (k - 1) + 1 for d, k in zip(layer.dilation_rate, layer.kernel_size, strict=True)
        ]
        return _same(x, size, layer.strides)
    if layer.padding == "valid":
        return x
    (top, bottom), (left, right) = layer.padding
    return functional.pad(x, (left, right, top, bottom))


def _activated(layer, y):
    name = layer.activation.name
    return {"relu": torch.relu, "tanh": torch.tanh}.get(name, lambda y: y)(y)


def _maxpool(layer, x, weights):
    if layer.padding == "same":
        x = _same(x, layer.pool_size, layer.strides, -torch.inf)
    return functional.max_pool2d(x, layer.pool_size, layer.strides)


def _lrn(layer, x, weights):
    size = 2 * layer.depth_radius + 1
    return functional.local_response_norm(x, size, layer.alpha * size, layer.beta, layer.bias)


def _dense(layer, x, weights, training):
    y = x @ next(weights)
    return _activated(layer, y + next(weights) if layer.use_bias else y)


def _norm(layer, x, weights, training):
    gamma, beta, mean, variance = (next(weights) for _ in range(4))
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(dim=axes), x.var(dim=axes, correction=0)
    return gamma * (x - mean) / torch.sqrt(variance + layer.epsilon) + beta


def _residual(layer, x, weights, training):
    main = output(layer._main.layers, x, weights, training)
    around = output(layer._shortcut.layers, x, weights, training)
    return _activated(layer, main + around)


def _branches(layer, x, weights, training):
    results = [output(path.layers, x, weights, training) for path in layer._paths]
    return torch.cat(results, -1) if layer.merge == "concat" else sum(results)


def _graph(layer, x, weights, training):
    values = [x]
    for node, sources in layer.nodes:
        taken = [values[i] for i in sources]
        merge = _MERGES.get(type(node).__name__)
        values.append(merge(taken) if merge else output([node], taken[0], weights, training))
    return values[-1]


_MERGES = {
    "Add": sum,
    "Average": lambda xs: sum(xs) / len(xs),
    "Concatenate": lambda xs: torch.cat(xs, -1),
    "Maximum": lambda xs: torch.where(xs[1] > xs[0], xs[1], xs[0]),  # the first of equals
    "Multiply": lambda xs: xs[0] * xs[1],
    "Subtract": lambda xs: xs[0] - xs[1],
}

_FUNCTIONS = {
    "AveragePooling2D": _images(
        lambda la, x, w: functional.avg_pool2d(x, la.pool_size, la.strides)
    ),
    "BatchNormalization": _norm,
    "Branches": _branches,
    "Conv2D": _images(_conv),
    "Dense": _dense,
    "DepthwiseConv2D": _images(_depthwise),
    "Dropout": lambda layer, x, weights, training: x,
    "Flatten": lambda layer, x, weights, training: x.flatten(1),
    "Graph": _graph,
    "LeakyReLU": lambda layer, x, weights, training: functional.leaky_relu(x, layer.negative_slope),
    "GlobalAveragePooling2D": lambda layer, x, weights, training: x.mean(dim=(1, 2)),
    "LocalResponseNormalization": _images(_lrn),
    "MaxPooling2D": _images(_maxpool),
    "ReLU": lambda layer, x, weights, training: torch.relu(x),
    "Residual": _residual,
}
