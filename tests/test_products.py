"""Gradients of large kernels that the optimizer multiplies out: the same bits as arrays."""

import numpy as np
import pytest

import pyconv
from pyconv import backend, layers, optimizers

OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01),
}
pytestmark = pytest.mark.cpu


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rows", [0, 1, 4, 5, 33])
def test_same_bits_as_with_arrays(name, rows, isa, threads):
    rng = np.random.default_rng(1)
    sizes = [(7, 3), (301, 67), (67, 1), (1, 5000)]
    x, dy = ([rng.standard_normal((rows, s[i]), np.float32) for s in sizes] for i in (0, 1))
    start = [rng.standard_normal(s, np.float32) for s in sizes]
    multiplied = [
        backend.cpu.dense_backward_weights(*factors) for factors in zip(x, dy, strict=True)
    ]

    def after_two_steps(grads, count):
        threads(count)
        optimizer, params = OPTIMIZERS[name](), [w.copy() for w in start]
        for _ in range(2):
            optimizer.apply(grads, params)
        return [w.tobytes() for w in params]

    wanted = after_two_steps(multiplied, 1)
    mixed = [multiplied[0], *zip(x[1:], dy[1:], strict=True)]
    for count in (1, 2, 3):
        assert after_two_steps(mixed, count) == wanted


def trained(optimizer, kernel_regularizer=None):
    pyconv.utils.set_random_seed(2)
    dense = layers.Dense(256, "relu", kernel_regularizer=kernel_regularizer)
    model = pyconv.Sequential([pyconv.Input((6, 50)), layers.Flatten(), dense, layers.Dense(3)])
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(3)
    x, y = (rng.standard_normal((40, *s), np.float32) for s in ((6, 50), (3,)))
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_model_trains_to_the_same_bits(name, monkeypatch):
    model = trained(OPTIMIZERS[name]())
    assert [layer.units for layer in model._factorable] == [256]
    assert not model.layers[1].factored
    monkeypatch.setattr(optimizers.Optimizer, "takes_products", False)
    for ours, wanted in zip(
        model.get_weights(), trained(OPTIMIZERS[name]()).get_weights(), strict=True
    ):
        assert ours.tobytes() == wanted.tobytes()


def test_grads_are_there_after_a_step():
    model = trained("sgd")
    dense = model.layers[1]
    x, y = np.ones((4, 6, 50), np.float32), np.zeros((4, 3), np.float32)
    before = [w.copy() for w in model.get_weights()]
    model.train_on_batch(x, y)
    assert isinstance(dense.update_grads[0], tuple)
    for got, old, grad in zip(dense.params, before, dense.grads, strict=False):
        np.testing.assert_allclose(got, old - np.float32(0.01) * grad, rtol=1e-6, atol=1e-7)
    assert dense.update_grads is dense.grads


class Halved(optimizers.SGD):
    """An optimizer of a user, which looks at its gradients."""

    def _update(self, params, grads, weight_decay):
        super()._update(params, [grad / 2 for grad in grads], weight_decay)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.SGD(clipnorm=1.0),
        lambda: optimizers.Adam(clipvalue=1.0),
        lambda: optimizers.RMSprop(global_clipnorm=1.0),
        lambda: optimizers.SGD(use_ema=True),
        lambda: optimizers.SGD(loss_scale_factor=2.0),
        lambda: optimizers.SGD(gradient_accumulation_steps=2),
        lambda: optimizers.Lion(),
        lambda: Halved(0.1),
    ],
)
def test_optimizers_that_look_at_gradients_get_arrays(optimizer):
    assert not optimizer().takes_products
    trained(optimizer())


def test_weights_that_are_left_out_of_the_decay():
    optimizer = optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert not optimizer.takes_products
    trained(optimizer)


def test_a_penalty_is_added_to_the_array():
    model = trained("sgd", kernel_regularizer="l2")
    assert not model._factorable
    assert model.layers[1]._factors is None


def test_the_backward_pass_alone_fills_grads():
    model = trained("sgd")
    y = model._forward(np.ones((2, 6, 50), np.float32), training=True)
    model._backward(np.ones_like(y))
    dense = model.layers[1]
    assert dense.update_grads is dense.grads
    x, dy = np.ones((2, 300), np.float32), model.layers[2].kernel.sum(1) * (dense._y[0] > 0)
    np.testing.assert_allclose(dense.grads[0], x.T @ np.tile(dy, (2, 1)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("factors", "text"),
    [
        (((2, 3),), "must be .x, dy., got 1 arrays"),
        (((2, 3), (3, 4)), r"must be \(N, IN\) and \(N, UNITS\), got \(2, 3\) and \(3, 4\)"),
        (((2, 3), (2,)), r"must be \(N, IN\) and \(N, UNITS\), got \(2, 3\) and \(2,\)"),
        (((2, 4), (2, 4)), r"params must be \(4, 4\), got \(3, 4\)"),
    ],
)
def test_factors_that_do_not_fit(factors, text):
    w = np.ones((3, 4), np.float32)
    with pytest.raises(ValueError, match=text):
        backend.cpu.sgd_update([w], [tuple(np.ones(s, np.float32) for s in factors)], None, 0.1)
    assert (w == 1).all()
