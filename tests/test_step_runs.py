"""Runs of training steps: the same bits as one by one, and none where Python must see each."""

import signal

import numpy as np
import pytest

import pyconv
from pyconv import _cpu, _step_runs, backend, callbacks, layers, optimizers
from pyconv.preprocessing.image import ImageDataGenerator

pytestmark = pytest.mark.skipif(backend.active is not backend.cpu, reason="of the CPU alone")

RNG = np.random.default_rng(6)
X = RNG.integers(0, 256, (50, 8, 8, 3)).astype(np.uint8)
Y = RNG.integers(0, 4, 50)
ONE_HOT = np.eye(4, dtype=np.float32)[Y]


def network(*first):
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 3)),
            *first,
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1300, activation="relu"),  # a kernel that the optimizer multiplies out
            layers.Dropout(0.4),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Trained:
    """What is left of a training: losses and metrics, weights, and where random streams are."""

    def __init__(self, model, **arguments):
        self.model = model
        history = model.fit(verbose=0, **arguments)
        self.numbers = history.history
        state = model.optimizer.state_dict()
        streams = [layer.get_state().get("next", 0) for layer in model.layers]
        self.arrays = [*model.get_weights(), *state.values(), np.array(streams)]


def count_runs(patch, lengths):
    """Note how many steps each run makes."""
    make = _step_runs.StepRuns.make

    def counted(runs):
        run = make(runs)
        lengths.append(run.steps)
        return run

    patch.setattr(_step_runs.StepRuns, "make", counted)


def in_runs(monkeypatch, train):
    """Return how many steps of ``train`` are made in runs; all is as without any."""
    made = []
    results = []
    for graphs in (True, False):
        pyconv.utils.set_random_seed(3)
        with monkeypatch.context() as patch:
            if graphs:
                count_runs(patch, made)
                patch.setattr(_step_runs, "_SECONDS", 5.0)  # whatever the machine is at
            else:
                patch.delattr(_cpu, "Graph")
            results.append(train())
    ours, theirs = results
    assert ours.numbers == theirs.numbers
    for a, b in zip(ours.arrays, theirs.arrays, strict=True):
        assert np.array_equal(a, b)
    return sum(made)


OPTIMIZERS = {
    "rmsprop": lambda: "rmsprop",
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 7, 0.8)),
    "adamw": lambda: optimizers.AdamW(amsgrad=True),
    "sgd": lambda: optimizers.SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.01),
}


@pytest.mark.parametrize("labels", [Y, ONE_HOT, ONE_HOT.astype(np.uint8)], ids=["y", "1", "uint8"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_bits(optimizer, labels, monkeypatch):
    """Of each epoch all but the first step's batches, and the smaller last one, are in runs."""

    def train():
        model = network()
        loss = "sparse_" * (labels.ndim == 1) + "categorical_crossentropy"
        model.compile(OPTIMIZERS[optimizer](), loss, metrics=["accuracy"], weighted_metrics=["acc"])
        return Trained(model, x=X, y=labels, batch_size=4, epochs=3, validation_split=0.1)

    assert in_runs(monkeypatch, train) >= 3 * 11 - 4


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": False},
        {"shuffle": "batch"},
        {"steps_per_epoch": 9},  # passes and epochs end at different steps
        {"batch_size": 5, "steps_per_epoch": 7},
    ],
    ids=str,
)
def test_orders_of_batches(options, monkeypatch):
    def train():
        return Trained(network(), x=X, y=Y, epochs=4, **{"batch_size": 4, **options})

    assert in_runs(monkeypatch, train) > 20


@pytest.mark.parametrize(
    "first",
    [
        lambda: [layers.RandomFlip(seed=1)],
        lambda: [layers.RandomCrop(8, 8, seed=3), layers.RandomRotation(0.1, seed=2)],
        lambda: [layers.RandomTranslation(0.2, 0.2), layers.RandomErasing(seed=4)],
    ],
    ids=["flip", "crop and rotation", "translation and erasing"],
)
def test_images_changed_at_random(first, monkeypatch):
    def train():
        return Trained(network(*first()), x=X, y=Y, batch_size=4, epochs=3)

    assert in_runs(monkeypatch, train) > 20


@pytest.mark.parametrize(
    "options",
    [
        {"width_shift_range": 0.2, "horizontal_flip": True, "rescale": 1 / 255},
        {"rotation_range": 20, "brightness_range": (0.5, 1.5)},
    ],
    ids=str,
)
def test_flows_of_a_generator(options, monkeypatch):
    def train():
        flow = ImageDataGenerator(**options).flow(X, Y, batch_size=4, seed=5)
        return Trained(network(), x=flow, epochs=3)

    assert in_runs(monkeypatch, train) > 20


class ShiftsColours(callbacks.Callback):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def on_epoch_end(self, epoch, logs=None):
        self.generator.channel_shift_range = 9.0


def test_a_generator_that_changes_between_epochs(monkeypatch):
    """What numpy does to images is done in steps one by one."""

    def train():
        generator = ImageDataGenerator(horizontal_flip=True)
        flow = generator.flow(X, Y, batch_size=4, seed=5)
        return Trained(network(), x=flow, epochs=2, callbacks=[ShiftsColours(generator)])

    assert 0 < in_runs(monkeypatch, train) < 13  # of the first epoch alone


class EveryBatch(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.optimizer.learning_rate *= 0.9


def constrained():
    model = network(layers.Conv2D(3, 1, kernel_constraint="unit_norm"))
    return Trained(model, x=X, y=Y, batch_size=4)


def clipped():
    model = network()
    model.compile(optimizers.SGD(clipnorm=0.1), "sparse_categorical_crossentropy")
    return Trained(model, x=X, y=Y, batch_size=4)


def of_a_function():
    model, rates = network(), iter(range(1, 99))
    model.compile(optimizers.SGD(lambda: 0.1 / next(rates)), "sparse_categorical_crossentropy")
    return Trained(model, x=X, y=Y, batch_size=4)


def of_columns():
    return Trained(network(), x=X.transpose(0, 2, 1, 3), y=Y, batch_size=4)


def shifted():
    flow = ImageDataGenerator(channel_shift_range=9.0).flow(X, Y, batch_size=4, seed=5)
    return Trained(network(), x=flow)


def watched():
    return Trained(network(), x=X, y=Y, batch_size=4, callbacks=[EveryBatch()])


@pytest.mark.parametrize(
    "train", [constrained, clipped, of_a_function, of_columns, shifted, watched]
)
def test_what_is_made_one_by_one(train, monkeypatch):
    assert in_runs(monkeypatch, train) == 0


class EachEpoch(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.model.optimizer.learning_rate = 0.05
        elif epoch == 1:
            self.model.set_weights([weight * 0.9 for weight in self.model.get_weights()])
        elif epoch == 2:
            self.model.layers[3].rate = 0.1
        elif epoch == 3:
            state = self.model.optimizer.state_dict()
            self.model.optimizer.load_state_dict({k: v * 2 for k, v in state.items()})
        elif epoch == 4:
            self.model.optimizer.rho = 0.5
        elif epoch == 6:
            self.model.stop_training = True


def test_changes_between_epochs(monkeypatch):
    def train():
        return Trained(network(), x=X, y=Y, batch_size=4, epochs=9, callbacks=[EachEpoch()])

    assert in_runs(monkeypatch, train) > 7 * 9


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_within_a_run(error, monkeypatch):
    """The steps before it are made, and nothing of the one that it ends."""
    monkeypatch.setattr(_step_runs, "_SECONDS", 5.0)

    def trained(last):
        pyconv.utils.set_random_seed(3)
        model = network()
        record, steps = pyconv._graph_steps._Step.launch_within, []

        def launch_within(step, *arguments):
            if len(steps) == last:
                raise error
            steps.append(1)
            record(step, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(pyconv._graph_steps._Step, "launch_within", launch_within)
            with pytest.raises(error):
                model.fit(X, Y, batch_size=2, verbose=0)
        assert model.optimizer.iterations == 2 + last
        assert model.objective._loss_count == 2 * (2 + last)
        return model

    model = trained(6)
    pyconv.utils.set_random_seed(3)
    wanted = network()
    with monkeypatch.context() as patch:
        patch.delattr(_cpu, "Graph")
        wanted.fit(X, Y, batch_size=2, steps_per_epoch=8, verbose=0)
    for ours, theirs in zip(model.get_weights(), wanted.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(_cpu.relu_forward(X[0] - np.float32(9)), np.maximum(X[0] - 9.0, 0))


def test_an_interrupt_waits_for_the_end_of_a_run(monkeypatch):
    counts = []
    launch = _cpu.Graph.launch

    def interrupted(graph):
        launch(graph)
        if counts and counts[-1] == "run":
            counts.append(int(model.optimizer.iterations))
            signal.raise_signal(signal.SIGINT)

    def recorded(runs, step):
        counts.append("run")
        monkeypatch.setattr(_step_runs.StepRuns, "_recorded", record)
        return record(runs, step)

    record = _step_runs.StepRuns._recorded
    model = network()
    model.fit(X, Y, batch_size=2, verbose=0)
    monkeypatch.setattr(_cpu.Graph, "launch", interrupted)
    monkeypatch.setattr(_step_runs.StepRuns, "_recorded", recorded)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=2, verbose=0)
    assert model.objective._loss_count == 2 * (model.optimizer.iterations - 25)


def test_runs_take_a_given_time(monkeypatch):
    """Short steps are many a run, and long ones are made one by one."""
    lengths = []
    count_runs(monkeypatch, lengths)
    monkeypatch.setattr(_step_runs, "_SECONDS", 5.0)
    model = network()
    model.fit(X, Y, batch_size=1, epochs=3, verbose=0)
    assert max(lengths) > 2
    monkeypatch.setattr(_step_runs, "_SECONDS", 0.0)
    lengths.clear()
    model.fit(X, Y, batch_size=1, epochs=3, verbose=0)
    assert max(lengths) == 1
    assert sum(lengths) == 3


def test_a_progress_bar_counts_the_steps_of_runs(capsys):
    network().fit(X, Y, batch_size=2, epochs=3, verbose=1)
    assert capsys.readouterr().out.count("25/25") == 3


def test_labels_are_gathered_as_numpy_does():
    labels = RNG.integers(-5, 5, (9, 3))
    rows = RNG.integers(0, 9, 6)
    out = np.empty((6, 3), np.int64)
    assert np.array_equal(_cpu.gather_labels(labels, rows, out), labels[rows])
    for wrong in (np.array([9]), np.array([-1])):
        with pytest.raises(ValueError, match="gather_labels: indices"):
            _cpu.gather_labels(labels, wrong, out[:1])
    with pytest.raises(ValueError, match=r"into must be a C-contiguous array of shape \(6, 3\)"):
        _cpu.gather_labels(labels, rows, out[:5])
    with pytest.raises(ValueError, match="labels must be a C-contiguous"):
        _cpu.gather_labels(labels[:, ::2], rows, out)


def test_a_graph_within_a_graph_and_what_is_left_out():
    x, y, z = np.ones(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    inner, outer = _cpu.Graph(), _cpu.Graph()
    inner.begin([x, y])
    _cpu.moving_average(y, x, 0.5)
    inner.end()
    outer.begin()
    for _ in range(3):
        inner.launch()
        outer.mark()
    _cpu.copied(x, z)
    outer.cut()
    assert not y.any()
    outer.launch()
    assert y.tolist() == [0.875] * 3
    assert not z.any()
