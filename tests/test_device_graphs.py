"""Training steps as graphs: the same bits as without, whatever changes between the steps."""

import threading

import numpy as np
import pytest
from device_runs import X, Y, close, deck_like, on_both
from graph_runs import with_and_without

import pyconv
from pyconv import _devices, activations, backend, layers
from pyconv.batches import Batch

device = backend.active
pytestmark = pytest.mark.skipif(not hasattr(device, "Graph"), reason="needs a build with graphs")
of_a_device = pytest.mark.skipif(
    device is backend.cpu, reason="needs --backend cuda or cuda-emulated"
)


@pytest.fixture(autouse=True)
def _device_again():
    yield
    _devices.use(device)
    pyconv.set_float32_precision("highest")


def same(got, wanted):
    for ours, theirs in zip(got, wanted, strict=True):
        assert np.array_equal(ours, theirs)


def test_steps_as_graphs(monkeypatch):
    """The same bits as steps of single launches, for each shape of a batch."""

    def run():
        deck = deck_like().layers
        model = pyconv.Sequential([*deck[:2], layers.BatchNormalization(), *deck[2:]])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(X, Y, 8, 4, verbose=0, validation_split=0.2).history
        model.layers[0].trainable = False
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses = model.fit(X, Y, 8, 4, verbose=0).history["loss"]
        return [*history["loss"], *history["accuracy"], *losses, *model.get_weights()]

    *results, launched = with_and_without(monkeypatch, device, run)
    assert launched > 14
    same(*results)


@of_a_device
def test_losses_and_masks_are_the_cpus(monkeypatch):
    launched = []
    launch = device.Graph.launch
    monkeypatch.setattr(device.Graph, "launch", lambda graph: launched.append(1) or launch(graph))

    def run():
        model = deck_like(0.5)
        model.compile("rmsprop", "sparse_categorical_crossentropy")
        losses = model.fit(X, Y, 11, 6, verbose=0).history["loss"]
        places = [layer.get_state().get("next", 0) for layer in model.layers]
        return [*losses, places, *model.get_weights()]

    close(on_both(run))
    assert len(launched) == 2 * 6 - 1


@of_a_device
@pytest.mark.parametrize("stream", [False, True])
def test_images_are_changed_before_the_graph(stream, monkeypatch):
    """By layers on the host: the losses are the CPU's, whoever takes the images through them."""
    launched = []
    launch = device.Graph.launch
    monkeypatch.setattr(device.Graph, "launch", lambda graph: launched.append(1) or launch(graph))

    def run():
        model = pyconv.Sequential(
            [
                layers.RandomFlip(seed=1),
                layers.RandomRotation(0.2, seed=2),
                *deck_like(0.5).layers,
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        batches = ((X[i : i + 11], Y[i : i + 11]) for i in [0, 11] * 4)
        given = (batches,) if stream else (X, Y, 11)
        losses = [model.fit(*given, epochs=1, steps_per_epoch=2, verbose=0) for _ in range(4)]
        return [*(loss.history["loss"][0] for loss in losses), *model.get_weights()]

    close(on_both(run))
    assert len(launched) == 2 * 4 - 1


def test_a_functional_model_is_recorded(monkeypatch):
    def run():
        from pyconv.compat import keras

        x = keras.Input((8, 8, 3))
        y = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.RandomFlip(seed=1)(x))
        y = keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(y))
        model = keras.Model(x, y)
        model.compile("sgd", "sparse_categorical_crossentropy")
        return [*model.fit(X, Y, 11, 3, verbose=0).history["loss"], *model.get_weights()]

    *results, launched = with_and_without(monkeypatch, device, run)
    assert launched == 2 * 3 - 1
    same(*results)


def more_dropout(model):
    model.get_layer(index=1).rate = 0.7


def another_place(model):
    model.get_layer(index=1).set_state({"stream": 9, "next": 2**64 - 100})


def another_activation(model):
    model.get_layer(index=0).activation = activations.tanh


def another_layer(model):
    top = model.pop()
    model.pop()
    model.add(layers.Activation("tanh"))
    model.add(top)


def less_precision(model):
    pyconv.set_float32_precision("high")


def on_the_cpu_and_back(model):
    with pyconv.device("cpu"):
        model.train_on_batch(X[:8], Y[:8])


def larger_batch(model):
    model.train_on_batch(X, Y)


@pytest.mark.parametrize(
    "change",
    [more_dropout, another_place, another_activation, another_layer, less_precision,
     on_the_cpu_and_back, larger_batch],
)  # fmt: skip
def test_a_change_between_steps(change, monkeypatch):
    def run():
        model = pyconv.Sequential(
            [
                pyconv.Input((8, 8, 3)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.Dropout(0.25),
                layers.Conv2D(8, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(4),
                layers.ReLU(),
                layers.Dense(4, activation="softmax"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses = [model.fit(X[:16], Y[:16], 8, verbose=0).history["loss"][0] for _ in range(3)]
        change(model)
        losses += [model.fit(X[:16], Y[:16], 8, verbose=0).history["loss"][0] for _ in range(3)]
        return [*losses, *model.get_weights()]

    *results, launched = with_and_without(monkeypatch, device, run)
    # On the CPU tanh is numpy's.
    assert launched >= (3 if device is backend.cpu else 5)
    same(*results)


@of_a_device
def test_a_whole_step_can_be_captured(monkeypatch):
    """Dropout and the optimizer too: the graph repeats the numbers that it was recorded with."""
    model = deck_like()
    model.compile("sgd", "sparse_categorical_crossentropy")
    batch = Batch(device.asarray(X), Y, None)
    model._ensure_built(X.shape[1:])
    model.objective.resolve(Y, (22, 4))
    monkeypatch.setattr(model, "_run_graph", lambda batch, logits: None)
    model._train_step(batch)
    weights, states = model.get_weights(), [layer.get_state() for layer in model.layers]
    graph, measures = device.Graph(), model.objective.measures
    measures.stage(Y, 2)
    graph.begin()
    with measures.recording():
        model._train_step(batch)
    graph.end()
    assert all(map(np.array_equal, weights, model.get_weights()))  # nothing was run yet
    graph.launch()
    launched = model.get_weights()
    model.set_weights(weights)
    for layer, state in zip(model.layers, states, strict=True):
        layer.set_state(state)
    model._train_step(batch)
    assert all(map(np.array_equal, launched, model.get_weights()))


@of_a_device
def test_what_cannot_be_captured():
    a, graph = device.asarray(X), device.Graph()
    graph.begin()
    with pytest.raises(RuntimeError, match="copies from the host cannot be captured"):
        a.take(X)
    graph.abandon()
    graph = device.Graph()
    graph.begin()
    with pytest.raises(RuntimeError, match="StreamCaptureUnsupported"):
        a.numpy()
    with pytest.raises(RuntimeError, match="captured already"):
        device.Graph().begin()
    with pytest.raises(RuntimeError, match="StreamCaptureInvalidated"):
        graph.end()
    assert np.array_equal(device.relu_forward(a), np.maximum(X, 0))
    with pytest.raises(RuntimeError, match="not recorded"):
        graph.launch()


@of_a_device
def test_other_threads_are_not_captured():
    """Nor do they get memory that the graph works with."""
    x = X - np.float32(0.5)
    a, out = device.asarray(x), device.zeros(X.shape)
    graph = device.Graph()
    graph.begin()
    device.relu_backward(device.relu_forward(a), a, out)  # the first result's memory is free again
    results = []

    def work():
        results.extend(device.dropout(a, 0.5, seed) for seed in range(4))
        results.append(results[0].numpy())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    graph.end()
    graph.launch()
    *others, first = results
    for seed, got in enumerate(others):
        assert np.array_equal(got, backend.cpu.dropout(x, 0.5, seed))
    assert np.array_equal(first, backend.cpu.dropout(x, 0.5, 0))
    assert np.array_equal(out, x * (x > 0))


@of_a_device
def test_a_graph_may_go_while_another_is_recorded():
    a = device.asarray(X)
    graphs = [device.Graph(), device.Graph()]
    graphs[0].begin()
    device.relu_forward(a)
    graphs[0].end()
    graphs[0].launch()
    graphs[1].begin()
    y = device.relu_forward(a)
    del graphs[0]
    graphs[0].end()
    graphs[0].launch()
    assert np.array_equal(y, np.maximum(X, 0))
