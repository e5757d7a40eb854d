"""LossScaleOptimizer and MultiOptimizer: what each of the optimizers within would do alone."""

import json
import warnings

import numpy as np
import pytest

import pyconv
from pyconv import callbacks, optimizers
from pyconv.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap
from pyconv.variable import Variable


def f32(values):
    return np.array(values, np.float32)


def model(optimizer, name="mse"):
    pyconv.utils.set_random_seed(0)
    made = pyconv.Sequential(
        [
            pyconv.Input((4,)),
            pyconv.layers.Dense(3, "tanh", name="first"),
            pyconv.layers.Dense(2, name="second"),
        ]
    )
    made.compile(optimizer, name)
    return made


def trained(optimizer, epochs=3, **options):
    made = model(optimizer)
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 4)), rng.random((12, 2))
    made.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, **options)
    return made


def two(first=None, second=None, **options):
    first, second = first or SGD(0.1), second or Adam(0.01)
    return MultiOptimizer(OptimizerMap(second, {"first/.*": first}), **options)


class TestLossScale:
    def test_steps_are_those_of_the_inner_optimizer(self):
        plain = trained(Adam(0.01)).get_weights()
        scaled = trained(LossScaleOptimizer(Adam(0.01), 2.0**10))
        for a, b in zip(plain, scaled.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
        assert scaled.optimizer.iterations == 9

    def test_the_factor_grows_and_shrinks(self):
        optimizer, w = LossScaleOptimizer(SGD(0.5), 4.0, dynamic_growth_steps=2), f32([1.0])
        factors = []
        for gradient in (4.0, 4.0, 8.0, np.nan, np.inf, 2.0):
            optimizer.apply([f32([gradient])], [w])
            factors.append(optimizer.scale_loss(1.0))
        assert factors == [4.0, 8.0, 8.0, 4.0, 2.0, 2.0]
        # Four steps of a gradient of 1.
        assert w[0] == pytest.approx(1.0 - 4 * 0.5)
        assert optimizer.iterations == 4

    def test_its_inner_optimizer_scales_no_more(self):
        inner = SGD(0.5, loss_scale_factor=100.0)
        w = f32([1.0])
        LossScaleOptimizer(inner, 2.0).apply([f32([2.0])], [w])
        assert (inner.loss_scale_factor, w[0]) == (None, 0.5)

    def test_variables_are_those_of_the_optimizer(self):
        optimizer, w = LossScaleOptimizer(SGD(0.5), 4.0, dynamic_growth_steps=9), f32([1.0])
        optimizer.apply([f32([4.0])], [w])
        kept = [np.array(v) for v in optimizer.variables]
        optimizer.apply([f32([np.inf])], [w])
        assert optimizer.scale_loss(1.0) == 2.0
        for variable, value in zip(optimizer.variables, kept, strict=True):
            variable.assign(value)
        assert (optimizer.scale_loss(1.0), optimizer.step_counter) == (4.0, 1)
        optimizer.inner_optimizer.variables[1].assign(0.125)
        assert optimizer.learning_rate == 0.125

    def test_gradients_that_overwrite_are_not_of_the_scaled_loss(self):
        v, w = Variable([1.0, 2.0]), Variable([1.0, 2.0])
        v.overwrite_with_gradient = True
        optimizer = LossScaleOptimizer(SGD(0.5), 4.0)
        optimizer.apply([f32([4.0, 8.0]), f32([4.0, 8.0])], [v, w])
        assert (v.tolist(), w.tolist()) == ([4.0, 8.0], [0.5, 1.0])

    def test_learning_rate_is_that_of_the_inner(self):
        optimizer = LossScaleOptimizer(SGD(0.5))
        optimizer.learning_rate = 0.25
        assert optimizer.inner_optimizer.learning_rate == optimizer.learning_rate == 0.25

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: LossScaleOptimizer("sgd"), "inner_optimizer must be an Optimizer, got 'sgd'"),
            (lambda: LossScaleOptimizer(SGD(), dynamic=False), "set `loss_scale_factor`"),
            (lambda: LossScaleOptimizer(SGD(), clipnorm=1.0), "set `clipnorm` on the `inner_opt"),
            (lambda: LossScaleOptimizer(SGD(), a=1, b=2), "arguments: `a`, `b`"),
            (lambda: LossScaleOptimizer(SGD(), 0.0), "initial_scale must be"),
            (
                lambda: LossScaleOptimizer(SGD(), 1.0, 0),
                "dynamic_growth_steps must be a positive integer",
            ),
        ],
    )
    def test_errors(self, call, message):
        with pytest.raises((TypeError, ValueError), match=message):
            call()


class TestMulti:
    def test_each_parameter_by_its_own(self):
        both = trained(two(), epochs=1).get_weights()

        def frozen(name, optimizer):
            made = model(optimizer)
            made.get_layer(name).trainable = False
            made.compile(optimizer, "mse")
            return made

        # The first of three steps is that of each optimizer alone.
        rng = np.random.default_rng(0)
        x, y = rng.random((12, 4))[:4], rng.random((12, 2))
        y = np.random.default_rng(0).random((12, 6))[:4, 4:]
        alone = [frozen("second", SGD(0.1)), frozen("first", Adam(0.01)), model(two())]
        for made in alone:
            made.train_on_batch(x, y)
        first, second, together = (made.get_weights() for made in alone)
        for got, wanted in zip(together, [*first[:2], *second[2:]], strict=True):
            np.testing.assert_array_equal(got, wanted)
        assert len(both) == 4

    def test_a_function_instead_of_a_map(self):
        sgd, adam = SGD(), Adam()
        chosen = []

        def choose(variable):
            chosen.append((variable.path, variable.name, variable.shape))
            return sgd if variable.name == "bias" else adam

        optimizer = trained(MultiOptimizer(choose), epochs=1).optimizer
        assert chosen[0] == ("first/kernel", "kernel", (4, 3))
        assert optimizer.optimizers == [adam, sgd]
        assert (sgd.iterations, adam.iterations, optimizer.iterations) == (3, 3, 3)

    def test_loss_scale_factor_is_set_in_each(self):
        first = SGD(0.5, loss_scale_factor=3.0)
        optimizer = two(first, SGD(0.5), loss_scale_factor=4.0)
        assert first.loss_scale_factor == 4.0
        plain, scaled = trained(two(SGD(0.5), SGD(0.5))), trained(optimizer)
        for a, b in zip(plain.get_weights(), scaled.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_callbacks_change_each_rate(self):
        optimizer = two(SGD(0.1, name="a"), SGD(0.01, name="b"))
        halve = callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)
        history = trained(optimizer, callbacks=[halve]).history.history
        np.testing.assert_allclose(history["learning_rate_a"], [0.05, 0.025, 0.0125])
        np.testing.assert_allclose(history["learning_rate_b"], [0.005, 0.0025, 0.00125])
        plateau = callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=10.0)
        optimizer = two(SGD(0.1), SGD(0.01))
        trained(optimizer, callbacks=[plateau])
        rates = [float(one.learning_rate) for one in optimizer.optimizers]
        np.testing.assert_allclose(rates, [0.025, 0.0025])

    def test_moving_averages(self):
        optimizer = two(SGD(0.1, use_ema=True, ema_momentum=0.5), SGD(0.1))
        made = trained(optimizer, epochs=1)
        averages = optimizer.averages(made._params())
        assert [average.shape for _, average in averages] == [(4, 3), (3,)]
        np.testing.assert_array_equal(made.get_weights()[0], averages[0][1])
        trained(optimizer := two(SGD(0.1, use_ema=True)), callbacks=[callbacks.SwapEMAWeights()])
        assert optimizer.use_ema

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: MultiOptimizer("sgd"), "optimizer_map must be an OptimizerMap or a function"),
            (lambda: OptimizerMap("sgd"), "default_optimizer must be an Optimizer"),
            (lambda: OptimizerMap(SGD(), [SGD()]), "optimizer_map must be a dict"),
            (lambda: OptimizerMap(SGD(), {"(": SGD()}), r"'\(' is no pattern"),
            (
                lambda: OptimizerMap(SGD(), {"a": "sgd"}),
                "optimizer must be an Optimizer, got 'sgd'",
            ),
            (lambda: OptimizerMap(SGD(), {"a": two()}), "optimizer cannot be MultiOptimizer"),
            (lambda: OptimizerMap(SGD(), {".*": SGD(), "a.*": SGD()})["ab"], "Multiple optimizers"),
            (lambda: two().learning_rate, "ask or set that of each"),
            (lambda: setattr(two(), "learning_rate", 0.1), "set that of each"),
            (lambda: two().apply([f32([1.0])]), "needs a built optimizer"),
            (lambda: trained(MultiOptimizer(lambda v: None)), "must be an Optimizer, got None"),
            (lambda: trained(two(loss_scale_factor=0.0)), "loss_scale_factor must be above 0"),
        ],
    )
    def test_errors(self, call, message):
        with pytest.raises((AttributeError, TypeError, ValueError), match=message):
            call()

    def test_a_pattern_twice(self):
        optimizer_map = OptimizerMap(SGD(), {"a": SGD()})
        with pytest.raises(ValueError, match="'a' already has an optimizer"):
            optimizer_map["a"] = SGD()
        del optimizer_map["a"]
        assert len(optimizer_map) == 0


@pytest.mark.parametrize(
    "make", [two, lambda: LossScaleOptimizer(Adam(0.01), 8.0, 5), lambda: LossScaleOptimizer(two())]
)
class TestStates:
    def test_config(self, make):
        config = json.loads(json.dumps(optimizers.serialize(make())))
        again = optimizers.deserialize(config)
        assert json.loads(json.dumps(optimizers.serialize(again))) == config

    def test_state_goes_on(self, make):
        first = trained(make())
        again = model(make())
        again.set_weights(first.get_weights())
        again.optimizer.load_state_dict(first.optimizer.state_dict())
        by_list = model(make())
        by_list.set_weights(first.get_weights())
        by_list.optimizer.variable_names = by_list._param_names()
        by_list.optimizer.build(by_list._params())
        by_list.optimizer.set_weights(first.optimizer.variables)
        rng = np.random.default_rng(1)
        x, y = rng.random((4, 4)), rng.random((4, 2))
        for made in (first, again, by_list):
            made.train_on_batch(x, y)
        for other in (again, by_list):
            for a, b in zip(first.get_weights(), other.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("ending", ["safetensors", "keras", "h5"])
    def test_files(self, make, ending, tmp_path):
        first = trained(make())
        path = tmp_path / f"model.{ending}"
        first.save(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = pyconv.models.load_model(path)
        assert type(again.optimizer) is type(first.optimizer)
        rng = np.random.default_rng(1)
        x, y = rng.random((4, 4)), rng.random((4, 2))
        for made in (first, again):
            made.train_on_batch(x, y)
        for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)

    def test_wrong_states(self, make):
        optimizer = make()
        with pytest.raises(ValueError, match="state has no"):
            optimizer.load_state_dict({})
        with pytest.raises(ValueError, match="not yet been built"):
            optimizer.set_weights([])
        state = {**optimizer.state_dict(), "other": f32([1.0])}
        with pytest.raises(ValueError, match="unknown .*other"):
            optimizer.load_state_dict(state)
