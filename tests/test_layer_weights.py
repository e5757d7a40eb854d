"""Weights of a layer: reading, setting, building, gradients, initial values."""

import numpy as np
import pytest

from pyconv import initializers, layers


def test_weights():
    layer = layers.Dense(2, name="d")
    assert not layer.built
    assert layer.weights == layer.get_weights() == []
    with pytest.raises(ValueError, match="Dense 'd': count_params needs a built layer"):
        layer.count_params()
    with pytest.raises(AttributeError, match="Dense 'd': the kernel exists once"):
        layer.kernel  # noqa: B018
    with pytest.raises(AttributeError, match="Dense 'd': output_shape is known once"):
        layer.output_shape  # noqa: B018
    with pytest.raises(ValueError, match="it is not built: call build"):
        layer.set_weights([np.ones((3, 2)), np.ones(2)])
    layer.build((None, 3))
    assert (layer.input_shape, layer.output_shape, layer.count_params()) == (
        (None, 3),
        (None, 2),
        8,
    )
    values = [np.arange(6.0).reshape(3, 2), np.ones(2)]
    layer.set_weights(values)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), values, strict=True))
    layer.get_weights()[0][:] = 9
    assert np.array_equal(layer.kernel, values[0])
    layer.weights[1][:] = 5
    assert layer.bias.tolist() == [5, 5]
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (2, 0)
    layer.trainable = False
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (0, 2)


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        (np.ones((3, 2)), TypeError, "weights must be a list of arrays, got a ndarray"),
        (
            [np.ones((3, 2))],
            ValueError,
            r"got 1 arrays, but the layer has 2: kernel \(3, 2\), bias",
        ),
        ([np.ones((3, 2)), np.ones(3)], ValueError, r"bias must be \(2,\), got \(3,\)"),
        ([np.ones((3, 2)), "b"], TypeError, "bias must be an array of real numbers"),
    ],
)
def test_wrong_weights_change_nothing(weights, error, text):
    layer = layers.Dense(2, kernel_initializer="zeros")
    layer.build((None, 3))
    with pytest.raises(error, match=text):
        layer.set_weights(weights)
    assert not layer.kernel.any()


def test_build_again_keeps_the_weights():
    layer = layers.Conv2D(2, 3)
    layer.build((None, 8, 8, 1))
    before = layer.kernel
    layer.build((None, 5, 6, 1))
    assert layer.kernel is before
    assert layer.output_shape == (None, 3, 4, 2)
    with pytest.raises(ValueError, match="built for 1 channels"):
        layer.build((None, 8, 8, 3))
    assert layer.output_shape == (None, 3, 4, 2)
    layer.unbuild()
    layer.build((None, 8, 8, 3))
    assert layer.kernel.shape == (3, 3, 3, 2)


def test_gradients_have_the_shapes_of_the_weights():
    layer = layers.Conv2D(4, 3)
    layer.build((None, 8, 8, 2))
    assert [g.shape for g in layer.grads] == [(3, 3, 2, 4), (4,)]
    assert [g.shape for g in layers.Flatten().grads] == []


def test_a_frozen_layer_passes_the_gradient_on():
    layer = layers.Dense(2, kernel_initializer="ones", trainable=False)
    layer.build((None, 3))
    layer.forward(np.ones((1, 3), np.float32), True)
    dx = layer.backward(np.array([[1, 2]], np.float32), True)
    assert dx.tolist() == [[3, 3, 3]]
    assert not any(g.any() for g in layer.grads)


def test_an_array_that_an_initializer_keeps_is_not_trained():
    class Fixed(initializers.Initializer):
        values = np.ones((3, 2), np.float32)

        def __call__(self, shape, dtype=None):
            return self.values

    layer = layers.Dense(2, kernel_initializer=Fixed())
    layer.build((None, 3))
    layer.kernel[:] = 7
    assert (Fixed.values == 1).all()
    with pytest.raises(ValueError, match=r"initializer of kernel must return \(4, 2\)"):
        layers.Dense(2, kernel_initializer=Fixed()).build((None, 4))


def test_a_kernel_larger_than_memory_is_refused():
    layer = layers.Dense(2**31 - 1, name="d")
    with pytest.raises(ValueError, match="Dense 'd': kernel of shape .* more than half"):
        layer.build((None, 2**31 - 1))
    assert not layer.built
    assert layer.weights == []


def test_weights_can_be_assigned_to():
    layer = layers.SeparableConv2D(2, 3)
    layer.build((None, 5, 5, 4))
    values = np.arange(8.0).reshape(1, 1, 4, 2)
    layer.pointwise_kernel.assign(values)
    layer.bias.assign_add([1.0, 2.0])
    assert layer.depthwise_kernel.shape == (3, 3, 4, 1)
    np.testing.assert_array_equal(layer.get_weights()[1], values)
    assert [w.name for w in layer.weights] == ["depthwise_kernel", "pointwise_kernel", "bias"]
    assert [type(w) for w in layer.get_weights()] == [np.ndarray] * 3
    with pytest.raises(ValueError, match=r"'bias': assign wants shape \(2,\), got \(3,\)"):
        layer.bias.assign(np.ones(3))
