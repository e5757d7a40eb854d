"""Graphs of layers and the layers that merge: gradients against torch, and what a model needs."""

import copy

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, check_layer, conv2d, here

import pyconv
from pyconv import layers
from pyconv.layers import Add, Concatenate, Conv2D, Dense, Flatten, Graph, ReLU
from pyconv.layers.graph import blocks, flat

SAME = conv2d(pads=(1, 1, 1, 1))


def conv3(filters, **options):
    return Conv2D(filters, 3, padding="same", **options)


def dense_block(x, k1, b1, k2, b2):
    a = torch.cat([x, torch.relu(SAME(x, k1, b1))], -1)
    return torch.cat([a, torch.relu(SAME(a, k2, b2))], -1)


def crossed(x, k1, b1, k2, b2):
    # Neither a residual nor branches: the second sum takes from both sides.
    a, b = SAME(x, k1, b1), SAME(x, k2, b2)
    return torch.relu(a) * (a + b) - b


def gated(x, k1, b1, k2, b2):
    a = SAME(x, k1, b1)
    scores = torch.sigmoid(conv2d()(a.mean((1, 2), keepdim=True), k2, b2))
    return a * scores


GRAPHS = {
    "a row": (
        lambda: Graph([(conv3(4, activation="relu"), [0]), (conv3(2), [1])]),
        lambda x, k1, b1, k2, b2: SAME(torch.relu(SAME(x, k1, b1)), k2, b2),
    ),
    "dense block": (
        lambda: Graph(
            [
                (conv3(2, activation="relu"), [0]),
                (Concatenate(), [0, 1]),
                (conv3(3, activation="relu"), [2]),
                (Concatenate(), [2, 3]),
            ]
        ),
        dense_block,
    ),
    "crossed": (
        lambda: Graph(
            [
                (conv3(3), [0]),
                (conv3(3), [0]),
                (Add(), [1, 2]),
                (ReLU(), [1]),
                (layers.Multiply(), [4, 3]),
                (layers.Subtract(), [5, 2]),
            ]
        ),
        crossed,
    ),
    "gated": (
        lambda: Graph(
            [
                (conv3(3), [0]),
                (layers.GlobalAveragePooling2D(keepdims=True), [1]),
                (Conv2D(3, 1, activation="sigmoid"), [2]),
                (layers.Multiply(), [1, 3]),
            ]
        ),
        gated,
    ),
    "twice": (lambda: Graph([(Add(), [0, 0])]), lambda x: x + x),
    "writes over dy": (
        lambda: Graph([(layers.LeakyReLU(0.1), [0]), (ReLU(), [0]), (Add(), [0, 1, 2, 0])]),
        lambda x: torch.nn.functional.leaky_relu(x, 0.1) + torch.relu(x) + 2 * x,
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(isa, name):
    pyconv.utils.set_random_seed(0)
    make, function = GRAPHS[name]
    check_layer(make(), batch(2, 7, 5, 3), function)


MERGED = {
    "add": (Add(), lambda *xs: sum(xs)),
    "average": (layers.Average(), lambda *xs: sum(xs) / len(xs)),
    "multiply": (layers.Multiply(), lambda *xs: torch.stack(torch.broadcast_tensors(*xs)).prod(0)),
    "maximum": (layers.Maximum(), lambda *xs: torch.stack(torch.broadcast_tensors(*xs)).amax(0)),
    "minimum": (layers.Minimum(), lambda *xs: torch.stack(torch.broadcast_tensors(*xs)).amin(0)),
    "subtract": (layers.Subtract(), lambda a, b: a - b),
}


@pytest.mark.parametrize("name", MERGED)
@pytest.mark.parametrize("second", [(3, 4, 5), (1, 1, 5), (3, 4, 1)])
def test_merging(name, second):
    layer, function = MERGED[name]
    xs = [batch(2, 3, 4, 5), batch(2, *second, seed=4), batch(2, 3, 4, 5, seed=5)]
    xs = xs[:2] if name == "subtract" else xs
    layer = type(layer)()
    layer.build([(None, *x.shape[1:]) for x in xs])
    y = layer.forward([here(x) for x in xs], True).copy()
    dy = batch(*y.shape, seed=6)
    got = [y, *(dx.copy() for dx in layer.backward(here(dy), True))]
    exact, close = (autograd(function, xs, dy, t) for t in (torch.float64, torch.float32))
    for ours, truth, theirs in zip(got, exact, close, strict=True):
        reference.check(ours, truth, theirs)


def test_equal_numbers_give_the_gradient_to_the_first():
    layer = layers.Maximum()
    x = np.ones((1, 2), np.float32)
    layer([x, x])
    assert [dx.tolist() for dx in layer.backward(x.copy(), True)] == [[[1, 1]], [[0, 0]]]


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2])
def test_concatenate(axis):
    shapes = [[2, 3, 4, 5], [2, 3, 4, 5]]
    shapes[1][axis] = 6
    a, b = batch(*shapes[0]), batch(*shapes[1], seed=4)
    layer = Concatenate(axis)
    assert np.array_equal(layer([a, b]), np.concatenate([a, b], axis))
    dy = batch(*layer([a, b]).shape, seed=5)
    for ours, truth in zip(
        layer.backward(here(dy), True), np.split(dy, [a.shape[axis]], axis), strict=True
    ):
        assert np.array_equal(ours, truth)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: Graph([]), "at least one layer"),
        (lambda: Graph([(ReLU(), [1])]), "a source"),
        (lambda: Graph([(ReLU(), [0]), (ReLU(), [0])]), r"nothing takes the result of nodes\[0\]"),
        (lambda: Graph([(ReLU(), [0, 0])]), "takes one input"),
        (lambda: (lambda r: Graph([(r, [0]), (r, [1])]))(ReLU()), "there twice"),
        (lambda: Graph([(ReLU(name="a"), [0]), (ReLU(name="a"), [1])]), "another name"),
        (lambda: Add()([np.ones((1, 2)), np.ones((1, 3))]), "incompatible shapes"),
        (lambda: Add()([np.ones((1, 2))]), "at least 2"),
        (lambda: layers.Subtract()([np.ones((1, 2))] * 3), "exactly 2"),
        (lambda: Add()(np.ones((1, 2))), "called on a list"),
        (lambda: Concatenate(0), "that of the batch"),
        (lambda: Concatenate()([np.ones((1, 2, 3)), np.ones((1, 3, 3))]), "matching shapes"),
        (lambda: pyconv.Sequential([pyconv.Input((3,)), Add()]), "called on a list"),
    ],
)
def test_wrong_arguments(use, words):
    with pytest.raises((TypeError, ValueError), match=words):
        use()


def nodes():
    return [
        (conv3(4, activation="relu"), (0,)),
        (conv3(4), (1,)),
        (layers.BatchNormalization(), (2,)),
        (Conv2D(4, 1), (1,)),
        (Add(), (3, 4)),
        (ReLU(), (5,)),
        (Flatten(), (6,)),
        (Dense(3, activation="softmax"), (7,)),
    ]


def test_blocks_are_a_graph_only_where_there_are_branches():
    wired = nodes()
    stack = blocks(wired)
    assert [type(layer).__name__ for layer in stack] == [
        "Conv2D", "Graph", "ReLU", "Flatten", "Dense",
    ]  # fmt: skip
    assert flat(stack) == [layer for layer, _ in wired]


def model():
    pyconv.utils.set_random_seed(0)
    made = pyconv.Sequential([pyconv.Input((6, 6, 2)), *blocks(nodes())])
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def test_a_model_of_blocks_trains_and_is_copied():
    x, y = batch(12, 6, 6, 2), np.arange(12) % 3
    one = model()
    whole = pyconv.Sequential([pyconv.Input((6, 6, 2)), Graph(nodes())])
    whole.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    whole.set_weights(one.get_weights())
    history = one.fit(x, y, epochs=3, shuffle=False, verbose=0).history
    other = whole.fit(x, y, epochs=3, shuffle=False, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(other["loss"], history["loss"], rtol=1e-4)
    again = pyconv.Sequential.from_config(one.get_config())
    again.set_weights(one.get_weights())
    assert np.array_equal(again.predict(x, verbose=0), one.predict(x, verbose=0))
    copied = copy.deepcopy(one)
    assert np.array_equal(copied.predict(x, verbose=0), one.predict(x, verbose=0))


def test_frozen_layers_stay():
    frozen = model()
    graph = frozen.layers[1]
    graph.layers[0].trainable = False
    before = frozen.get_weights()
    frozen.fit(batch(6, 6, 6, 2), np.arange(6) % 3, verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, frozen.get_weights(), strict=True)]
    # Of the convolution that is frozen neither; all others.
    assert changed == [True, True, False, False, *[True] * 8]
