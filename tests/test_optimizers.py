"""What optimizers take and refuse: arguments, gradients, configurations; clipping."""

import numpy as np
import pytest
from optimizer_cases import CLASSES, NUMPY, G, W, f32

from pyconv import optimizers
from pyconv.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    RMSprop,
)


class TestClipping:
    def test_clipnorm_golden(self):
        w = f32([0.0, 0.0])
        SGD(1.0, clipnorm=1).apply([f32([100.0, 100.0])], [w])
        np.testing.assert_allclose(w, [-np.sqrt(0.5)] * 2, rtol=1e-6)

    def test_clipnorm_is_of_each_parameter_and_leaves_short_ones(self):
        w = [f32([0.0, 0.0]), f32([0.0])]
        SGD(1.0, clipnorm=5).apply([f32([30.0, 40.0]), f32([2.0])], w)
        np.testing.assert_allclose(w[0], [-3.0, -4.0], rtol=1e-6)
        np.testing.assert_allclose(w[1], [-2.0])

    def test_global_clipnorm_is_of_all_parameters(self):
        w = [f32([0.0]), f32([0.0])]
        SGD(1.0, global_clipnorm=5).apply([f32([30.0]), f32([40.0])], w)
        np.testing.assert_allclose(np.concatenate(w), [-3.0, -4.0], rtol=1e-6)

    def test_clipvalue(self):
        w = f32([0.0, 0.0, 0.0])
        SGD(1.0, clipvalue=2).apply([f32([-9.0, 1.0, 9.0])], [w])
        np.testing.assert_allclose(w, [2.0, -1.0, -2.0])

    def test_nan_stays_visible(self):
        for argument in ("clipnorm", "global_clipnorm", "clipvalue"):
            w = f32([0.0, 0.0])
            SGD(1.0, **{argument: 1.0}).apply([f32([np.nan, 1.0])], [w])
            assert np.isnan(w[0])

    def test_gradients_are_not_changed(self):
        g = f32([30.0, 40.0])
        SGD(1.0, clipnorm=5).apply([g], [f32([0.0, 0.0])])
        assert g.tolist() == [30.0, 40.0]

    @pytest.mark.parametrize("kind", CLASSES)
    def test_only_one(self, kind):
        with pytest.raises(ValueError, match="Only one of `clipnorm`"):
            kind(clipnorm=1, clipvalue=1)


@pytest.mark.parametrize("kind", CLASSES)
class TestArguments:
    def test_defaults_are_keras_defaults(self, kind):
        config = kind().get_config()
        assert config["learning_rate"] == (0.01 if kind is SGD else 0.001)
        assert config["weight_decay"] == (0.004 if kind is AdamW else None)
        snake = {"AdamW": "adam_w", "RMSprop": "rm_sprop"}.get(kind.__name__, kind.__name__.lower())
        assert config["name"].startswith(snake)
        own = {
            SGD: {"momentum": 0.0, "nesterov": False},
            RMSprop: {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
            Adam: {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False},
        }
        for key, value in own[Adam if kind is AdamW else kind].items():
            assert config[key] == value

    @pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e300])
    def test_bad_rate(self, kind, value):
        with pytest.raises(ValueError, match=f"{kind.__name__}: learning_rate must be"):
            kind(learning_rate=value)
        optimizer = kind()
        before = optimizer.learning_rate
        with pytest.raises(ValueError, match="learning_rate"):
            optimizer.learning_rate = value
        assert optimizer.learning_rate == before

    @pytest.mark.parametrize("value", ["fast", None, [0.1], True])
    def test_rate_of_wrong_type(self, kind, value):
        with pytest.raises(TypeError, match=f"{kind.__name__}: learning_rate must be a number"):
            kind(learning_rate=value)

    def test_lr_says_its_name(self, kind):
        with pytest.raises(ValueError, match="use learning_rate"):
            kind(lr=0.1)
        optimizer = kind()
        with pytest.raises(AttributeError, match="use learning_rate"):
            optimizer.lr = 0.1
        with pytest.raises(AttributeError, match="use learning_rate"):
            _ = optimizer.lr

    def test_decay_is_ignored_with_a_warning(self, kind):
        with pytest.warns(UserWarning, match="decay"):
            kind(decay=0.1)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"ema_momentum": 1.5},
            {"ema_overwrite_frequency": 0},
            {"loss_scale_factor": 0.0},
            {"gradient_accumulation_steps": 1},
            {"unheard_of": 1},
            {"weight_decay": -0.1},
            {"clipnorm": -1.0},
            {"clipnorm": 0.0},
        ],
        ids=str,
    )
    def test_unknown_or_out_of_range(self, kind, arguments):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            kind(**arguments)

    def test_set_rate_is_used(self, kind):
        slow, fast = f32([0.0]), f32([0.0])
        optimizer = kind(learning_rate=1e-3)
        optimizer.learning_rate = 0.5
        optimizer.apply([f32([1.0])], [fast])
        kind(learning_rate=1e-3).apply([f32([1.0])], [slow])
        np.testing.assert_allclose(fast, slow * 500, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (SGD, "momentum", 1.5),
        (RMSprop, "rho", -0.1),
        (RMSprop, "epsilon", -1.0),
        (Adam, "beta_1", 1.0),
        (Adam, "beta_2", 2.0),
        (AdamW, "weight_decay", None),
    ],
)
def test_own_arguments_out_of_range(kind, name, value):
    with pytest.raises(ValueError, match=name):
        kind(**{name: value})


class TestApply:
    def test_apply_gradients_takes_pairs(self):
        a, b = f32([1.0]), f32([1.0])
        SGD(1.0).apply_gradients([(f32([1.0]), a), (f32([2.0]), b)])
        assert (a[0], b[0]) == (0.0, -1.0)

    def test_numbers_of_arrays_differ(self):
        with pytest.raises(ValueError, match="SGD: grads must hold 2 arrays"):
            SGD().apply([f32(G)], [f32(W), f32(W)])

    def test_other_parameters_than_at_first(self):
        optimizer = Adam()
        optimizer.apply([f32(G)], [f32(W)])
        with pytest.raises(ValueError, match=r"built for 1 parameters \(\(4,\)\)"):
            optimizer.apply([f32([1.0])], [f32([1.0])])
        assert optimizer.iterations == 1

    def test_shapes_of_gradient_and_parameter_differ(self):
        w = f32(W)
        with pytest.raises(ValueError, match="params"):
            SGD().apply([f32([1.0])], [w])
        assert w.tolist() == W

    @pytest.mark.parametrize("kind", [SGD, Adam, Adagrad])
    def test_float64_gradient_is_converted(self, kind):
        w, same = f32(W), f32(W)
        kind(0.5).apply([np.array(G)], [w])
        kind(0.5).apply([f32(G)], [same])
        assert w.tolist() == same.tolist()

    def test_what_is_no_array_of_numbers_is_refused(self):
        with pytest.raises((TypeError, ValueError)):
            SGD().apply([["a", "b", "c", "d"]], [f32(W)])

    @pytest.mark.cpu
    def test_read_only_parameter_is_refused(self):
        w = f32(W)
        w.flags.writeable = False
        with pytest.raises((TypeError, ValueError), match="params"):
            SGD().apply([f32(G)], [w])

    def test_no_parameters(self):
        for kind in CLASSES + NUMPY:
            kind().apply([], [])


class TestGet:
    def test_none(self):
        assert optimizers.get(None) is None

    @pytest.mark.parametrize("name", ["sgd", "SGD", "rmsprop", "RMSprop", "adam", "AdamW", "lion"])
    def test_name(self, name):
        assert type(optimizers.get(name)).__name__.lower() == name.lower()

    @pytest.mark.parametrize("kind", CLASSES + NUMPY)
    def test_config_round_trip(self, kind):
        optimizer = kind(0.25, name="mine", global_clipnorm=2.0)
        optimizer.learning_rate = 0.125
        copy = optimizers.deserialize(optimizers.serialize(optimizer))
        assert type(copy) is kind
        assert copy.get_config() == optimizer.get_config()
        assert copy.learning_rate == 0.125

    def test_instance(self):
        optimizer = Adam()
        assert optimizers.get(optimizer) is optimizer

    def test_unknown_name_says_which_is_near(self):
        with pytest.raises(ValueError, match="did you mean 'adam'"):
            optimizers.get("adamm")

    @pytest.mark.parametrize("value", [3, Adam, [], object()])
    def test_wrong_type(self, value):
        with pytest.raises(ValueError, match="optimizers.get"):
            optimizers.get(value)

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"class_name": "os.system", "config": {}},
            {"class_name": "Adam", "config": {"unheard_of": 1}},
            {"class_name": "Adam", "config": 3},
            {"class_name": 3},
        ],
    )
    def test_bad_config(self, config):
        with pytest.raises(ValueError, match="optimizers.deserialize|Adam"):
            optimizers.deserialize(config)
