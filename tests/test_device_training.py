"""Models on a device: the CPU's losses, weights that stay there, files from either side."""

import copy

import numpy as np
import pytest
from device_runs import ONE_HOT, X, Y, close, deck_like, on_both

import pyconv
from pyconv import _devices, backend, callbacks, layers, losses, models, optimizers, zoo
from pyconv.bench import peers, reference
from pyconv.bench.cases import Conv, Dense, MaxPool, Relu
from pyconv.bench.measure import relative_error

pytestmark = pytest.mark.skipif(
    backend.active is backend.cpu, reason="needs --backend cuda or cuda-emulated"
)
device = backend.active


@pytest.fixture(autouse=True)
def _device_again():
    yield
    _devices.use(device)


def other_layers():
    """Layers that are not in the course's networks."""
    return pyconv.Sequential(
        [
            layers.Rescaling(2.0, [-1.0, 0.5, 0.0]),
            layers.ZeroPadding2D(((1, 0), (0, 2))),
            layers.Conv2D(4, 3, strides=2, activation="tanh"),
            layers.ReLU(max_value=0.4, negative_slope=0.1, threshold=0.05),
            layers.AveragePooling2D(2, padding="same"),
            layers.Softmax(axis=1),
            layers.Activation("sigmoid"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
            layers.ReLU(),
            layers.Softmax(),
        ]
    )


@pytest.mark.parametrize("network", [deck_like, other_layers])
@pytest.mark.parametrize("labels", [Y, ONE_HOT], ids=["numbers", "one-hot"])
def test_a_short_training(network, labels):
    def run():
        model = network()
        loss = "sparse_categorical_crossentropy" if labels is Y else "categorical_crossentropy"
        model.compile("rmsprop", loss, metrics=["accuracy"])
        fitted = model.fit(X, labels, 5, 3, verbose=0, validation_split=0.2).history
        return [*fitted["loss"], *fitted["val_loss"], *model.get_weights(), model.predict(X)]

    close(on_both(run))


def test_a_short_training_of_the_courses_network():
    rng = np.random.default_rng(2)
    images, labels = rng.random((64, 32, 32, 3), np.float32), rng.integers(0, 10, 64)

    def run():
        pyconv.utils.set_random_seed(1)
        model = zoo.deck_cnn()
        model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model.fit(images, labels, 32, 2, verbose=0).history["loss"]

    close(on_both(run))


def test_a_step_and_its_gradients():
    def run():
        model = deck_like()
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return [*model.train_on_batch(X, Y), *(np.asarray(g) for g in model._grads())]

    close(on_both(run), 1e-6)


def augmented(*more):
    return pyconv.Sequential(
        [
            layers.RandomFlip(seed=1),
            layers.RandomTranslation(0.2, 0.2, seed=2),
            layers.RandomCrop(7, 6, seed=3, per_image=True),
            *more,
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("shuffle", [True, False])
def test_images_are_augmented_on_the_host_and_copied_once(shuffle, monkeypatch):
    """Each batch of training, and none comes back."""
    moved = []
    array = device.Array
    for owner, name in (
        (device, "asarray"), (array, "take"), (array, "numpy"), (array, "__array__"),
    ):  # fmt: skip
        method = getattr(owner, name)

        def counted(x, *given, method=method, name=name, **options):
            if x.shape[1:] == (7, 6, 3) and not (name == "asarray" and isinstance(x, device.Array)):
                moved.append(name)
            return method(x, *given, **options)

        monkeypatch.setattr(owner, name, counted)

    def run():
        model = augmented()
        model.compile("rmsprop", "sparse_categorical_crossentropy")
        fitted = model.fit(X, Y, 8, 2, shuffle=shuffle, verbose=0, validation_split=0.2).history
        copies, moved[:] = list(moved), []
        if backend.active is device:
            # Each of the three batches to the buffer that graphs read, that of validation anew.
            assert copies == 2 * (3 * ["take"] + ["asarray"])
        losses = [model.train_on_batch(X, Y), *fitted["loss"], *fitted["val_loss"]]
        return [*losses, *model.get_weights(), model.predict(X, verbose=0), model(X)]

    close(on_both(run))


def test_augmentation_behind_a_layer_on_the_device():
    def run():
        model = augmented(layers.Rescaling(2.0), layers.RandomBrightness(0.3, (0, 2), seed=4))
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses = model.fit(X, Y, 8, 2, verbose=0).history["loss"]
        return [*losses, *model.get_weights(), model.predict(X, verbose=0), model(X, training=True)]

    close(on_both(run))


def test_masks_of_dropout_are_the_cpus():
    def run():
        layer = layers.Dropout(0.4, seed=5)
        return [layer(X, training=True) for _ in range(3)]

    ours, theirs = on_both(run)
    assert [y.tobytes() for y in ours] == [y.tobytes() for y in theirs]


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(0.05, 0.9, True, weight_decay=0.01),
        optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        optimizers.Adam(0.01, amsgrad=True),
        optimizers.AdamW(0.01),
        optimizers.Adam(0.01, clipnorm=0.1),
        optimizers.Adam(0.01, clipvalue=0.001),
        optimizers.SGD(0.1, global_clipnorm=0.2),
        optimizers.Nadam(0.01),
        optimizers.Adagrad(0.05),
        optimizers.Adadelta(0.5),
        optimizers.Adamax(0.01),
        optimizers.Adafactor(0.01),
        optimizers.Lion(0.001),
        optimizers.Lamb(0.01),
        optimizers.Ftrl(0.05),
        optimizers.SGD(0.05, use_ema=True, ema_overwrite_frequency=2),
        optimizers.SGD(0.05, gradient_accumulation_steps=2),
    ],
    ids=lambda o: o.name,
)
def test_optimizers(optimizer):
    def run():
        model = pyconv.Sequential(
            [pyconv.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(3)]
        )
        model.compile(copy.deepcopy(optimizer), "mse")
        x, y = (np.random.default_rng(1).standard_normal((12, n), np.float32) for n in (6, 3))
        model.fit(x, y, 4, 2, verbose=0)
        kept = [v for k, v in sorted(model.optimizer.state_dict().items()) if k != "iterations"]
        return [*model.get_weights(), *kept]

    close(on_both(run))


def test_arrays_of_numpy_are_updated_in_place():
    def run():
        w = np.array([1, 2, 3], np.float32)
        adam = optimizers.Adam(0.5)
        adam.apply([np.array([1, -1, 2], np.float32)], [w])
        adam.apply([np.array([1.0, -1, 2])], [w])
        return [w]

    close(on_both(run), 1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        losses.MeanSquaredError(),
        losses.MeanAbsoluteError(),
        losses.BinaryCrossentropy(from_logits=True),
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        losses.CategoricalCrossentropy(reduction="sum"),
    ],
    ids=lambda o: o.name,
)
def test_losses_and_metrics(loss):
    def run():
        model = pyconv.Sequential(
            [pyconv.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4, activation="sigmoid")]
        )
        model.compile(
            "sgd", loss, metrics=["accuracy", "mae", worst], weighted_metrics=["accuracy"]
        )
        weight = np.linspace(0.5, 2, 22)
        history = model.fit(X, ONE_HOT, 8, 2, verbose=0, sample_weight=weight).history
        return [*(v for values in history.values() for v in values), *model.evaluate(
            X, ONE_HOT, 8, verbose=0, sample_weight=weight)]  # fmt: skip

    close(on_both(run), 1e-5)


@pytest.mark.parametrize("labels", [Y, Y[:, None], Y.astype(np.uint8), ONE_HOT.astype(np.int64)])
def test_labels_of_any_type(labels):
    def run():
        model = deck_like()
        sparse = "" if labels.shape == ONE_HOT.shape else "sparse_"
        model.compile("rmsprop", f"{sparse}categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(X, labels, 8, 3, verbose=0, validation_split=0.2).history
        return [v for values in history.values() for v in values]

    close(on_both(run))


@pytest.mark.parametrize("ignored", [-1, 2])
def test_classes_that_a_loss_ignores(ignored):
    labels = np.where(np.arange(22) % 3 == 0, ignored, Y)

    def run():
        model = deck_like()
        loss = losses.SparseCategoricalCrossentropy(ignore_class=ignored)
        model.compile("sgd", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
        weight = np.linspace(0.5, 2, 22)
        history = model.fit(X, labels, 8, 2, verbose=0, sample_weight=weight).history
        return [v for values in history.values() for v in values]

    close(on_both(run))


def worst(y_true, y_pred):
    return np.abs(y_true - y_pred).max(axis=-1)


class Halve(layers.Layer):
    """A layer of the user's own, in numpy."""

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training):
        self._mask = x > 0
        return np.where(self._mask, x / 2, -x)

    def backward(self, dy, need_dx):
        return np.where(self._mask, dy / 2, -dy) if need_dx else None


def test_layers_and_losses_of_the_users_own():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return np.abs(y_pred - y_true).mean(axis=-1) ** 3

        def call_with_gradient(self, y_true, y_pred, row_scale, out=None):
            d = y_pred - y_true
            mean = np.abs(d).mean(axis=-1)
            return mean**3, (3 * mean**2 * row_scale)[..., None] * np.sign(d) / d.shape[-1]

    def run():
        model = pyconv.Sequential(
            [pyconv.Input((8, 8, 3)), layers.Conv2D(4, 3), Halve(), layers.Flatten(),
             layers.Dense(4)]
        )  # fmt: skip
        model.compile("sgd", Cubic())
        return model.fit(X, ONE_HOT, 8, 2, verbose=0).history["loss"]

    close(on_both(run), 1e-5)


def test_everything_stays_on_the_device():
    model = deck_like()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, 8, verbose=0)
    assert all(isinstance(w, device.Array) for w in model.weights)
    assert all(isinstance(g, device.Array) for g in model._grads())
    for arrays in model.optimizer._slots.values():
        assert all(isinstance(a, device.Array) for a in arrays)
    assert isinstance(model._steps()[0]._x, device.Array)
    assert isinstance(model.predict(X), np.ndarray)
    assert isinstance(model(X), np.ndarray)
    assert all(isinstance(w, np.ndarray) for w in model.get_weights())


@pytest.mark.parametrize("graphs", [True, False])
def test_no_memory_is_asked_of_cuda_once_each_shape_was_seen(graphs, monkeypatch):
    """And as a graph too: that is in the second epoch."""
    if not graphs:
        monkeypatch.delattr(device, "Graph", raising=False)
    seen = []

    class Stats(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.predict(X, 8, verbose=0)
            seen.append(device.memory_stats())

    device.keep_memory(True)
    try:
        model = deck_like()
        model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, Y, 8, 5, verbose=0, validation_split=0.2, callbacks=[Stats()])
    finally:
        device.keep_memory(not device.__name__.endswith("_emulated"))
    first = seen[1]
    assert seen[-1]["requests"] > first["requests"]
    for stats in seen[2:]:
        assert (stats["mallocs"], stats["frees"]) == (first["mallocs"], first["frees"])


def test_a_model_follows_the_device(tmp_path):
    def run():
        model = deck_like()
        model.compile("adam", "sparse_categorical_crossentropy")
        values = []
        for module in (backend.active, backend.cpu, device, backend.cpu):
            _devices.use(module)
            values += model.fit(X, Y, 8, verbose=0).history["loss"]
            values.append(model.evaluate(X, Y, verbose=0))
        return [*values, *model.get_weights()]

    close(on_both(run))


def test_files_from_either_side(tmp_path):
    model = deck_like()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, Y, 8, verbose=0)
    model.save(tmp_path / "device")
    _devices.use(backend.cpu)
    other = models.load_model(tmp_path / "device")
    other.save(tmp_path / "cpu")
    states = (m.optimizer.state_dict() for m in (model, other))
    for (name, got), (same, wanted) in zip(*(s.items() for s in states), strict=True):
        assert name == same
        assert np.array_equal(got, wanted)
    np.testing.assert_allclose(other.predict(X, verbose=0), model.predict(X, verbose=0))
    _devices.use(device)
    again = models.load_model(tmp_path / "cpu")
    assert isinstance(again.weights[0], device.Array)
    for got, wanted in zip(again.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(got, wanted)
    fresh = deck_like()
    fresh.load_weights(tmp_path / "cpu")
    fresh.set_weights(other.weights)
    assert np.array_equal(fresh.predict(X, verbose=0), again.predict(X, verbose=0))


class Losses(callbacks.Callback):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])


def test_callbacks(tmp_path):
    def run():
        model = deck_like(0)
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        seen = []
        called = [
            callbacks.EarlyStopping(patience=1, restore_best_weights=True, start_from_epoch=1),
            callbacks.ModelCheckpoint(str(tmp_path / "best"), save_best_only=True),
            Losses(seen),
        ]
        model.fit(X, Y, 8, 3, verbose=0, validation_split=0.2, callbacks=called)
        best = models.load_model(tmp_path / "best")
        return [*seen, *model.get_weights(), best.predict(X, verbose=0)]

    close(on_both(run))


def test_the_device_within_a_block():
    layer = layers.Dense(3)
    y = layer(np.ones((2, 4)))
    inside = layer.kernel
    with pyconv.device("cpu"):
        assert pyconv.get_device() == "cpu"
        assert np.allclose(layer(np.ones((2, 4))), y)
        assert isinstance(layer.kernel, np.ndarray)
    assert pyconv.get_device() == "cuda:0"
    assert isinstance(inside, device.Array)
    assert np.allclose(layer(np.ones((2, 4))), y)
    assert isinstance(layer.kernel, device.Array)


def test_copies_of_a_model():
    model = deck_like()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, 8, verbose=0)
    twin = copy.deepcopy(model)
    assert np.array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))
    model.fit(X, Y, 8, verbose=0)
    assert not np.array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_trace(tmp_path):
    model = deck_like()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pyconv.profile(tmp_path / "trace.json"):
        model.fit(X, Y, 8, verbose=0)
    text = (tmp_path / "trace.json").read_text()
    for name in ("conv2d_maxpool2d_backward", "softmax_cross_entropy", "sgd_update", "backward"):
        assert name in text
    with pytest.raises(ValueError, match="a profile is of the CPU"):
        model.summary(profile=True, print_fn=lambda text: None)


def test_precision_is_passed_on():
    pyconv.set_float32_precision("high")
    pyconv.set_float32_precision("highest")
    assert pyconv.get_float32_precision() == "highest"


@pytest.mark.parametrize(
    "case",
    [Conv(2, 6, 6, 3, 4), Conv(2, 6, 6, 3, 4, direction="filter"), Dense(3, 5, 4),
     Dense(3, 5, 4, "input"), MaxPool(2, 4, 4, 3), Relu(100, "input")],
    ids=lambda case: case.name,
)  # fmt: skip
def test_what_the_benchmark_runs(case):
    exact = reference.exact(case)
    peer = peers.load("pyconv", 1)
    for make in peer.variants(case).values():
        variant = make()
        variant.run()
        peer.synchronize()
        assert relative_error(variant.result(), exact) < 2e-5
