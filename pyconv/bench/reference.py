"""The exact results of cases: numpy in float64, written for clearness."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv.bench import cases, filter_cases
from pyconv.bench.inputs import labels, normal
from pyconv.bench.networks import CLASSES, EPSILON, NETWORKS, Step, initial_weights

Exact = NDArray[np.float64]


@singledispatch
def exact(case: cases.Case) -> list[Exact]:
    """Return the results of a case."""
    raise TypeError(f"no reference for {type(case).__name__}")


@exact.register
def _(case: cases.Conv) -> list[Exact]:
    x, w, dy = (
        normal(role, shape).astype(float)
        for role, shape in (("x", case.x_shape), ("w", case.w_shape), ("dy", case.y_shape))
    )
    geometry = (case.pads, case.stride, case.dilation, case.groups)
    if case.direction == "forward":
        return [conv(x, w, *geometry)]
    if case.direction == "input":
        return [conv_backward_input(dy, w, case.x_shape, *geometry)]
    return [conv_backward_filter(x, dy, case.kernel, *geometry)]


@exact.register
def _(case: cases.Dense) -> list[Exact]:
    x = normal("x", (case.n, case.inputs)).astype(float)
    w = normal("w", (case.inputs, case.units)).astype(float)
    dy = normal("dy", (case.n, case.units)).astype(float)
    if case.direction == "forward":
        return [x @ w]
    return [dy @ w.T if case.direction == "input" else x.T @ dy]


@exact.register
def _(case: cases.MaxPool) -> list[Exact]:
    x = normal("x", case.x_shape).astype(float)
    if case.direction == "forward":
        return [pool(x)]
    return [pool_backward(x, normal("dy", case.y_shape).astype(float))]


@exact.register
def _(case: filter_cases.Filter) -> list[Exact]:
    return [filter_cases.exact(case)]


@exact.register
def _(case: cases.Relu) -> list[Exact]:
    x = normal("x", (case.size,)).astype(float)
    if case.direction == "forward":
        return [np.maximum(x, 0)]
    return [np.where(x > 0, normal("dy", (case.size,)).astype(float), 0)]


@exact.register
def _(case: cases.Update) -> list[Exact]:
    updated = []
    for i, shape in enumerate(case.shapes):
        w, g = normal(f"w{i}", shape).astype(float), normal(f"g{i}", shape).astype(float)
        if case.optimizer == "SGD momentum":
            updated.append(w - 0.01 * g)
        elif case.optimizer == "RMSprop":
            updated.append(w - 0.001 * g / np.sqrt(0.9 + 0.1 * g * g + 1e-7))
        else:
            v = (0.999 + 0.001 * g * g) / (1 - 0.999**1001)
            updated.append(w - 0.001 * 0.1 * g / (1 - 0.9**1001) / (np.sqrt(v) + 1e-7))
    return updated


@exact.register
def _(case: cases.Predict) -> list[Exact]:
    weights = [w.astype(float) for w in initial_weights(case.network)]
    return [network(case.network, weights, normal("x", case.x_shape).astype(float))[0]]


@exact.register
def _(case: cases.Train) -> list[Exact]:
    """Return the gradients of the first batch without dropout."""
    weights = [w.astype(float) for w in initial_weights(case.network)]
    x = normal("x", case.x_shape)[: case.batch].astype(float)
    probabilities, undo = network(case.network, weights, x)
    truth = np.eye(CLASSES)[labels(case)[: case.batch]]
    gradients: list[Exact] = undo((probabilities - truth) / case.batch)
    return gradients


def network(name: str, weights: Sequence[Exact], x: Exact) -> tuple[Exact, Any]:
    """Return the probabilities, and a function from the logits' gradient to the weights'."""
    undo: list[Any] = []
    left = iter(weights)
    forked: Exact = x
    for step in NETWORKS[name]:
        if step.kind in ("norm", "project"):
            given = forked if step.kind == "project" else x
            made, back = _norm(step, given, [next(left) for _ in range(5)][:3])
            undo.append((step.kind, back))
            x, forked = (x, made) if step.kind == "project" else (made, forked)
            continue
        if step.kind in ("conv", "dense"):
            w, b = next(left), next(left)
            if step.kind == "conv":
                total = step.kernel - 1
                pads = (total // 2, total - total // 2) * 2
                y = conv(x, w, pads) + b
                undo.append(("", _undo_conv(x, w, pads, y)))
            else:
                y = x @ w + b
                undo.append(("", _undo_dense(x, w, y, step.activation == "relu")))
            x = np.maximum(y, 0) if step.activation == "relu" else _softmax(y)
        elif step.kind == "pool":
            undo.append(("", lambda dy, x=x: (pool_backward(x, dy), [])))
            x = pool(x)
        elif step.kind == "flatten":
            undo.append(("", lambda dy, shape=x.shape: (dy.reshape(shape), [])))
            x = x.reshape(len(x), -1)
        elif step.kind == "mean":
            undo.append(("", lambda dy, x=x: (_spread_mean(dy, x.shape), [])))
            x = x.mean((1, 2))
        elif step.kind == "fork":
            undo.append(("fork", None))
            forked = x
        elif step.kind == "add":
            x = np.maximum(x + forked, 0)
            undo.append(("add", lambda dy, y=x: (dy * (y > 0), [])))

    def gradients(dy: Exact) -> list[Exact]:
        found: list[Exact] = []
        around: Exact = dy  # the gradient of what was forked, in a block
        for kind, back in reversed(undo):
            grads: list[Exact] = []
            if kind == "fork":
                dy = dy + around
            elif kind == "project":
                around, grads = back(around)
            else:
                dy, grads = back(dy)
                around = dy if kind == "add" else around
            found = [*grads, *found]
        return found

    return x, gradients


def _undo_conv(x: Exact, w: Exact, pads: Any, y: Exact) -> Any:
    def undo(dy: Exact) -> tuple[Exact, list[Exact]]:
        dy = dy * (y > 0)
        dw = conv_backward_filter(x, dy, w.shape[:2], pads)
        return conv_backward_input(dy, w, x.shape, pads), [dw, dy.sum((0, 1, 2))]

    return undo


def _norm(step: Step, x: Exact, weights: list[Exact]) -> tuple[Exact, Any]:
    """Return a normalized convolution of x, and its undoing."""
    w, gamma, beta = weights
    pads, axes = (step.kernel // 2,) * 4, (0, 1, 2)
    z = conv(x, w, pads, step.stride)
    deviation = np.sqrt(z.var(axes) + EPSILON)
    normal_z = (z - z.mean(axes)) / deviation
    y = gamma * normal_z + beta
    relu = step.activation == "relu"

    def undo(dy: Exact) -> tuple[Exact, list[Exact]]:
        dy = dy * (y > 0) if relu else dy
        dgamma, dbeta = (dy * normal_z).sum(axes), dy.sum(axes)
        count = z.size / z.shape[3]
        dz = gamma / deviation * (dy - dbeta / count - normal_z * dgamma / count)
        dw = conv_backward_filter(x, dz, w.shape[:2], pads, step.stride)
        return conv_backward_input(dz, w, x.shape, pads, step.stride), [dw, dgamma, dbeta]

    return np.maximum(y, 0) if relu else y, undo


def _spread_mean(dy: Exact, shape: Any) -> Exact:
    _, h, w, _ = shape
    return np.broadcast_to(dy[:, None, None, :] / (h * w), shape)


def _undo_dense(x: Exact, w: Exact, y: Exact, relu: bool) -> Any:
    def undo(dy: Exact) -> tuple[Exact, list[Exact]]:
        dy = dy * (y > 0) if relu else dy
        return dy @ w.T, [x.T @ dy, dy.sum(0)]

    return undo


def _softmax(x: Exact) -> Exact:
    e = np.exp(x - x.max(-1, keepdims=True))
    result: Exact = e / e.sum(-1, keepdims=True)
    return result


def conv(x: Exact, w: Exact, pads: Any, stride: int = 1, dilation: int = 1, groups: int = 1) -> Any:
    """Return y of a convolution, as a sum over the filter's cells."""
    xp = _padded(x, pads)
    oh, ow = _output_size(xp.shape, w.shape, stride, dilation)
    y = np.zeros((len(x), oh, ow, w.shape[3]))
    for i, j, cells in _cells(w.shape, oh, ow, stride, dilation):
        pairs = zip(np.split(xp[cells], groups, -1), np.split(w[i, j], groups, -1), strict=True)
        y += np.concatenate([a @ b for a, b in pairs], -1)
    return y


def conv_backward_input(
    dy: Exact, w: Exact, shape: Any, pads: Any, stride: int = 1, dilation: int = 1, groups: int = 1
) -> Any:
    """Return the gradient of x."""
    top, bottom, left, right = pads
    n, h, width, c = shape
    dx = np.zeros((n, h + top + bottom, width + left + right, c))
    for i, j, cells in _cells(w.shape, dy.shape[1], dy.shape[2], stride, dilation):
        pairs = zip(np.split(dy, groups, -1), np.split(w[i, j], groups, -1), strict=True)
        dx[cells] += np.concatenate([a @ b.T for a, b in pairs], -1)
    return dx[:, top : top + h, left : left + width]


def conv_backward_filter(
    x: Exact,
    dy: Exact,
    kernel: Any,
    pads: Any,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of w."""
    xp = _padded(x, pads)
    dw = np.zeros((*kernel, x.shape[3] // groups, dy.shape[3]))
    for i, j, cells in _cells(dw.shape, dy.shape[1], dy.shape[2], stride, dilation):
        pairs = zip(np.split(xp[cells], groups, -1), np.split(dy, groups, -1), strict=True)
        dw[i, j] = np.concatenate(
            [a.reshape(-1, a.shape[3]).T @ b.reshape(-1, b.shape[3]) for a, b in pairs], -1
        )
    return dw


def pool(x: Exact) -> Exact:
    """Return the maximum of each 2x2 cells."""
    n, h, w, c = x.shape
    result: Exact = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return result


def pool_backward(x: Exact, dy: Exact) -> Exact:
    """Return the gradient of x: the first maximum of each window gets dy."""
    n, h, w, c = x.shape
    windows = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
    flat = windows.reshape(*windows.shape[:4], 4)
    dx = np.zeros(flat.shape)
    np.put_along_axis(dx, flat.argmax(-1)[..., None], dy[..., None], -1)
    result: Exact = dx.reshape(windows.shape).transpose(0, 1, 4, 2, 5, 3).reshape(x.shape)
    return result


def _padded(x: Exact, pads: Any) -> Exact:
    top, bottom, left, right = pads
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))


def _output_size(x: Any, w: Any, stride: int, dilation: int) -> tuple[int, int]:
    oh, ow = ((x[k + 1] - (w[k] - 1) * dilation - 1) // stride + 1 for k in range(2))
    return oh, ow


def _cells(w: Any, oh: int, ow: int, stride: int, dilation: int) -> Any:
    """Yield each cell (i, j) of the filter with the index of the pixels that it meets."""
    for i in range(w[0]):
        for j in range(w[1]):
            rows = slice(i * dilation, i * dilation + (oh - 1) * stride + 1, stride)
            cols = slice(j * dilation, j * dilation + (ow - 1) * stride + 1, stride)
            yield i, j, (slice(None), rows, cols)
