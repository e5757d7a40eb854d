"""One training step of the networks of the course: loss, gradients and update against torch."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import here
from torch.nn import functional

import pyconv
from pyconv import zoo


def cnn(x, masks, weights):
    x = x.permute(0, 3, 1, 2)
    for kernel, bias in zip(weights[0:6:2], weights[1:6:2], strict=True):
        # 'same' for a 2x2 filter: one row below and one column to the right.
        x = functional.conv2d(functional.pad(x, (0, 1, 0, 1)), kernel.permute(3, 2, 0, 1), bias)
        x = functional.max_pool2d(torch.relu(x), 2)
    x = (x.permute(0, 2, 3, 1) * masks[0]).flatten(1)
    x = torch.relu(x @ weights[6] + weights[7]) * masks[1]
    return x @ weights[8] + weights[9]


def mlp(x, masks, weights):
    x = x.flatten(1)
    x = torch.relu(x @ weights[0] + weights[1]) * masks[0]
    x = torch.relu(x @ weights[2] + weights[3]) * masks[1]
    return x @ weights[4] + weights[5]


def loss_and_gradients(network, x, y, masks, weights, dtype):
    tensors = [torch.tensor(w, dtype=dtype, requires_grad=True) for w in weights]
    fixed = torch.tensor(x, dtype=dtype), [torch.tensor(m, dtype=dtype) for m in masks]
    logits = network(*fixed, tensors)
    loss = functional.cross_entropy(logits, torch.tensor(y))
    loss.backward()
    return loss.item(), [t.grad.numpy() for t in tensors]


@pytest.mark.parametrize("labels", ["one-hot", "numbers"])
@pytest.mark.parametrize(("make", "network"), [(zoo.deck_cnn, cnn), (zoo.deck_mlp, mlp)])
def test_one_step(make, network, labels, threads):
    threads(2)
    pyconv.utils.set_random_seed(12)
    model = make()
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 32, 32, 3), np.float32), rng.integers(0, 10, 32)
    before = model.get_weights()
    if labels == "one-hot":
        model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
        loss = model.train_on_batch(x, pyconv.utils.to_categorical(y, 10))[0]
    else:
        model.compile("rmsprop", "sparse_categorical_crossentropy")
        loss = model.train_on_batch(x, y)
    dropouts = [layer for layer in model.layers if isinstance(layer, pyconv.layers.Dropout)]
    # What a Dropout layer does to a gradient of ones is what it did to its input.
    masks = [
        np.asarray(layer.backward(here(np.ones((32, *layer.output_shape[1:]), np.float32)), True))
        for layer in dropouts
    ]
    for mask, layer in zip(masks, dropouts, strict=True):
        assert (mask == 0).mean() == pytest.approx(layer.rate, abs=0.02)
    exact, gradients = loss_and_gradients(network, x, y, masks, before, torch.float64)
    _, approximate = loss_and_gradients(network, x, y, masks, before, torch.float32)
    assert loss == pytest.approx(exact, rel=1e-6)
    ours = [g for layer in model.layers for g in layer.grads]
    for got, truth, theirs in zip(ours, gradients, approximate, strict=True):
        reference.check(got, truth, theirs)
    for got, old, g in zip(model.get_weights(), before, ours, strict=True):
        g = g.astype(np.float64)
        new = old - 0.001 * g / np.sqrt(0.1 * g * g + 1e-7)
        np.testing.assert_allclose(got, new, rtol=1e-6, atol=1e-8)
