"""The networks in PyTorch, each memory format with what suits it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from pyconv._types import Array
from pyconv.bench.cases import Train
from pyconv.bench.inputs import labels, normal
from pyconv.bench.networks import EPSILON, LEARNING_RATE, Step, initial_weights, layer_shapes
from pyconv.bench.peers import Variant

# Where ``pyconv bench --device`` wants the work done.
DEVICE = os.environ.get("PYCONV_DEVICE") or "cpu"
LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


class FlattenPixels(nn.Module):
    """Flattens (N, C, H, W) in the order H, W, C: no copy of channels_last tensors."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, H * W * C)."""
        return x.permute(0, 2, 3, 1).flatten(1)


def tensor(x: Any) -> torch.Tensor:
    """Return an array of numpy as a tensor on the device."""
    return torch.from_numpy(x).to(DEVICE)


def array(x: torch.Tensor) -> Array:
    """Return a tensor as an array of numpy."""
    values: Array = x.detach().cpu().numpy()
    return values


class Block(nn.Module):
    """A residual block: ReLU of a path and what is beside it."""

    def __init__(self, path: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.path = path
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the result of the block."""
        return self.path(x).add_(self.shortcut(x)).relu_()


def model(network: str, layout: Any, dropout: bool = True, softmax: bool = False) -> nn.Module:
    """Return a network with the initial weights; its output are logits or probabilities."""
    layers: list[nn.Module] = []
    blocks: list[list[nn.Module]] = []
    weights = iter(initial_weights(network))
    for step, shape, kernel in layer_shapes(network):
        if step.kind == "fork":
            # The layers so far, the block's path, and its shortcut.
            blocks = [layers, [], []]
            layers = blocks[1]
        elif step.kind == "add":
            layers = blocks[0]
            layers.append(Block(*(nn.Sequential(*part) for part in blocks[1:])))
        elif kernel:
            own = blocks[2] if step.kind == "project" else layers
            own += _with_weights(step, kernel, weights)
            if step.activation == "relu":
                own.append(nn.ReLU(inplace=True))
        elif step.kind == "pool":
            layers.append(nn.MaxPool2d(2))
        elif step.kind == "mean":
            layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        elif step.kind == "flatten":
            layers.append(FlattenPixels() if len(shape) == 3 else nn.Flatten())
        elif dropout:
            layers.append(nn.Dropout(step.rate))
    if softmax:
        layers.append(nn.Softmax(-1))
    built: nn.Module = nn.Sequential(*layers).to(DEVICE, memory_format=layout)
    return built


def _with_weights(step: Step, kernel: tuple[int, ...], weights: Iterator[Array]) -> list[nn.Module]:
    normalized = step.kind in ("norm", "project")
    layer: nn.Module
    weight = torch.from_numpy(next(weights))
    if len(kernel) == 4:
        padding = step.kernel // 2 if normalized else "same"
        shape = (kernel[2], kernel[3], step.kernel, step.stride, padding)
        layer = nn.Conv2d(*shape, bias=not normalized)
        weight = weight.permute(3, 2, 0, 1)
    else:
        layer = nn.Linear(kernel[0], kernel[1])
        weight = weight.T
    with torch.no_grad():
        layer.weight.copy_(weight)
        if not normalized:
            layer.bias.copy_(torch.from_numpy(next(weights)))
            return [layer]
    norm = nn.BatchNorm2d(kernel[3], EPSILON)
    with torch.no_grad():
        for own in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert own is not None
            own.copy_(torch.from_numpy(next(weights)))
    return [layer, norm]


def training(case: Train, layout: Any, foreach: bool) -> Variant:
    """Return an epoch: batches in a new order, indexed from tensors, RMSprop, cross-entropy."""
    x, y = tensor(normal("x", case.x_shape)), tensor(labels(case))
    if layout is torch.contiguous_format:
        x = x.permute(0, 3, 1, 2).contiguous()
    net = model(case.network, layout).train()
    optimizer = torch.optim.RMSprop(
        net.parameters(), LEARNING_RATE, alpha=0.9, eps=1e-7, foreach=foreach
    )
    loss = nn.CrossEntropyLoss()

    def batch(rows: torch.Tensor) -> torch.Tensor:
        images = x[rows]
        return images if images.shape[1] == 3 else images.permute(0, 3, 1, 2)

    def epoch() -> None:
        for rows in torch.randperm(len(x), device=DEVICE).split(case.batch):
            optimizer.zero_grad(set_to_none=True)
            loss(net(batch(rows)), y[rows]).backward()
            optimizer.step()

    def gradients() -> list[Array]:
        net = model(case.network, layout, dropout=False)
        rows = torch.arange(case.batch, device=DEVICE)
        loss(net(batch(rows)), y[rows]).backward()
        grads = [p.grad for p in net.parameters()]
        order: dict[int, Callable[[torch.Tensor], torch.Tensor]] = {
            1: lambda g: g,
            2: lambda g: g.T,
            4: lambda g: g.permute(2, 3, 1, 0),
        }
        return [array(order[g.ndim](g)) for g in grads if g is not None]

    return Variant(epoch, gradients, case.steps)
