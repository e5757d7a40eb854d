"""What all optimizers can do beside their rule, against Keras's numbers and order of a step."""

import copy
import pickle

import numpy as np
import pytest

import pyconv
from pyconv.optimizers import SGD, Adam, AdamW, Lion, Optimizer, RMSprop
from pyconv.optimizers.schedules import ExponentialDecay
from pyconv.variable import Variable


def f32(values):
    return np.array(values, np.float32)


def test_moving_average_golden():
    """The numbers of Keras's own test."""
    w = f32([[3.0, 4.0], [5.0, 6.0]])
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
    for expected in ([2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0], [1.71, 2.71, 3.71, 4.71]):
        optimizer.apply([f32(np.ones((2, 2)))], [w])
        np.testing.assert_allclose(w.ravel(), expected, rtol=1e-6)


def test_fit_leaves_the_moving_average_in_the_model():
    model = pyconv.Sequential(
        [pyconv.layers.Dense(2, kernel_initializer="ones", use_bias=False, input_shape=(1,))]
    )
    model.compile(SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
    model.fit(f32([[1]]), f32([[0, 0]]), batch_size=1, epochs=2, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[0.891, 0.891]], rtol=1e-5)


@pytest.mark.parametrize("name", ["adam", "sgd", "adagrad", "rmsprop", "lion", "nadam", "lamb"])
def test_accumulated_gradients_are_one_step_of_their_mean(name):
    config = {"weight_decay": 0.05, "clipnorm": 0.5, "use_ema": True}
    one = pyconv.optimizers.deserialize({"class_name": name, "config": config})
    three = pyconv.optimizers.deserialize(
        {"class_name": name, "config": {**config, "gradient_accumulation_steps": 3}}
    )
    rng = np.random.default_rng(0)
    a, b = f32([[0.9], [0.5]]), f32([[0.9], [0.5]])
    for _ in range(8):
        grads = f32(rng.random((3, 2, 1)))
        one.apply([grads.mean(axis=0)], [a])
        for grad in grads:
            three.apply([grad], [b])
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
    assert three.iterations == one.iterations == 8


def test_between_updates_parameters_rest():
    w, optimizer = f32([1.0]), SGD(1.0, gradient_accumulation_steps=2)
    optimizer.apply([f32([1.0])], [w])
    assert (w[0], optimizer.iterations) == (1.0, 0)
    optimizer.apply([f32([3.0])], [w])
    assert (w[0], optimizer.iterations) == (-1.0, 1)


def test_scaled_loss():
    w, optimizer = f32([1.0]), SGD(1.0, loss_scale_factor=1024.0)
    assert optimizer.scale_loss(1.0) == 1024.0
    optimizer.apply([f32([1024.0])], [w])
    assert w[0] == 0.0


def test_fit_with_a_scaled_loss_is_fit_without():
    weights = []
    for factor in (None, 1024.0):
        model = pyconv.Sequential([pyconv.Input((3,)), pyconv.layers.Dense(2)])
        model.set_weights([f32(np.arange(6).reshape(3, 2)), f32([0, 1])])
        model.compile(SGD(0.01, loss_scale_factor=factor), "mse")
        model.fit(f32(np.eye(3)), f32(np.ones((3, 2))), epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    np.testing.assert_array_equal(weights[0][0], weights[1][0])


class TestExclusion:
    def test_by_parameter(self):
        a, b = f32([2.0]), f32([2.0])
        optimizer = Lion(1.0, weight_decay=0.004)
        optimizer.exclude_from_weight_decay(var_list=[b])
        optimizer.apply([f32([0.0]), f32([0.0])], [a, b])
        np.testing.assert_allclose([a[0], b[0]], [1.992, 2.0], rtol=1e-6)

    @pytest.mark.parametrize("kind", [SGD, RMSprop, AdamW])
    def test_by_name_in_a_model(self, kind):
        model = pyconv.Sequential(
            [pyconv.Input((2,)), pyconv.layers.Dense(1, bias_initializer="ones")]
        )
        kernel = model.get_weights()[0]
        optimizer = kind(1.0, weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        model.compile(optimizer, "mse")
        model.fit(f32(np.zeros((1, 2))), f32([[1.0]]), verbose=0)
        np.testing.assert_allclose(model.get_weights()[0], kernel * 0.9, rtol=1e-6)
        assert model.get_weights()[1] == [1.0]

    def test_names_are_needed(self):
        optimizer = AdamW()
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        with pytest.raises(ValueError, match="var_names needs parameters with names"):
            optimizer.apply([f32([0.0])], [f32([2.0])])

    def test_after_the_first_step(self):
        optimizer = AdamW()
        optimizer.apply([f32([0.0])], [f32([2.0])])
        with pytest.raises(ValueError, match="before the optimizer is built"):
            optimizer.exclude_from_weight_decay(var_names=["bias"])


class TestLearningRate:
    def test_schedule_is_of_the_steps_made(self):
        w, optimizer = f32([0.0]), SGD(ExponentialDecay(1.0, 1, 0.5))
        for expected in (-1.0, -1.5, -1.75):
            optimizer.apply([f32([1.0])], [w])
            assert w[0] == expected
        assert optimizer.learning_rate == 0.125

    def test_of_a_schedule_cannot_be_set(self):
        with pytest.raises(TypeError, match="is not settable"):
            SGD(ExponentialDecay(1.0, 1, 0.5)).learning_rate = 0.1

    def test_schedule_is_saved(self):
        optimizer = Adam(ExponentialDecay(1.0, 10, 0.5, staircase=True))
        restored = pyconv.optimizers.deserialize(pyconv.optimizers.serialize(optimizer))
        assert restored.get_config() == optimizer.get_config()
        assert restored.learning_rate == 1.0

    def test_function_without_arguments(self):
        w = f32([1.0])
        SGD(lambda: 0.25).apply([f32([1.0])], [w])
        assert w[0] == 0.75

    @pytest.mark.parametrize("value", [-1.0, np.nan])
    def test_bad_value_of_a_function(self, value):
        with pytest.raises(ValueError, match="SGD: learning_rate"):
            SGD(lambda: value).apply([f32([1.0])], [f32([1.0])])

    def test_assign(self):
        optimizer = Adam(0.1)
        optimizer.learning_rate.assign(0.5)
        assert optimizer.learning_rate == 0.5
        assert optimizer.learning_rate.numpy() == np.float32(0.5)
        assert optimizer.iterations.numpy() == 0

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
    def test_of_a_copy_is_its_own(self, copied):
        optimizer = Adam(0.1)
        other = copied(optimizer)
        other.learning_rate.assign(0.5)
        assert (optimizer.learning_rate, other.learning_rate) == (0.1, 0.5)


class TestGradients:
    def test_none_leaves_the_parameter(self):
        a, b, optimizer = f32([1.0]), f32([1.0]), SGD(1.0, momentum=0.9)
        with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \[0\]"):
            optimizer.apply([None, f32([1.0])], [a, b])
        assert (a[0], b[0]) == (1.0, 0.0)
        assert optimizer.state_dict()["velocity/0"] == [0.0]

    def test_all_none(self):
        with pytest.raises(ValueError, match="No gradients provided for any variable"):
            SGD().apply([None], [f32([1.0])])

    def test_parameters_that_build_was_given(self):
        w, optimizer = f32([1.0]), SGD(1.0)
        with pytest.raises(ValueError, match="call build"):
            optimizer.apply([f32([1.0])])
        optimizer.build([w])
        optimizer.apply([f32([1.0])])
        assert w[0] == 0.0

    @pytest.mark.parametrize("w", [np.array([1.0, 2.0]), Variable([1.0, 2.0])])
    def test_float64_and_variables_are_updated_too(self, w):
        SGD(0.5).apply([np.array([1.0, 1.0])], [w])
        assert w.tolist() == [0.5, 1.5]

    def test_constraint_of_a_variable(self):
        w = Variable([0.5])
        w.constraint = lambda values: np.maximum(values, 0)
        SGD(1.0).apply([f32([1.0])], [w])
        assert w[0] == 0.0


class TestVariables:
    def test_order_is_that_of_keras(self):
        params = [f32(np.ones((2, 3))), f32(np.ones(3))]
        adam = Adam(0.5, amsgrad=True, use_ema=True)
        adam.build(params)
        shapes = [v.shape for v in adam.variables]
        assert shapes == [(), (), (2, 3), (3,), (2, 3), (2, 3), (3,), (3,), (2, 3), (3,)]
        assert [float(v) for v in adam.variables[:2]] == [0, 0.5]
        assert len(Adam(ExponentialDecay(0.1, 1, 0.5)).variables) == 1

    def test_set_weights_restores(self):
        params = [f32([1.0, 2.0])]
        one, other = Adam(0.25), Adam(0.5)
        one.apply([f32([1.0, 2.0])], params)
        with pytest.raises(ValueError, match="You are calling `set_weights"):
            other.set_weights(one.variables)
        other.build(params)
        store = {}
        one.save_own_variables(store)
        other.load_own_variables(store)
        for a, b in zip(one.variables, other.variables, strict=True):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(ValueError, match="set_weights wants 4 parameters"):
            other.set_weights(one.variables[:2])
        with pytest.warns(UserWarning, match="Skipping variable loading"):
            other.load_own_variables({})


class Momentum(Optimizer):
    """As Keras's docs write an optimizer of one's own."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * 0.9 - gradient * learning_rate)
        self.assign_add(variable, m)


def test_an_optimizer_of_ones_own():
    rng = np.random.default_rng(0)
    ours, theirs = Momentum(0.1, weight_decay=0.1), SGD(0.1, 0.9, weight_decay=0.1)
    a = [f32(rng.normal(size=(2, 3))), f32(rng.normal(size=3))]
    b = [w.copy() for w in a]
    for _ in range(3):
        grads = [f32(rng.normal(size=w.shape)) for w in a]
        ours.apply(grads, a)
        theirs.apply(grads, b)
    np.testing.assert_allclose(a[0], b[0], rtol=1e-5)
    assert set(ours.state_dict()) == {"iterations", "momentum/0", "momentum/1"}
    with pytest.raises(ValueError, match="built for 2 parameters"):
        ours.apply([grads[0]], [a[0]])
    model = pyconv.Sequential([pyconv.Input((2,)), pyconv.layers.Dense(1)])
    model.compile(Momentum(0.1), "mse")
    model.fit(f32(np.eye(2)), f32([1, 2]), verbose=0)
    assert model.optimizer.built


def test_names_are_counted():
    assert Adam().name != Adam().name
    assert Adam(name="mine").name == "mine"


class TestOverwritten:
    """Parameters that say ``overwrite_with_gradient``, as Keras's quantizers have them."""

    @staticmethod
    def variables():
        made = Variable([1.0, 5.0]), Variable([1.0, 5.0])
        made[0].overwrite_with_gradient = True
        return made

    def test_a_step_makes_them_their_gradient(self):
        v, w = self.variables()
        optimizer = pyconv.optimizers.Adam(0.5, weight_decay=0.1, global_clipnorm=1.0)
        grads = [np.array([3.0, 4.0], np.float32), np.array([0.6, 0.8], np.float32)]
        optimizer.apply(grads, [v, w])
        assert v.tolist() == [3.0, 4.0]
        alone = np.array([1.0, 5.0], np.float32)
        pyconv.optimizers.Adam(0.5, weight_decay=0.1, global_clipnorm=1.0).apply(grads[1:], [alone])
        np.testing.assert_array_equal(w, alone)

    def test_of_accumulated_gradients_the_largest(self):
        v, w = self.variables()
        optimizer = pyconv.optimizers.SGD(1.0, gradient_accumulation_steps=2)
        steps = [[2.0, -1.0], [1.0, 1.0], [-2.0, 3.0], [-4.0, -1.0]]
        found = []
        for step in steps:
            gradient = np.array(step, np.float32)
            optimizer.apply([gradient, gradient], [v, w])
            found.append((v.tolist(), w.tolist()))
        assert found == [
            ([1.0, 5.0], [1.0, 5.0]),
            ([2.0, 1.0], [-0.5, 5.0]),
            ([2.0, 1.0], [-0.5, 5.0]),
            ([0.0, 3.0], [2.5, 4.0]),  # sums begin at 0
        ]


@pytest.mark.parametrize("grad", ["abc", {}, object(), np.array([["a"]]), np.array([[None]])])
@pytest.mark.parametrize(
    "option",
    [
        {},
        {"clipnorm": 1.0},
        {"global_clipnorm": 1.0},
        {"clipvalue": 1.0},
        {"loss_scale_factor": 2.0},
        {"gradient_accumulation_steps": 2},
    ],
)
def test_gradients_that_are_no_arrays_of_numbers(option, grad):
    optimizer = pyconv.optimizers.Adam(**option)
    wanted = r"Adam: grads\[0\] must be an array of numbers of shape \(1, 1\), got"
    with pytest.raises(TypeError, match=wanted):
        optimizer.apply([grad], [np.zeros((1, 1), np.float32)])
