"""The product of two inputs along an axis of each, against torch in float64."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import here

import pyconv
from pyconv.layers import Dot

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(
    ("axes", "shapes", "formula", "shape"),
    [
        (1, [(3, 4), (3, 4)], "nk,nk->n", (3, 1)),
        (-1, [(2, 4, 5), (2, 3, 5)], "nak,nbk->nab", (2, 4, 3)),
        ((1, 2), [(2, 5, 4), (2, 3, 5)], "nka,nbk->nab", (2, 4, 3)),
        ((-2, -1), [(2, 3, 2), (2, 4, 2, 3)], "nka,nbck->nabc", (2, 2, 4, 2)),
    ],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_against_torch(axes, shapes, formula, shape, normalize):
    xs = [RNG.standard_normal(s, np.float32) for s in shapes]
    layer = Dot(axes, normalize)
    assert layer.compute_output_shape([(None, *s[1:]) for s in shapes]) == (None, *shape[1:])
    dy = RNG.standard_normal(shape, np.float32)
    both = axes if isinstance(axes, tuple) else (axes, axes)

    def run(kind):
        tensors = [torch.tensor(x, dtype=kind, requires_grad=True) for x in xs]
        used = tensors
        if normalize:
            used = [
                t / torch.linalg.vector_norm(t, dim=axis, keepdim=True)
                for t, axis in zip(tensors, both, strict=True)
            ]
        y = torch.einsum(formula, *used).reshape(shape)
        y.backward(torch.tensor(dy, dtype=kind))
        return [y.detach().numpy(), *(t.grad.numpy() for t in tensors)]

    y = layer.forward([here(x) for x in xs], True)
    ours = [y, *layer.backward(here(dy), True)]
    for one, exact, single in zip(ours, run(torch.float64), run(torch.float32), strict=True):
        reference.check(np.asarray(one), exact, single)
    assert Dot.from_config(layer.get_config()).get_config() == layer.get_config()


def test_lengths_of_zero():
    layer = Dot(1, normalize=True)
    zero, one = np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)
    assert layer([zero, one])[0, 0] == 0
    assert all(np.isfinite(g).all() for g in layer.backward(here(np.ones((1, 1), "f4")), True))


def test_in_a_model():
    graph = pyconv.layers.Graph(
        [(pyconv.layers.Dense(3), [0]), (pyconv.layers.Dense(3), [0]), (Dot(-1), [1, 2])]
    )
    model = pyconv.Sequential([pyconv.Input((4,)), graph])
    model.compile("adam", "mse")
    x = RNG.standard_normal((16, 4), np.float32)
    history = model.fit(x, x[:, :1], epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("axes", "shapes", "error", "text"),
    [
        ("1", [], TypeError, "Invalid type for argument `axes`"),
        ((1, 2, 3), [], ValueError, "it should contain two elements"),
        ((1, 2.0), [], ValueError, "list elements should be integers"),
        (0, [(2, 3), (2, 3)], ValueError, "beside the batch"),
        (3, [(2, 3), (2, 3)], ValueError, "beside the batch"),
        (1, [(2, 3), (2, 4)], ValueError, "axis values 3 .at axis 1. != 4"),
        (1, [(2, 3)], ValueError, "exactly 2 inputs"),
    ],
)
def test_wrong_arguments(axes, shapes, error, text):
    with pytest.raises(error, match=text):
        Dot(axes).build(shapes)
