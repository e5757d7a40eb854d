"""Layers against the same function in torch: forward and every gradient, by the tolerance rule."""

import numpy as np
import reference
import torch

from pyconv import backend


def passes(layer, x, training=False):
    """Build, run forward and backward; return (dy, result, dx, gradients of the weights)."""
    layer.build((None, *x.shape[1:]))
    y = layer.forward(x, training).copy()
    dy = np.random.default_rng(11).standard_normal(y.shape, np.float32)
    # Copies: the layer may write over what it is given.
    dx = layer.backward(here(dy), True).copy()
    return dy, y, dx, [g.copy() for g in layer.grads]


def check_layer(layer, x, function):
    """Hold a layer against ``function(x, *weights)`` of torch tensors, NHWC, in float64."""
    kept = x.copy()
    dy, *got = passes(layer, x)
    assert np.array_equal(x, kept, equal_nan=True)
    flat = [got[0], got[1], *got[2]]
    exact, approximate = (
        autograd(function, [x, *layer.get_weights()], dy, dtype)
        for dtype in (torch.float64, torch.float32)
    )
    for ours, truth, theirs in zip(flat, exact, approximate, strict=True):
        reference.check(ours, truth, theirs)
    called = layer(x)
    assert np.array_equal(called, got[0])
    assert called is not layer(x)


def here(x):
    """Return a copy where operations run, as layers may write over it."""
    return backend.on_device(x.copy())


def autograd(function, arrays, dy, dtype):
    """Return the result of ``function`` and its gradient by each of ``arrays``, as numpy."""
    tensors = [torch.tensor(a, dtype=dtype, requires_grad=True) for a in arrays]
    y = function(*tensors)
    y.backward(torch.tensor(dy, dtype=dtype))
    return [y.detach().numpy(), *(t.grad.numpy() for t in tensors)]


def images(function):
    """Return a function of (N, C, H, W) as one of (N, H, W, C)."""
    return lambda x: function(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def conv2d(strides=1, pads=(0, 0, 0, 0), dilation=1, groups=1):
    """Return the convolution of (x, kernel, bias=None) in torch, ``pads`` top to right."""

    def function(x, kernel, bias=None):
        padded = torch.nn.functional.pad(
            x.permute(0, 3, 1, 2), (pads[2], pads[3], pads[0], pads[1])
        )
        weight = kernel.permute(3, 2, 0, 1)
        y = torch.nn.functional.conv2d(padded, weight, bias, strides, 0, dilation, groups)
        return y.permute(0, 2, 3, 1)

    return function


def batch(*shape, seed=3):
    """Return normal numbers of this shape."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
