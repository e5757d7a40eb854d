"""The truth that operations are held against: torch in float64, and torch's own error."""

import numpy as np
import torch

torch.set_num_threads(1)


def check(got, exact, torch32):
    """Error at most twice that of torch in float32, plus 4 * eps * max|exact|."""
    assert got.dtype == np.float32
    assert got.shape == exact.shape
    if got.size == 0:
        return
    limit = 2 * np.abs(torch32 - exact).max() + 4 * np.finfo("f4").eps * np.abs(exact).max()
    assert np.abs(got - exact).max() <= limit


def nchw(x, dtype):
    return torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), dtype=dtype)


def nhwc(t):
    return t.detach().numpy().transpose(0, 2, 3, 1)


def conv2d(x, w, b, dy, strides, pads, dilation, groups, dtype):
    """Return (y, dx, dw) of torch in ``dtype``; dy None gives y alone."""
    xt = nchw(x, dtype).requires_grad_()
    wt = torch.tensor(np.ascontiguousarray(w.transpose(3, 2, 0, 1)), dtype=dtype).requires_grad_()
    padded = torch.nn.functional.pad(xt, (pads[2], pads[3], pads[0], pads[1]))
    bt = None if b is None else torch.tensor(b, dtype=dtype)
    y = torch.nn.functional.conv2d(padded, wt, bt, strides, 0, dilation, groups)
    if dy is None:
        return nhwc(y)
    y.backward(nchw(dy, dtype))
    return nhwc(y), nhwc(xt.grad), wt.grad.numpy().transpose(2, 3, 1, 0)


def same(size, kernel, stride, dilation):
    """TensorFlow's 'same': (before, after)."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2
