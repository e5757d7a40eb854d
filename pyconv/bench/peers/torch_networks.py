"""The networks in PyTorch, each memory format with what suits it."""

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pyconv._types import Array
from pyconv.bench.cases import Train
from pyconv.bench.inputs import labels, normal
from pyconv.bench.networks import LEARNING_RATE, Step, initial_weights, layer_shapes
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


def model(network: str, layout: Any, dropout: bool = True, softmax: bool = False) -> nn.Module:
    """Return a network with the initial weights; its output are logits or probabilities."""
    layers: list[nn.Module] = []
    weights = iter(initial_weights(network))
    for step, shape, kernel in layer_shapes(network):
        if kernel:
            layers.append(_with_weights(step, kernel, next(weights), next(weights)))
            if step.activation == "relu":
                layers.append(nn.ReLU(inplace=True))
        elif step.kind == "pool":
            layers.append(nn.MaxPool2d(2))
        elif step.kind == "flatten":
            layers.append(FlattenPixels() if len(shape) == 3 else nn.Flatten())
        elif dropout:
            layers.append(nn.Dropout(step.rate))
    if softmax:
        layers.append(nn.Softmax(-1))
    built: nn.Module = nn.Sequential(*layers).to(DEVICE, memory_format=layout)
    return built


def _with_weights(step: Step, kernel: tuple[int, ...], w: Array, b: Array) -> nn.Module:
    layer: nn.Module
    if step.kind == "conv":
        layer = nn.Conv2d(kernel[2], kernel[3], step.kernel, padding="same")
        weight = torch.from_numpy(w).permute(3, 2, 0, 1)
    else:
        layer = nn.Linear(kernel[0], kernel[1])
        weight = torch.from_numpy(w).T
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(torch.from_numpy(b))
    return layer


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
