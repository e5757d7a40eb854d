"""Random networks with layers that hold layers: results and all gradients against torch in float64.

``PYCONV_RANDOM_SEED`` and ``PYCONV_RANDOM_CASES`` draw others and more.
"""

import os

import numpy as np
import pytest
import torch
import torch_layers
from layer_reference import batch, here
from random_cases import upto
from random_networks import stack

import pyconv
from pyconv.layers import Branches, Dense, GlobalAveragePooling2D, Input

SEED = int(os.environ.get("PYCONV_RANDOM_SEED", 0))
CASES = int(os.environ.get("PYCONV_RANDOM_CASES", 60))
EPS = float(np.finfo(np.float32).eps)


def torch_passes(layers, x, weights, dy, training, dtype):
    """Return result, gradient of x, and those of the weights; zeros where there is none."""
    tensors = [torch.tensor(w, dtype=dtype, requires_grad=True) for w in weights]
    given = torch.tensor(x, dtype=dtype, requires_grad=True)
    y = torch_layers.output(layers, given, iter(tensors), training)
    y.backward(torch.tensor(dy, dtype=dtype))
    grads = [t.grad.numpy() if t.grad is not None else None for t in (given, *tensors)]
    return [y.detach().numpy(), *grads]


def wrong(ours, exact, single):
    """Return the places of arrays that are further from the truth than rounding explains.

    What is 0 in truth, as the gradient of a bias before a normalization is, is a sum of rounding
    errors: it is held against the largest number of all arrays.
    """
    largest = max(np.abs(t).max(initial=0) for t in exact)
    found = []
    for i, (got, truth, theirs) in enumerate(zip(ours, exact, single, strict=True)):
        assert got.shape == truth.shape
        size = np.abs(truth).max(initial=0)
        limit = 4 * np.abs(theirs - truth).max(initial=0) + EPS * (16 * size + 4 * largest)
        if size < 1e-12 * largest:
            limit = 1e-4 * largest
        if not np.abs(got - truth).max(initial=0) <= limit:
            found.append(i)
    return found


def case(seed, whole):
    """Return a network, the shape of its images and how many."""
    rng = np.random.default_rng(seed)
    pyconv.utils.set_random_seed(seed)
    shape = (upto(rng, 13), upto(rng, 13), upto(rng, 4))
    layers, _ = stack(rng, shape, 2, upto(rng, 5))
    n = (1, 1, 2, 3, 5)[upto(rng, 4, 0)]
    if whole:
        layers += [GlobalAveragePooling2D(), Dense(3, activation="softmax")]
        return pyconv.Sequential([Input(shape), *layers]), shape, n
    held = Branches([layers], "add")
    held.build((None, *shape))
    return held, shape, n


def weights_of(network, seed):
    """Give the network weights that all matter, and return them."""
    rng = np.random.default_rng(seed)
    weights = [
        w + 0.2 * rng.random(w.shape, np.float32) if w.ndim == 1 else w
        for w in network.get_weights()
    ]
    network.set_weights(weights)
    return weights


def compared(seed, whole, training, values):
    """Run both; return what is wrong, by the names of arrays."""
    network, shape, n = case(seed, whole)
    weights = weights_of(network, seed)
    x = batch(n, *shape, seed=values)
    named = [name for layer in network.layers for name in layer.named_weights]
    if whole:
        y = np.array(network._forward(here(x), training, logits=True))
    else:
        y = np.array(network.forward(here(x), training))
    dy = batch(*y.shape, seed=values + 1)
    if whole:
        network._backward(here(dy))
        ours = [y, None, *map(np.array, network._grads())]
    else:
        dx = network.backward(here(dy), True)
        ours = [y, np.array(dx), *map(np.array, network.grads)]
    exact, single = (
        torch_passes(network.layers, x, weights, dy, training, dtype)
        for dtype in (torch.float64, torch.float32)
    )
    moving = [name.rpartition("/")[2].startswith("moving") for name in named]
    keep = [0, *([] if whole else [1]), *(i + 2 for i, m in enumerate(moving) if not m)]
    grads = iter(ours[2:])
    full = [*ours[:2], *(None if m else next(grads) for m in moving)]
    names = ["y", "dx", *named]
    triples = [(full[i], exact[i], single[i]) for i in keep]
    return [names[keep[i]] for i in wrong(*zip(*triples, strict=True))]


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
@pytest.mark.parametrize("whole", [False, True], ids=["layer", "model"])
def test_gradients(seed, whole):
    # As in test_zoo_gradients: a ReLU or a maximum within rounding of its edge may fall to the
    # other side; one of a few batches is without such.
    for training in (True, False):
        found = [compared(seed, whole, training, values) for values in (3,)]
        for values in (5, 7, 9):
            if not found[-1]:
                break
            found.append(compared(seed, whole, training, values))
        assert not found[-1], found
