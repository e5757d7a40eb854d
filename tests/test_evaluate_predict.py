"""evaluate, predict and the calls of one batch."""

import numpy as np
import pytest
from networks import CLASSES, Exact, images, small_cnn

import pyconv

X, Y = images(45)
SIZES = [1, 2, 7, 32, 44, 45, 46, 1000]


@pytest.fixture
def model():
    pyconv.utils.set_random_seed(1)
    made = small_cnn()
    made.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


@pytest.fixture
def exact(model):
    return Exact(model.get_weights())


class TestEvaluate:
    @pytest.mark.parametrize("batch_size", SIZES)
    def test_any_batch_size(self, model, exact, batch_size):
        loss, accuracy = model.evaluate(X, Y, batch_size, verbose=0)
        wanted = exact.measure(X, Y)
        assert loss == pytest.approx(wanted[0], rel=1e-6)
        assert accuracy == wanted[1]

    def test_forms_of_the_result(self, model):
        results = model.evaluate(X, Y, verbose=0)
        assert [type(value) for value in results] == [float, float]
        named = model.evaluate(X, Y, verbose=0, return_dict=True)
        assert named == {"loss": results[0], "accuracy": results[1]}
        model.compile(loss="sparse_categorical_crossentropy")
        assert model.evaluate(X, Y, verbose=0) == results[0]

    def test_sample_weights(self, model, exact):
        weight = np.arange(45.0)
        got = model.evaluate(X, Y, sample_weight=weight, verbose=0)
        wanted = exact.measure(X, Y, weight)
        assert got == pytest.approx(list(wanted), rel=1e-6)

    @pytest.mark.parametrize(("steps", "rows"), [(1, 8), (3, 24), (6, 45), (99, 45)])
    def test_steps(self, model, exact, steps, rows):
        got = model.evaluate(X, Y, 8, steps=steps, verbose=0)
        assert got == pytest.approx(list(exact.measure(X[:rows], Y[:rows])), rel=1e-6)

    def test_streams(self, model, exact):
        whole = exact.measure(X, Y)
        parts = [(X[at : at + 8], Y[at : at + 8]) for at in range(0, 45, 8)]
        assert model.evaluate(parts, verbose=0) == pytest.approx(list(whole), rel=1e-6)
        assert model.evaluate(iter(parts), verbose=0) == pytest.approx(list(whole), rel=1e-6)
        first = model.evaluate(iter(parts), steps=2, verbose=0)
        assert first == pytest.approx(list(exact.measure(X[:16], Y[:16])), rel=1e-6)

    def test_changes_nothing(self, model):
        before = model.get_weights()
        generator = pyconv._random.generator().bit_generator.state
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)
        assert pyconv._random.generator().bit_generator.state == generator
        assert model.optimizer.iterations == 0
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_dropout_is_for_training_alone(self):
        model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dropout(0.5)])
        model.compile("sgd", "mse")
        x = np.ones((8, 4), np.float32)
        assert model.evaluate(x, x, verbose=0) == 0
        assert model.test_on_batch(x, x) == 0
        np.testing.assert_array_equal(model.predict(x, verbose=0), x)
        assert model.fit(x, x, verbose=0, validation_data=(x, x)).history["val_loss"] == [0]
        assert model.train_on_batch(x, x) > 0


class TestPredict:
    @pytest.mark.parametrize("batch_size", SIZES)
    def test_any_batch_size(self, model, exact, batch_size):
        got = model.predict(X, batch_size, verbose=0)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, exact.probabilities(X), rtol=2e-5, atol=1e-6)

    def test_results_are_the_users_own(self, model):
        first = model.predict(X, verbose=0)
        kept = first.copy()
        one = model.predict_on_batch(X[:3])
        kept_one = one.copy()
        model.predict(X[::-1], verbose=0)
        model.predict_on_batch(X[5:8])
        np.testing.assert_array_equal(first, kept)
        np.testing.assert_array_equal(one, kept_one)
        first[:] = 7
        np.testing.assert_array_equal(model.predict(X, verbose=0), kept)

    def test_inputs_that_pass_through_are_copied(self):
        model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dropout(0.5)])
        x = np.ones((2, 3), np.float32)
        for got in (model.predict(x, verbose=0), model.predict_on_batch(x), model(x)):
            got[:] = 5
            assert (x == 1).all()

    @pytest.mark.parametrize("method", ["predict", "predict_on_batch"])
    def test_no_rows(self, model, method):
        silent = {"verbose": 0} if method == "predict" else {}
        got = getattr(model, method)(X[:0], **silent)
        assert got.shape == (0, CLASSES)
        assert got.dtype == np.float32
        # The wrong shape is wrong without rows too.
        with pytest.raises(ValueError, match="Conv2D"):
            getattr(model, method)(X[:0, ..., :2], **silent)

    @pytest.mark.parametrize(("steps", "rows"), [(1, 8), (3, 24), (6, 45), (99, 45)])
    def test_steps(self, model, steps, rows):
        whole = model.predict(X, 8, verbose=0)
        got = model.predict(X, 8, steps=steps, verbose=0)
        np.testing.assert_array_equal(got, whole[:rows])

    def test_streams(self, model):
        whole = model.predict(X, verbose=0)
        parts = [X[at : at + 8] for at in range(0, 45, 8)]
        # A list would be an array of arrays: streams are iterators.
        for stream in (iter(parts), ((part, "unused") for part in parts), ((p,) for p in parts)):
            np.testing.assert_allclose(model.predict(stream, verbose=0), whole, rtol=1e-5)
        assert len(model.predict(iter(parts), steps=2, verbose=0)) == 16
        with pytest.raises(ValueError, match="predict: there are no batches"):
            model.predict(iter([]), verbose=0)

    def test_types(self, model):
        x = (X * 100).astype(np.uint8)
        wanted = model.predict(x.astype(np.float32), verbose=0)
        for given in (x, x.astype(np.float64), x.tolist()):
            np.testing.assert_array_equal(model.predict(given, verbose=0), wanted)
            np.testing.assert_array_equal(model.predict_on_batch(given), wanted)

    def test_needs_no_compile(self):
        assert small_cnn().predict(X[:2], verbose=0).shape == (2, CLASSES)


class TestOneBatch:
    def test_train_on_batch_is_a_step_of_fit(self, model):
        other = pyconv.Sequential.from_config(model.get_config())
        other.set_weights(model.get_weights())
        other.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = other.fit(X, Y, 45, shuffle=False, verbose=0).history
        got = model.train_on_batch(X, Y)
        assert got == [history["loss"][0], history["accuracy"][0]]
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_metrics_are_reset_first(self, model, exact):
        first = model.test_on_batch(X[:20], Y[:20])
        second = model.test_on_batch(X[20:], Y[20:])
        assert first == pytest.approx(list(exact.measure(X[:20], Y[:20])), rel=1e-6)
        assert second == pytest.approx(list(exact.measure(X[20:], Y[20:])), rel=1e-6)
        assert model.test_on_batch(X[:20], Y[:20]) == first
        model.train_on_batch(X[:20], Y[:20])
        loss = model.train_on_batch(X[20:], Y[20:])[0]
        assert loss != pytest.approx(first[0])

    def test_return_dict(self, model):
        assert list(model.train_on_batch(X, Y, return_dict=True)) == ["loss", "accuracy"]
        assert list(model.test_on_batch(X, Y, return_dict=True)) == ["loss", "accuracy"]

    def test_weights(self, model, exact):
        weight = np.arange(45.0)
        wanted = exact.measure(X, Y, weight)[0]
        assert model.test_on_batch(X, Y, weight)[0] == pytest.approx(wanted, rel=1e-6)
        assert model.train_on_batch(X, Y, weight)[0] == pytest.approx(wanted, rel=1e-6)
        model.set_weights([w.astype(np.float32) for w in exact.weights])
        classes = dict(enumerate([2.0, 0.0, 1.0, 3.0]))
        wanted = exact.measure(X, Y, np.array([2.0, 0.0, 1.0, 3.0])[Y])[0]
        assert model.train_on_batch(X, Y, class_weight=classes)[0] == pytest.approx(
            wanted, rel=1e-6
        )
        with pytest.raises(ValueError, match="train_on_batch: only one of class_weight"):
            model.train_on_batch(X, Y, weight, classes)

    @pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
    def test_no_rows(self, model, method):
        with pytest.raises(ValueError, match=f"{method}: x must hold at least one sample"):
            getattr(model, method)(X[:0], Y[:0])

    def test_predict_on_batch(self, model):
        np.testing.assert_array_equal(
            model.predict_on_batch(X), model.predict(X, batch_size=45, verbose=0)
        )
