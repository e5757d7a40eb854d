"""Gradients of models that are called more than once, and of those of several outputs."""

import numpy as np
import pytest

import pyconv.compat.tensorflow as tf
from pyconv.compat.keras import layers

RNG = np.random.default_rng(3)
A, B = (RNG.normal(size=(4, 6, 6, 2)).astype(np.float32) for _ in range(2))


def network(*more):
    return tf.keras.Sequential(
        [
            layers.Conv2D(3, 3, activation="tanh", input_shape=(6, 6, 2)),
            *more,
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def test_gradients_of_two_calls_are_those_of_one_call_of_both():
    model = network()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(A, training=True) ** 2) + tf.reduce_sum(
            3.0 * model(B, training=True)
        )
    found = tape.gradient(loss, model.trainable_variables)
    weights = np.repeat([[1.0], [0.0]], 4, axis=0).astype(np.float32)
    with tf.GradientTape() as tape:
        y = model(np.concatenate([A, B]), training=True)
        loss = tf.reduce_sum(y**2 * weights + 3.0 * y * (1 - weights))
    wanted = tape.gradient(loss, model.trainable_variables)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_an_earlier_call_goes_forward_again_as_it_did():
    # Dropout draws what it drew, and the moving means are not moved twice.
    def gradients(calls):
        tf.keras.utils.set_random_seed(1)
        model = network(layers.BatchNormalization(momentum=0.5), layers.Dropout(0.5, seed=2))
        with tf.GradientTape() as tape:
            first = tf.reduce_mean(model(A, training=True) ** 2)
            for _ in range(calls):
                model(B, training=True)
            moving = [np.array(w) for w in model.non_trainable_variables]
        found = tape.gradient(first, model.trainable_variables)
        for a, b in zip(model.non_trainable_variables, moving, strict=True):
            np.testing.assert_array_equal(a, b)
        return found, model(A, training=True)

    (alone, _), (found, after) = gradients(0), gradients(1)
    for a, b in zip(alone, found, strict=True):
        np.testing.assert_array_equal(a, b)
    with tf.GradientTape():
        tf.keras.utils.set_random_seed(1)
        model = network(layers.BatchNormalization(momentum=0.5), layers.Dropout(0.5, seed=2))
        model(A, training=True)
        model(B, training=True)
    np.testing.assert_array_equal(model(A, training=True), after)


def test_two_tapes_of_networks_that_train_against_each_other():
    generator = tf.keras.Sequential([layers.Dense(3, input_shape=(2,)), layers.LeakyReLU()])
    critic = tf.keras.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,))])
    critic.add(layers.Dense(1))
    noise, real = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 3))

    def losses():
        made = generator(noise, training=True)
        true, false = critic(real, training=True), critic(made, training=True)
        return tf.reduce_mean(-false), tf.reduce_mean(tf.square(true - 1) + tf.square(false))

    with tf.GradientTape() as of_generator, tf.GradientTape() as of_critic:
        made_loss, critic_loss = losses()
    found = [
        of_generator.gradient(made_loss, generator.trainable_variables),
        of_critic.gradient(critic_loss, critic.trainable_variables),
    ]
    for k, model in enumerate((generator, critic)):
        for weight, gradient in zip(model.trainable_variables, found[k], strict=True):
            for place in np.ndindex(weight.shape):
                value, values = weight[place], []
                for step in (1e-2, -1e-2):
                    weight[place] = value + step
                    values.append(float(losses()[k]))
                weight[place] = value
                slope = (values[0] - values[1]) / 2e-2
                np.testing.assert_allclose(gradient[place], slope, rtol=2e-2, atol=2e-3)


def test_a_call_before_a_step_cannot_go_back():
    model = network()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(A, training=True))
        model(B, training=True)
    tf.keras.optimizers.SGD().apply_gradients(
        [(np.ones_like(w), w) for w in model.trainable_variables]
    )
    with pytest.raises(RuntimeError, match="called again before .* and weights were changed"):
        tape.gradient(loss, model.trainable_variables)


def test_outputs_of_one_model_have_gradients_by_each_other():
    # As Grad-CAM has it: the score by what the last convolution gave.
    x = tf.keras.Input((6, 6, 2))
    maps = layers.Conv2D(3, 3, activation="relu")(x)
    kept = layers.GlobalAveragePooling2D()(maps)
    score = layers.Dense(2)(layers.concatenate([kept, kept * 2.0]))
    model = tf.keras.Model(x, [maps, score])
    with tf.GradientTape() as tape:
        found, scores = model(A)
        best = scores[:, 1]
    gradient = tape.gradient(best, found)
    kernel = model.get_weights()[2][:, 1]
    wanted = np.broadcast_to((kernel[:3] + 2 * kernel[3:]) / 16, found.shape)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5)


def test_models_of_several_outputs_train_in_steps_of_ones_own():
    inputs = tf.keras.Input((3,))
    hidden = layers.Dense(4, activation="tanh")(inputs)
    model = tf.keras.Model(inputs, [layers.Dense(2)(hidden), layers.Dense(1)(hidden)])
    x = RNG.normal(size=(5, 3)).astype(np.float32)

    def loss():
        first, second = model(x, training=True)
        return tf.reduce_sum(first * first) + tf.reduce_sum(tf.exp(second))

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        place = (0,) * weight.ndim
        kept, values = weight[place], []
        for step in (1e-2, -1e-2):
            weight[place] = kept + step
            values.append(float(loss()))
        weight[place] = kept
        np.testing.assert_allclose(gradient[place], (values[0] - values[1]) / 2e-2, rtol=1e-2)


def test_models_without_a_call_train_what_they_hold():
    class Pair(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.one = network()
            self.others = [tf.keras.Sequential([layers.Dense(1, input_shape=(1,))])]

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                p = self.others[0](self.one(x, training=True), training=True)
                loss = self.compiled_loss(y, p, regularization_losses=self.losses)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
            self.compiled_metrics.update_state(y, p)
            return {m.name: m.result() for m in self.metrics}

    model = Pair()
    model.compile("sgd", "mse", metrics=["mae"])
    before = [np.array(w) for w in model.weights]
    assert len(before) == 6
    assert model.layers == [model.one, model.others[0]]
    history = model.fit(A, np.ones((4, 1)), epochs=2, verbose=0).history
    assert sorted(history) == ["loss", "mae"]
    assert history["loss"][1] < history["loss"][0]
    for old, new in zip(before, model.weights, strict=True):
        assert not np.array_equal(old, new)


@pytest.mark.parametrize("inside", [False, True])
def test_penalties_of_parameters_have_gradients(inside):
    model = network()
    before = [np.array(w) for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        y = model(A, training=True)
        loss = tf.reduce_sum(y)
        whole = loss + 0.5 * tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_variables])
        if inside:
            found = tape.gradient(whole, model.trainable_variables)
            tf.keras.optimizers.SGD(0.1).apply_gradients(
                zip(found, model.trainable_weights, strict=True)
            )
    if not inside:
        found = tape.gradient(whole, model.trainable_variables)
        tf.keras.optimizers.SGD(0.1).apply_gradients(
            zip(found, model.trainable_variables, strict=True)
        )
    plain = network()
    plain.set_weights(before)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(plain(A, training=True))
    wanted = tape.gradient(loss, plain.trainable_variables)
    for found_one, one, w, now in zip(found, wanted, before, model.get_weights(), strict=True):
        np.testing.assert_allclose(found_one, one + 0.5 * w, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(now, w - 0.1 * (one + 0.5 * w), rtol=1e-5, atol=1e-6)


def test_gradients_are_clipped_together():
    parts, norm = tf.clip_by_global_norm([np.array([3.0]), None, np.array([4.0])], 1.0)
    assert float(norm) == 5
    assert parts[1] is None
    np.testing.assert_allclose([parts[0][0], parts[2][0]], [0.6, 0.8])
    np.testing.assert_allclose(tf.clip_by_global_norm([np.array([3.0])], 5.0)[0][0], [3.0])
    np.testing.assert_allclose(tf.clip_by_norm(np.array([3.0, 4.0]), 1.0), [0.6, 0.8])


def test_models_within_calls_with_weights_of_their_own():
    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.body = tf.keras.Sequential([layers.Dense(3)])
            self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

        def call(self, x):
            return self.body(x) * self.scale

    x = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    net = Net()
    net.build((None, 4))
    net.scale.assign([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(net(x, training=True)))
        variables = net.trainable_variables
    grads = {np.shape(w): g for w, g in zip(variables, tape.gradient(loss, variables), strict=True)}
    scale = np.array([1.0, 2.0, 3.0])
    kernel = np.asarray(next(w for w in net.weights if np.shape(w) == (4, 3)))
    hidden = x @ kernel
    np.testing.assert_allclose(grads[4, 3], x.T @ (2 * hidden * scale**2), rtol=1e-4)
    own = [g for w, g in zip(variables, tape.gradient(loss, variables), strict=True)
           if np.shape(w) == (3,)]  # fmt: skip
    wanted = [(2 * hidden**2 * scale).sum(0), (2 * hidden * scale**2).sum(0)]
    for values in wanted:
        assert any(np.allclose(values, g, rtol=1e-4) for g in own)


def penalty(critic, x):
    """The gradient penalty of a critic; Gulrajani et al., 2017."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = critic(x, training=True)
    slopes = tape.gradient(y, x)
    return tf.reduce_mean((tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=1)) - 1.0) ** 2)


def test_gradients_of_gradients_are_errors():
    critic = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(1)])
    x = tf.constant(np.ones((3, 4), np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(x, training=True)) + penalty(critic, x)
    with pytest.raises(NotImplementedError, match="SpectralNormalization"):
        tape.gradient(loss, critic.trainable_variables)
    variable = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            cube = variable * variable * variable
        slope = inner.gradient(cube, variable)
    assert float(slope) == 27.0
    with pytest.raises(NotImplementedError, match="gradient of a gradient"):
        outer.gradient(slope, variable)


def test_signs_of_gradients_may_be_inputs():
    """Adversarial training in one tape: what a sign is made of has a gradient of zeros."""
    net = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(1)])
    x = tf.constant(np.ones((3, 4), np.float32))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            first = tf.reduce_sum(net(x, training=True))
        attacked = x + 0.1 * tf.sign(inner.gradient(first, x))
        loss = tf.reduce_sum(net(attacked, training=True))
    kernel, _ = outer.gradient(loss, net.trainable_variables)
    wanted = np.asarray(attacked).sum(0)[:, None]
    np.testing.assert_allclose(kernel, wanted, rtol=1e-5)


def test_gradients_within_losses_are_errors():
    x = tf.keras.Input((4,))
    hidden = layers.Dense(4)(x)
    model = tf.keras.Model(x, layers.Dense(1)(hidden))

    def loss(y_true, y_pred):
        slopes = tf.keras.backend.gradients(tf.reduce_sum(y_pred), [hidden])[0]
        return tf.reduce_mean(tf.square(slopes))

    with pytest.raises(NotImplementedError, match="SpectralNormalization"):
        model.compile("sgd", loss)
