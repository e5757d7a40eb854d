"""Layers of the user's own as Keras runs them: any arguments, weights of layers within, losses."""

import pickle
import warnings

import numpy as np
import pytest

import pyconv.compat as compat
import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

X = np.ones((4, 3), np.float32)


@pytest.fixture(autouse=True)
def era(monkeypatch):
    monkeypatch.setattr(compat._era, "_chosen", "keras3")
    keras.backend.clear_session(free_memory=False)


class Block(layers.Layer):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units)
        self.others = [layers.Dense(units)]
        self.named = {"drop": layers.Dropout(0.9)}
        self.seed = keras.random.SeedGenerator(3)
        self.metric = keras.metrics.MeanSquaredError(name="error")

    def build(self, input_shape):
        self.scale = self.add_weight((), "ones", name="scale", regularizer="l1")
        self.steps = self.add_weight((), dtype="int32", trainable=False, name="steps")

    def call(self, x, training=False):
        self.steps.assign_add(1)
        return self.named["drop"](self.others[0](self.first(x))) * self.scale


def test_layers_within():
    block = Block()
    y = block(X)
    assert y.shape == (4, 2)
    assert [layer.name for layer in block._layers] == ["dense", "dense_1", "dropout"]
    assert len(list(block._flatten_layers())) == 4
    assert list(block.named_weights)[:3] == ["scale", "steps", "dense/kernel"]
    assert len(block.weights) == 6
    assert len(block.variables) == 7
    assert (len(block.trainable_weights), len(block.non_trainable_weights)) == (5, 1)
    assert block.non_trainable_variables[-1] is block.seed.state
    assert block.metrics == [block.metric]
    assert len(block.metrics_variables) == 2
    assert (block.steps.dtype, int(block.steps), block.steps.trainable) == (np.int32, 1, False)
    block.set_weights([w + 1 for w in block.get_weights()])
    assert int(block.steps) == 2
    block.trainable = False
    assert block.trainable_weights == []
    assert not block.scale.trainable
    assert not block.first.trainable
    block.trainable = True
    assert block.scale.trainable
    assert not block.steps.trainable
    np.testing.assert_allclose(block.losses, [0.01 * 2])

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.block = Block(name="inner")

        def call(self, x):
            return self.block(x)

    outer = Outer()
    outer(X)
    assert outer.get_weights()[0] == 1
    assert outer.block.scale.path == "outer/inner/scale"
    assert (outer.path, outer.block.path) == ("outer", "outer/inner")


def test_training_is_passed_on():
    block = Block(units=50)
    block(X)
    block.set_weights([np.ones(w.shape) for w in block.weights])
    assert np.min(block(X)) > 0
    assert np.min(block(X, training=True)) == 0

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.block = block

        def call(self, x):
            return self.block(x)

    assert np.min(Outer()(X)) > 0
    assert np.min(Outer()(X, training=True)) == 0

    class Mode(layers.Layer):
        def __init__(self):
            super().__init__()
            self._register_call_context_args("mode")

        def call(self, x, mode=None):
            return x + (1 if mode else 0)

    class Around(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Mode()

        def call(self, x):
            return self.inner(x)

    around = Around()
    around._register_call_context_args("mode")
    assert (int(around(np.array(0), mode=True)), int(around(np.array(0)))) == (1, 0)
    with pytest.raises(RuntimeError, match="after the layer has been called"):
        around._register_call_context_args("more")


def test_arguments_of_any_form():
    class Both(layers.Layer):
        def build(self, a_shape, b_shape):
            self.shapes = a_shape, b_shape

        def call(self, a, b=None, scale=1.0):
            return {"sum": a["x"] + b, "parts": [a["x"] * scale]}

    layer = Both()
    y = layer({"x": X}, X[:1], scale=3.0)
    assert layer.shapes == ({"x": (4, 3)}, (1, 3))
    np.testing.assert_array_equal(y["sum"], X + 1)
    np.testing.assert_array_equal(y["parts"][0], X * 3)
    assert y["sum"].numpy().dtype == np.float32
    # Fractions are of the layer's type, whole numbers as they are.
    seen = []

    class Types(layers.Layer):
        def call(self, x):
            seen.extend(part.dtype.name for part in x)
            return x[0]

    Types()([np.zeros(1), np.zeros(1, "int32")])
    Types(dtype="float16")([np.zeros(1), np.zeros(1, "int32")])
    Types(dtype="float16", autocast=False)([np.zeros(1, "f4"), np.zeros(1, "int32")])
    assert seen == ["float32", "int32", "float16", "int32", "float32", "int32"]

    class Dense2(layers.Layer):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(2), layers.Dense(2)

        def call(self, x1, x2):
            return self.one(x1) + self.two(x2)

    a, b = keras.Input((3,)), keras.Input((5,))
    layer = Dense2()
    model = keras.Model([a, b], layer(a, x2=b))
    assert len(layer.weights) == 4
    x2 = np.ones((4, 5), "f4")
    np.testing.assert_allclose(model.predict([X, x2], verbose=0), layer(X, x2), rtol=1e-6)

    class Shaped(layers.Layer):
        def compute_output_shape(self, input_shape):
            return {"a": input_shape, "b": [(None, 1)]}

    spec = Shaped(dtype="float16").compute_output_spec(a)
    assert (spec["a"].shape, spec["a"].dtype) == ((None, 3), "float16")
    assert spec["b"][0].shape == (None, 1)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda self, a_shape, b: None, "argument `b`, which does not end in `_shape`"),
        (lambda self, a_shape, c_shape: None, "does not have argument `c`"),
    ],
)
def test_builds_that_do_not_fit(build, text):
    kind = type("Kind", (layers.Layer,), {"build": build, "call": lambda self, a, b: a + b})
    with pytest.raises(ValueError, match=text):
        kind()(X, X)


def test_weights_of_own():
    class Weighted(layers.Layer):
        def __init__(self, *args, **kwargs):
            super().__init__()
            self.w = self.add_weight(*args, **kwargs)

    assert Weighted((2, 3), "zeros", "float32").w.shape == (2, 3)
    assert Weighted().w.path == "weighted_1/variable"
    flag = Weighted(dtype="bool", trainable=False).w
    assert (flag.dtype, bool(flag)) == (np.bool_, False)
    for args, kwargs, error, text in (
        (("name",), {}, ValueError, "as the `name` keyword argument"),
        (((2,),), {"shape": (2,)}, ValueError, "both positionally and as a keyword argument"),
        (((2,), "zeros", "float32", "n"), {}, TypeError, "at most 3 positional arguments"),
        ((), {"dtype": "int32"}, ValueError, "must have trainable=False"),
    ):
        with pytest.raises(error, match=text):
            Weighted(*args, **kwargs)

    class Late(layers.Layer):
        def call(self, x):
            self.w = self.add_weight(shape=())
            return x

    with pytest.raises(ValueError, match="cannot add new elements of state"):
        Late()(X)
    layer = Weighted()
    layer._untrack_variable(layer.w)
    assert layer.weights == []
    with pytest.raises(ValueError, match="to be a boolean"):
        layers.Dense(2, trainable=1)


def test_losses_of_own():
    class Loses(layers.Layer):
        def call(self, x):
            self.add_loss(np.sum(x))
            return x

    layer = Loses(activity_regularizer="l2")
    layer(X)
    layer(X)
    np.testing.assert_allclose(layer.losses, [12, 0.01 * 12 / 4], rtol=1e-6)
    model = keras.Sequential([Loses(), layers.Dense(1)])
    model(X)
    assert [float(loss) for loss in model.losses] == [12]
    assert layer(keras.Input((3,))).shape == (None, 3)


def test_stateless_calls():
    class Noisy(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(7)
            self.total = self.add_weight((), "zeros", trainable=False)
            self.shift = self.add_weight((), "zeros", regularizer="l1")
            self._build_at_init()

        def call(self, x):
            self.add_loss(np.mean(x))
            self.total.assign(np.sum(x))
            return x + keras.random.normal((), seed=self.seed) + self.shift

    a, b = Noisy(), Noisy()
    np.testing.assert_array_equal(a(X), b(X))
    c = Noisy()
    y, states, losses = c.stateless_call(
        [np.float32(0)], c.non_trainable_variables, X, return_losses=True
    )
    np.testing.assert_array_equal(y, Noisy()(X))
    np.testing.assert_array_equal(states[0], 12)
    np.testing.assert_array_equal(states[1], [7, 1])
    assert float(c.total) == 0
    assert c.seed.state.tolist() == [7, 0]
    assert len(losses) == 2
    with pytest.raises(ValueError, match="trainable_variables must be 1 arrays, got 0"):
        c.stateless_call([], [], X)


def test_masks_reach_the_call():
    class Masked(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return x

    x = layers.Masking()(np.eye(3)[None])
    layer = Masked()
    assert layer(x)._keras_mask is x._keras_mask
    assert layer.seen is x._keras_mask
    mask = np.array([[True, False, True]])
    assert layer(np.eye(3)[None], mask=mask)._keras_mask.tolist() == mask.tolist()

    class Two(layers.Layer):
        def call(self, a, b, a_mask=None, b_mask=None):
            self.seen = a_mask, b_mask
            return a + b

    two = Two()
    with pytest.warns(UserWarning, match="does not support masking"):
        two(x, np.ones((1, 3, 3)))
    assert two.seen[0] is x._keras_mask
    assert two.seen[1] is None
    # In a model.
    model = keras.Sequential([layers.Masking(), masked := Masked()])
    model(np.eye(3)[None])
    assert masked.seen.tolist() == [[True, True, True]]


def test_what_is_not_defined():
    layer = layers.Layer()
    for method, args in (
        ("call", (X,)),
        ("compute_output_shape", (None,)),
        ("quantize", ("int8",)),
        ("quantized_build", (None, "int8")),
        ("_int8_call", (X,)),
    ):
        with pytest.raises(NotImplementedError, match=f"does not have a `{method}` method"):
            getattr(layer, method)(*args)
    with pytest.raises(ValueError, match="Only input tensors may be passed as positional"):
        Block()(X, True)
    assert pickle.loads(pickle.dumps(layers.Dense(2))).units == 2


class Centers(layers.Layer):
    """The distances to centers that each call moves, by ``update_by``."""

    def build(self, input_shape):
        self.centers = self.add_weight((3,), "zeros", name="centers", trainable=False)

    def call(self, x):
        y = keras.ops.sum((x - self.centers) ** 2, axis=-1, keepdims=True)
        self.update_by(x)
        return y


def test_a_weight_that_a_call_binds_to_a_result_keeps_its_value():
    class Bound(Centers):
        def build(self, input_shape):
            super().build(input_shape[0])

        def call(self, inputs):
            return super().call(inputs[0] * inputs[1])

        def update_by(self, x):
            self.centers -= 0.5 * (self.centers - keras.ops.mean(x, axis=0))

    layer, inputs = Bound(), [keras.Input((3,)), keras.Input((1,))]
    hidden = layers.Dense(3)
    model = keras.Model(inputs, layer([hidden(inputs[0]), inputs[1]]))
    model.compile("sgd", "mse")
    data = [X, np.ones((4, 1), np.float32)]
    with pytest.warns(UserWarning, match=r"binds self.centers.* self.centers.assign\(...\)"):
        model.predict(data, verbose=0)
    for _ in range(2):
        found = model.predict(data, verbose=0)
        wanted = np.sum(hidden(X) ** 2, axis=-1, keepdims=True)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        model.fit(data, np.zeros((4, 1)), verbose=0)
    assert layer.centers is layer.weights[0]
    np.testing.assert_array_equal(layer.get_weights()[0], 0)


@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("first", ["predict", "fit", "call"])
def test_augmented_assignments_in_a_call_leave_weights_as_they_are(trainable, added, first):
    class Moved(layers.Layer):
        def __init__(self):
            super().__init__()
            if added:
                self.w = self.add_weight((3,), "ones", trainable=trainable)
            else:
                self.w = keras.Variable(np.ones(3, np.float32), trainable=trainable)

        def call(self, x):
            self.w -= 0.5
            self.w *= 4.0
            return x * self.w

    layer = Moved()
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    w = layer.weights[0]
    runs = {
        "predict": lambda: model.predict(X, verbose=0),
        "fit": lambda: model.fit(X, X, verbose=0),
        "call": lambda: layer(X),
    }
    with pytest.warns(UserWarning, match=r"w.assign\(...\), or self.w.assign_sub\(...\)"):
        runs[first]()
    for run in runs.values():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run()
        assert layer.w is w
        np.testing.assert_array_equal(w, np.ones(3))
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X, rtol=1e-6)
    layer.w -= 0.25  # outside of calls as ever
    np.testing.assert_array_equal(w, np.full(3, 0.75))


def test_updates_are_done_at_the_end_of_calls_of_training():
    class Updated(Centers):
        def update_by(self, x):
            self.add_update((self.centers, self.centers + 0.25 * keras.ops.mean(x, axis=0)), x)

    layer = Updated()
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.predict(X, verbose=0), 3)
    np.testing.assert_array_equal(layer.get_weights()[0], 0)
    model.fit(X, np.zeros((4, 1)), batch_size=2, verbose=0)
    np.testing.assert_allclose(layer.get_weights()[0], 0.5)
    np.testing.assert_allclose(model.predict(X, verbose=0), 0.75)

    class Wrong(Centers):
        def update_by(self, x):
            self.add_update([(x.shape, self.centers)])

    with pytest.raises(TypeError, match="add_update takes pairs of a weight and its new value"):
        Wrong()(X)
