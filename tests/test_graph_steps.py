"""Training steps of the CPU as graphs: the same bits as without, and none where numpy computes."""

import threading

import numpy as np
import pytest
from graph_runs import with_and_without

import pyconv
from pyconv import _cpu, backend, callbacks, layers, losses

pytestmark = pytest.mark.skipif(backend.active is not backend.cpu, reason="of the CPU alone")

RNG = np.random.default_rng(5)
X = RNG.random((22, 8, 8, 3), np.float32)
Y = RNG.integers(0, 4, 22)
ONE_HOT = np.eye(4, dtype=np.float32)[Y]


def launched(monkeypatch, run):
    """Return how many steps ``run`` launches; its results are the same bits as without graphs."""
    *results, count = with_and_without(monkeypatch, _cpu, run)
    for ours, theirs in zip(*results, strict=True):
        assert np.array_equal(ours, theirs)
    return count


def network(*inner):
    return pyconv.Sequential(
        [pyconv.Input((8, 8, 3)), *inner, layers.Flatten(), layers.Dense(4, activation="softmax")]
    )


STACKS = {
    "deck": lambda: [
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.3),
        layers.Conv2D(8, 2, activation="relu"),
        layers.Flatten(),
        layers.Dense(300, activation="relu"),  # a kernel that the optimizer multiplies out
        layers.Dropout(0.4),
    ],
    "normalized": lambda: [
        layers.Conv2D(6, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.AveragePooling2D(2),
        layers.BatchNormalization(momentum=0.9, scale=False),
        layers.Activation("relu"),
    ],
    "groups and strides": lambda: [
        layers.Conv2D(6, 3, groups=3, strides=2),
        layers.Dropout(0.2, seed=3),
        layers.Conv2D(5, 1, dilation_rate=1, activation="softmax"),
        layers.Softmax(),
        layers.GlobalAveragePooling2D(keepdims=True),
    ],
    "images changed at random": lambda: [
        layers.RandomFlip(seed=1),
        layers.RandomRotation(0.2, seed=2),
        layers.Conv2D(4, 3),
    ],
}


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", pyconv.optimizers.SGD(clipnorm=0.1)])
@pytest.mark.parametrize("stack", STACKS)
def test_the_same_bits(stack, optimizer, monkeypatch):
    """Of losses, metrics, weights and where dropout is, for both shapes of a batch."""

    def run():
        model = network(*STACKS[stack]())
        model.compile(
            pyconv.optimizers.get(pyconv.optimizers.serialize(pyconv.optimizers.get(optimizer))),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            weighted_metrics=["accuracy"],
        )
        history = model.fit(X, Y, 8, 4, verbose=0, validation_split=0.2).history
        places = [layer.get_state().get("next", 0) for layer in model.layers]
        return [*history.values(), places, *model.get_weights()]

    assert launched(monkeypatch, run) == 4 * 3 - 2


@pytest.mark.parametrize("stream", [False, True])
def test_one_hot_labels(stream, monkeypatch):
    """A stream's arrays are others at each step: its batches are copied."""

    def run():
        model = network(*STACKS["deck"]())
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        batches = [(X[:11], ONE_HOT[:11]), (X[11:], ONE_HOT[11:])]
        given = {"x": batches} if stream else {"x": X, "y": ONE_HOT, "batch_size": 11}
        return [*model.fit(**given, epochs=3, verbose=0).history["loss"], *model.get_weights()]

    assert launched(monkeypatch, run) == 5


class Looks(callbacks.Callback):
    """A callback that asks for everything, and changes things, between steps."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen += [logs["loss"], *[grad.copy() for la in self.model.layers for grad in la.grads]]
        self.seen.append(self.model.predict(X[:3], verbose=0))
        if batch == 1:
            self.model.optimizer.learning_rate = 0.02
            self.model.set_weights([weight * 0.9 for weight in self.model.get_weights()])
        if batch == 2:
            self.seen.append(self.model.evaluate(X, Y, verbose=0))


def test_callbacks_between_steps(monkeypatch):
    def run():
        model = network(*STACKS["deck"]())
        model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
        looks = Looks()
        model.fit(X, Y, 5, 3, verbose=0, callbacks=[looks])
        return [*looks.seen, *model.get_weights()]

    assert launched(monkeypatch, run) > 6


def frozen(model):
    model.layers[0].trainable = False
    model.compile("rmsprop", "sparse_categorical_crossentropy")


def other_momentum(model):
    model.layers[1].momentum = 0.5


def other_weights(model):
    kernel = model.layers[0]._weights["kernel"]
    model.layers[0]._weights["kernel"] = kernel * np.float32(2)


def clipped(model):
    model.compile(pyconv.optimizers.SGD(clipnorm=0.01), "sparse_categorical_crossentropy")


@pytest.mark.parametrize("change", [frozen, other_momentum, other_weights, clipped])
def test_a_change_between_epochs(change, monkeypatch):
    def run():
        model = network(*STACKS["normalized"](), layers.Flatten(), layers.Dense(600))
        model.compile("rmsprop", "sparse_categorical_crossentropy")
        losses = model.fit(X, Y, 11, 3, verbose=0).history["loss"]
        change(model)
        losses += model.fit(X, Y, 11, 3, verbose=0).history["loss"]
        return [*losses, *model.get_weights()]

    assert launched(monkeypatch, run) >= 9


def smoothed():
    model = network(*STACKS["deck"]())
    model.compile("sgd", losses.CategoricalCrossentropy(label_smoothing=0.1))
    return model, ONE_HOT


def squared():
    model = network(*STACKS["deck"]())
    model.compile("sgd", "mse")
    return model, ONE_HOT


def penalized():
    model = network(layers.Conv2D(4, 3, kernel_regularizer="l2"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model, Y


def turned():
    model = network(layers.Conv2D(8, 3), layers.BatchNormalization(axis=1))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model, Y


def bent():
    model = network(layers.Conv2D(4, 3, activation="tanh"), layers.ReLU(max_value=0.5))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model, Y


def scaled():
    model = network(layers.Conv2D(4, 3), layers.Rescaling(0.5), layers.Conv2D(4, 3))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model, Y


def scaled_loss():
    model = network(layers.Conv2D(4, 3))
    model.compile(pyconv.optimizers.SGD(loss_scale_factor=4.0), "sparse_categorical_crossentropy")
    return model, Y


@pytest.mark.parametrize("made", [smoothed, squared, penalized, turned, bent, scaled, scaled_loss])
def test_where_numpy_computes_there_is_no_graph(made, monkeypatch):
    def run():
        model, y = made()
        return [*model.fit(X, y, 11, 3, verbose=0).history["loss"], *model.get_weights()]

    assert launched(monkeypatch, run) == 0


def test_what_a_graph_refuses():
    x, y = np.ones((2, 3), np.float32), np.empty((2, 3), np.float32)
    graph = _cpu.Graph()
    graph.begin([x])
    _cpu.relu_forward(x, y)
    with pytest.raises(RuntimeError, match="another one is being recorded"):
        _cpu.Graph().begin([])
    _cpu.relu_forward(y + 1, y)
    with pytest.raises(RuntimeError, match="relu_forward reads an array that no operation wrote"):
        graph.end()
    graph = _cpu.Graph()
    graph.begin([x])
    _cpu.relu_forward(x[:, ::2])  # of which a copy is read
    with pytest.raises(RuntimeError, match="no operation wrote"):
        graph.end()
    graph = _cpu.Graph()
    graph.begin([x])
    _cpu.median_blur(np.ones((4, 4, 1), np.float32), 3)
    with pytest.raises(RuntimeError, match="median_blur is no part of it"):
        graph.end()
    with pytest.raises(RuntimeError, match="has not been recorded"):
        graph.launch()


def test_nothing_runs_before_the_launch_and_other_threads_are_not_recorded():
    x, y = np.full((2, 3), -1.0, np.float32), np.zeros((2, 3), np.float32)
    graph = _cpu.Graph()
    graph.begin([x])
    _cpu.relu_forward(x, y)
    results = []
    thread = threading.Thread(target=lambda: results.append(_cpu.relu_forward(y + 7)))
    thread.start()
    thread.join()
    graph.end()
    assert np.array_equal(results[0], np.full((2, 3), 7))
    x[...] = 5
    assert not y.any()
    graph.launch()
    assert np.array_equal(y, x)


def test_after_an_error_operations_run_as_ever(monkeypatch):
    """Also while its traceback, and with it the graph, is kept."""
    model = network(*STACKS["deck"]())
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(X, Y)
    layer = model.layers[3]

    def fails(*arguments):
        raise MemoryError("no memory")

    monkeypatch.setattr(layer, "forward", fails)
    with pytest.raises(MemoryError) as kept:
        model.train_on_batch(X, Y)
    assert any(str(entry.path).endswith("/_graph_steps.py") for entry in kept.traceback)
    assert np.array_equal(_cpu.relu_forward(X - 0.5), np.maximum(X - 0.5, 0))


def test_wrong_entries():
    own = {"a": 1}
    assert _cpu.unchanged([(own, "a", own["a"])])
    assert not _cpu.unchanged([(own, "b", None)])
    for wrong in (1, (own, "a"), ([], "a", 1)):
        with pytest.raises(ValueError, match="unchanged: entries must be tuples"):
            _cpu.unchanged([wrong])
    with pytest.raises(TypeError, match="unhashable"):
        _cpu.unchanged([(own, [], 1)])


def test_trainings_one_after_the_other_keep_one_batch():
    """Each has buffers of its own, of which the last one's are kept with the recorded step."""
    model = network(*STACKS["deck"]())
    model.compile("sgd", "sparse_categorical_crossentropy")
    for _ in range(5):
        model.fit(X, Y, 11, 2, verbose=0)
    (step,) = [step for _, step in model._graph_steps._steps.values()]
    assert step is model._graph_steps._last


def test_a_graph_keeps_its_memory():
    x = np.ones(1 << 20, np.float32)
    graph = _cpu.Graph()
    graph.begin([x])
    y = _cpu.relu_forward(_cpu.relu_forward(x))  # the first result is nobody's else
    graph.end()
    del x
    for _ in range(8):
        np.full(1 << 20, 9, np.float32)
    graph.launch()
    assert np.array_equal(y, np.ones(1 << 20))
    with pytest.raises(RuntimeError, match="recorded already"):
        graph.begin([])
