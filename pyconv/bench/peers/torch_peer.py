"""PyTorch: oneDNN's or cuDNN's kernels on contiguous (NCHW) and channels_last (NHWC) tensors."""

import os
import warnings
from collections.abc import Callable
from functools import partial, singledispatchmethod
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pyconv._types import Array
from pyconv.bench.cases import Case, Conv, Dense, MaxPool, Predict, Relu, Train, Update
from pyconv.bench.inputs import normal
from pyconv.bench.peers import UnsupportedError, Variant, Variants
from pyconv.bench.peers.torch_networks import DEVICE, LAYOUTS, array, model, tensor, training


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self.version = f"{torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"
        if DEVICE != "cpu":
            self.version = f"{torch.__version__} ({torch.cuda.get_device_name(DEVICE)})"
            torch.backends.cudnn.benchmark = True
            high = os.environ.get("PYCONV_BENCH_PRECISION") == "high"
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = high

    def synchronize(self) -> None:
        """Wait for what was asked of the device."""
        if DEVICE != "cpu":
            torch.cuda.synchronize(DEVICE)

    @singledispatchmethod
    def variants(self, case: Case) -> Variants:
        """Return the ways to run the case."""
        raise UnsupportedError(case.name)

    @variants.register
    def _(self, case: Conv) -> Variants:
        return {name: partial(_conv, case, layout) for name, layout in LAYOUTS.items()}

    @variants.register
    def _(self, case: Dense) -> Variants:
        x = tensor(normal("x", (case.n, case.inputs)))
        w = tensor(normal("w", (case.inputs, case.units)))
        dy = tensor(normal("dy", (case.n, case.units)))
        # torch keeps the weights of a linear layer as (units, in).
        wt = w.T.contiguous()
        if case.direction == "forward":
            return _products({"linear": (x, wt.T), "mm": (x, w)}, dy)
        if case.direction == "input":
            return _products({"linear": (dy, wt), "mm": (dy, w.T)}, x)
        linear = _products({"linear": (dy.T, x)}, wt)["linear"]()
        return {
            **_products({"mm": (x.T, dy)}, w),
            "linear": lambda: Variant(linear.run, lambda: [linear.result()[0].T]),
        }

    @variants.register
    def _(self, case: MaxPool) -> Variants:
        return {name: partial(_max_pool, case, layout) for name, layout in LAYOUTS.items()}

    @variants.register
    def _(self, case: Relu) -> Variants:
        x = tensor(normal("x", (case.size,)))
        dy = tensor(normal("dy", (case.size,)))
        out = torch.empty_like(x)
        call: Callable[[], object]
        if case.direction == "forward":
            call = partial(torch.clamp_min, x, 0, out=out)
        else:
            y, backward = torch.relu(x), torch.ops.aten.threshold_backward.grad_input
            call = partial(backward, dy, y, 0, grad_input=out)
        return {"": lambda: Variant(_inference(call), lambda: [array(out)])}

    @variants.register
    def _(self, case: Update) -> Variants:
        if case.optimizer == "RMSprop":
            settings: dict[str, dict[str, Any]] = {
                "foreach": {"foreach": True},
                "single": {"foreach": False},
            }
        else:
            settings = {"foreach": {"foreach": True}, "fused": {"fused": True}}
        return {name: partial(_update, case, options) for name, options in settings.items()}

    @variants.register
    def _(self, case: Predict) -> Variants:
        return {
            name + (", jit" if jit else ""): partial(_predict, case, layout, jit)
            for name, layout in LAYOUTS.items()
            for jit in ((False, True) if DEVICE == "cpu" else (False,))
        }

    @variants.register
    def _(self, case: Train) -> Variants:
        return {
            name + (", foreach" if foreach else ""): partial(training, case, layout, foreach)
            for name, layout in LAYOUTS.items()
            for foreach in (False, True)
        }


def _inference(call: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        with torch.inference_mode():
            return call()

    return run


def _products(
    operands: dict[str, tuple[torch.Tensor, torch.Tensor]], like: torch.Tensor
) -> Variants:
    def make(a: torch.Tensor, b: torch.Tensor) -> Variant:
        out = torch.empty_like(like)
        return Variant(_inference(partial(torch.mm, a, b, out=out)), lambda: [array(out)])

    return {name: partial(make, a, b) for name, (a, b) in operands.items()}


def _predict(case: Predict, layout: Any, jit: bool) -> Variant:
    net: Any = model(case.network, layout, softmax=True).eval()
    x = nchw(normal("x", case.x_shape), layout)
    if jit:
        # Deprecated, and still faster than eager; torch.compile is slower than both here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            net = torch.jit.optimize_for_inference(torch.jit.trace(net, x))
    call = _inference(partial(net, x))
    return Variant(call, lambda: [array(call())])


def _max_pool(case: MaxPool, layout: Any) -> Variant:
    x, dy = nchw(normal("x", case.x_shape), layout), nchw(normal("dy", case.y_shape), layout)
    if case.direction == "forward":
        call = _inference(partial(functional.max_pool2d, x, 2))
    else:
        _, indices = functional.max_pool2d(x, 2, return_indices=True)
        backward = torch.ops.aten.max_pool2d_with_indices_backward.default
        window = ([2, 2], [2, 2], [0, 0], [1, 1], False)
        call = _inference(partial(backward, dy, x, *window, indices))
    return Variant(call, lambda: [nhwc(call())])


def _update(case: Update, options: dict[str, Any]) -> Variant:
    _, optimizer = _optimizer(case, options)

    def result() -> list[Array]:
        params, optimizer = _optimizer(case, options)
        optimizer.step()
        return [array(p) for p in params]

    return Variant(optimizer.step, result)


def _optimizer(
    case: Update, options: dict[str, Any]
) -> tuple[list[torch.Tensor], torch.optim.Optimizer]:
    params = []
    for i, shape in enumerate(case.shapes):
        param = tensor(normal(f"w{i}", shape)).requires_grad_()
        param.grad = tensor(normal(f"g{i}", shape))
        params.append(param)
    if case.optimizer == "SGD momentum":
        return params, torch.optim.SGD(params, 0.01, 0.9, **options)
    optimizer: torch.optim.Optimizer
    if case.optimizer == "RMSprop":
        optimizer = torch.optim.RMSprop(params, 0.001, 0.9, 1e-7, **options)
    else:
        optimizer = torch.optim.Adam(params, 0.001, eps=1e-7, **options)
    for param in params:
        first, second = torch.zeros_like(param), torch.ones_like(param)
        optimizer.state[param] = {
            "step": torch.tensor(1000.0),
            **(
                {"square_avg": second}
                if case.optimizer == "RMSprop"
                else {"exp_avg": first, "exp_avg_sq": second}
            ),
        }
    return params, optimizer


def _conv(case: Conv, layout: Any) -> Variant:
    top, bottom, left, right = case.pads
    x = normal("x", case.x_shape)
    padding, padded = (top, left), (top, left) != (bottom, right)
    if padded:
        # torch pads evenly: it gets an input that is padded already.
        x, padding = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0))), (0, 0)
    xt, dyt = nchw(x, layout), nchw(normal("dy", case.y_shape), layout)
    w = tensor(normal("w", case.w_shape)).permute(3, 2, 0, 1)
    w = w.contiguous(memory_format=layout)
    if case.direction == "forward":
        shape = (case.stride, padding, case.dilation, case.groups)
        call = _inference(partial(functional.conv2d, xt, w, None, *shape))
        return Variant(call, lambda: [nhwc(call())])
    mask = [case.direction == "input", case.direction == "filter", False]
    geometry = ([case.stride] * 2, padding, [case.dilation] * 2, False, [0, 0], case.groups)
    backward = torch.ops.aten.convolution_backward.default
    call = _inference(partial(backward, dyt, xt, w, None, *geometry, mask))

    def result() -> list[Array]:
        dx, dw, _ = call()
        if dx is None:
            return [array(dw.permute(2, 3, 1, 0))]
        rows, cols = slice(top, top + case.h), slice(left, left + case.w)
        return [nhwc(dx)[:, rows, cols] if padded else nhwc(dx)]

    return Variant(call, result)


def nchw(x: Array, layout: Any) -> torch.Tensor:
    """Return an NHWC array as an NCHW tensor that lies in memory as ``layout`` says."""
    return tensor(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)


def nhwc(x: torch.Tensor) -> Array:
    """Return an NCHW tensor as an NHWC array."""
    return array(x.permute(0, 2, 3, 1))
