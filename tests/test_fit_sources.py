"""What fit takes its batches from, beside arrays; what compile and fit leave behind."""

import numpy as np
import pytest
import torch

import pyconv

RNG = np.random.default_rng(0)
X, Y = RNG.random((12, 3)).astype(np.float32), RNG.random((12, 2)).astype(np.float32)


def compiled(loss="mse", **arguments):
    layer = pyconv.layers.Dense(2, kernel_initializer="zeros")
    model = pyconv.Sequential([pyconv.Input((3,)), layer])
    model.compile("sgd", loss, **arguments)
    return model


class Batches:
    """As Keras's PyDataset."""

    def __init__(self, count=3, endless=False):
        self.count, self.endless = count, endless
        self.taken, self.told = [], []

    def __getitem__(self, i):
        self.taken.append(i)
        at = i % 3 * 4
        return X[at : at + 4], Y[at : at + 4]

    @property
    def num_batches(self):
        return None if self.endless else self.count

    def on_epoch_begin(self):
        self.told.append("begin")

    def on_epoch_end(self):
        self.told.append("end")


class Sized(Batches):
    num_batches = property(lambda self: len(self))

    def __len__(self):
        return self.count


class TestSequences:
    @pytest.mark.parametrize("kind", [Batches, Sized])
    def test_epochs_are_told(self, kind):
        source, validation = kind(), kind()
        history = compiled().fit(
            source, epochs=2, verbose=0, shuffle=False, validation_data=validation
        )
        assert source.taken == validation.taken == [0, 1, 2] * 2
        assert source.told == validation.told == ["begin", "end"] * 2
        arrays = compiled().fit(X, Y, 4, 2, 0, shuffle=False, validation_data=(X, Y))
        for key, values in arrays.history.items():
            np.testing.assert_allclose(history.history[key], values, rtol=1e-6)

    def test_batches_are_shuffled_as_in_keras(self):
        pyconv.utils.set_random_seed(0)
        source = Batches(30)
        compiled().fit(source, epochs=2, verbose=0)
        first, second = source.taken[:30], source.taken[30:]
        assert sorted(first) == sorted(second) == list(range(30))
        assert first != second
        source = Batches(30)
        compiled().evaluate(source, verbose=0)
        assert source.taken == list(range(30))

    def test_without_an_end(self):
        source = Batches(endless=True)
        compiled().fit(source, epochs=2, steps_per_epoch=2, verbose=0)
        assert source.taken == [0, 1, 2, 3]


def endless():
    while True:
        for at in (0, 4, 8):
            yield X[at : at + 4], Y[at : at + 4], np.ones(4)


def test_generators_without_an_end():
    history = compiled().fit(
        endless(), epochs=2, steps_per_epoch=3, validation_data=endless(), validation_steps=2,
        verbose=0,
    )  # fmt: skip
    arrays = compiled().fit(X, Y, 4, 2, 0, shuffle=False)
    np.testing.assert_allclose(history.history["loss"], arrays.history["loss"], rtol=1e-6)
    assert len(history.history["val_loss"]) == 2


class Endless(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(zip(torch.tensor(X), torch.tensor(Y), strict=True))


@pytest.mark.parametrize(
    "data", [torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), Endless()]
)
def test_torch_data_loader(data):
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    history = compiled().fit(loader, epochs=2, validation_data=loader, verbose=0)
    arrays = compiled().fit(X, Y, 4, 2, 0, shuffle=False, validation_data=(X, Y))
    np.testing.assert_allclose(history.history["val_loss"], arrays.history["val_loss"], rtol=1e-6)
    model = compiled()
    np.testing.assert_array_equal(model.predict(loader, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("wrap", [lambda a: [a], lambda a: (a,), lambda a: {"one": a}])
def test_one_input_and_output_may_be_in_a_list(wrap):
    model, wanted = compiled(), compiled()
    history = model.fit(wrap(X), wrap(Y), epochs=2, shuffle=False, verbose=0)
    assert history.history == wanted.fit(X, Y, epochs=2, shuffle=False, verbose=0).history
    assert model.evaluate(wrap(X), wrap(Y), verbose=0) == wanted.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(model.predict(wrap(X), verbose=0), wanted.predict(X, verbose=0))


def test_a_list_of_one_sample_is_one_sample():
    assert compiled().predict([X[0]], verbose=0).shape == (1, 2)


@pytest.mark.parametrize(("freq", "validated"), [(2, [1, 3]), ([1, 4], [0, 3]), ((3,), [2])])
def test_validation_frequency(freq, validated):
    epochs = []
    note = pyconv.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append(epoch) if "val_loss" in logs else None
    )
    compiled().fit(
        X, Y, epochs=4, verbose=0, callbacks=[note], validation_data=(X, Y), validation_freq=freq
    )
    assert epochs == validated


class TestOnBatch:
    def test_each_is_of_its_batch_alone(self):
        model = compiled(metrics=["mae"])
        first = model.test_on_batch(X[:4], Y[:4])
        model.test_on_batch(X[4:8], Y[4:8])
        assert model.test_on_batch(X[:4], Y[:4]) == first
        assert model.train_on_batch(X[:4], Y[:4], return_dict=True)["loss"] == first[0]

    def test_weights_of_classes_and_samples(self):
        model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        y = np.array([0, 1, 1])
        by_class = model.test_on_batch(X[:3], y, sample_weight=[2.0, 3.0, 3.0])
        assert model.train_on_batch(X[:3], y, class_weight={0: 2.0, 1: 3.0}) == by_class

    def test_metrics_of_the_last_batches(self):
        model = compiled()
        value = model.test_on_batch(X[:4], Y[:4])
        assert model.get_metrics_result() == {"loss": value}
        model.reset_metrics()
        assert model.get_metrics_result() == {"loss": 0.0}


def test_what_compile_was_given_can_be_asked():
    loss, optimizer = pyconv.losses.Huber(), pyconv.optimizers.Adam()
    model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2)])
    assert not model.compiled
    model.compile(optimizer, loss, metrics=["mae"])
    assert (model.compiled, model.loss, model.optimizer) == (True, loss, optimizer)
    model.evaluate(X, Y, verbose=0)
    assert [metric.name for metric in model.metrics] == ["mae"]
    assert model.metrics_names == ["loss", "mae"]
    model.compile(optimizer, "mse")
    assert model.loss == "mse"


class Warm(pyconv.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.25

    def get_config(self):
        return {}


@pytest.mark.parametrize(
    ("optimizer", "loss", "rate", "saved"),
    [
        (pyconv.optimizers.SGD(Warm()), "mse", 0.25, True),
        (pyconv.optimizers.SGD(lambda: 0.25), "mse", 0.25, True),
        (pyconv.optimizers.SGD(0.5), lambda y, p: abs(y - p).mean(-1), 0.5, False),
    ],
)
def test_code_of_ones_own_is_not_saved(tmp_path, optimizer, loss, rate, saved):
    model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2)])
    model.compile(optimizer, loss)
    with pytest.warns(UserWarning, match="code of your own and is not saved"):
        model.save(tmp_path / "model.safetensors")
    loaded = pyconv.models.load_model(tmp_path / "model.safetensors")
    assert loaded.optimizer.learning_rate == rate
    assert (loaded.loss is not None) == saved


def test_a_schedule_is_saved(tmp_path):
    model = compiled()
    model.compile(pyconv.optimizers.Adam(pyconv.optimizers.schedules.CosineDecay(0.5, 10)), "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = pyconv.models.load_model(tmp_path / "model.safetensors")
    assert loaded.optimizer.learning_rate == model.optimizer.learning_rate < 0.5
