"""Regularizers and constraints: formulas, and what training makes of them."""

import numpy as np
import pytest
import torch

import pyconv
from pyconv import constraints, layers, regularizers


def orthogonal(w, mode):
    rows = w if mode == "rows" else w.T
    unit = rows / torch.sqrt((rows**2).sum(1, keepdim=True))
    products = (unit @ unit.T) * (1 - torch.eye(len(unit), dtype=w.dtype))
    return 0.3 * 0.5 * products.abs().sum() / (len(unit) * (len(unit) - 1) / 2)


FORMULAS = [
    (regularizers.L1(0.3), lambda w: 0.3 * w.abs().sum()),
    (regularizers.L2(0.3), lambda w: 0.3 * (w * w).sum()),
    (regularizers.L1L2(0.1, 0.2), lambda w: 0.1 * w.abs().sum() + 0.2 * (w * w).sum()),
    (regularizers.OrthogonalRegularizer(0.3), lambda w: orthogonal(w, "rows")),
    (regularizers.OrthogonalRegularizer(0.3, "columns"), lambda w: orthogonal(w, "columns")),
]


@pytest.mark.parametrize(("regularizer", "formula"), FORMULAS)
def test_value_and_gradient(regularizer, formula):
    w = np.random.default_rng(0).standard_normal((5, 4), np.float32)
    exact = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    value = formula(exact)
    value.backward()
    assert regularizer(w) == pytest.approx(value.item(), rel=1e-6)
    np.testing.assert_allclose(regularizer.gradient(w), exact.grad.numpy(), rtol=2e-5, atol=1e-6)
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize(
    ("identifier", "config"),
    [
        ("l1", {"l1": 0.01}),
        ("L2", {"l2": 0.01}),
        ("l1_l2", {"l1": 0.0, "l2": 0.0}),
        ("orthogonal_regularizer", {"factor": 0.01, "mode": "rows"}),
        (regularizers.L1, {"l1": 0.01}),
        ({"class_name": "L2", "config": {"l2": 3.0}}, {"l2": 3.0}),
    ],
)
def test_names_of_regularizers(identifier, config):
    assert regularizers.get(identifier).get_config() == config


# From Keras's constraints_test.py.
ARRAY = np.array([[0.2, -1.0, 3.0], [0.1, 0.0, -0.5], [0.7, 2.0, 1.5]], "f4")


@pytest.mark.parametrize(
    ("constraint", "wanted"),
    [
        (constraints.NonNeg(), np.maximum(ARRAY, 0)),
        (constraints.UnitNorm(), ARRAY / np.linalg.norm(ARRAY, axis=0)),
        (constraints.UnitNorm(axis=1), ARRAY / np.linalg.norm(ARRAY, axis=1, keepdims=True)),
        (
            constraints.MaxNorm(2),
            ARRAY * np.minimum(np.linalg.norm(ARRAY, axis=0), 2) / np.linalg.norm(ARRAY, axis=0),
        ),
        (
            constraints.MinMaxNorm(1.0, 2.0, 0.5, axis=[0, 1]),
            ARRAY * (0.5 * 2 + 0.5 * np.linalg.norm(ARRAY)) / np.linalg.norm(ARRAY),
        ),
    ],
)
def test_constraints(constraint, wanted):
    np.testing.assert_allclose(constraint(ARRAY), wanted, rtol=1e-5)
    again = constraints.deserialize(constraints.serialize(constraint))
    assert again.get_config() == constraint.get_config()


@pytest.mark.parametrize("module", [regularizers, constraints])
def test_wrong_identifiers(module):
    assert module.get(None) is None
    with pytest.raises(ValueError, match="unknown identifier 'colour'"):
        module.get("colour")
    with pytest.raises(TypeError, match="MaxNorm: max_value must be a number"):
        constraints.MaxNorm("2")
    with pytest.raises(ValueError, match="MinMaxNorm: min_value must be"):
        constraints.MinMaxNorm(-1.0)
    with pytest.raises(TypeError, match="identifier must be None, a name such as"):
        module.get(3)


def test_loss_and_gradients_of_a_network():
    """A network with each kind of penalty, beside the same in torch."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 8, 8, 2), np.float32), rng.integers(0, 3, 6)
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu", kernel_regularizer=regularizers.L2(0.05)),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(5, "tanh", bias_regularizer="l1", activity_regularizer="l2"),
            layers.Dense(3, "softmax", kernel_regularizer=regularizers.L1L2(0.01, 0.02)),
        ]
    )
    model.compile(pyconv.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    weights = [
        torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in model.get_weights()
    ]
    k, b, w1, b1, w2, b2 = weights
    t = torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float64)
    t = torch.relu(torch.nn.functional.conv2d(t, k.permute(3, 2, 0, 1), b))
    t = torch.nn.functional.max_pool2d(t, 2).permute(0, 2, 3, 1).reshape(6, -1)
    hidden = torch.tanh(t @ w1 + b1)
    loss = torch.nn.functional.cross_entropy(hidden @ w2 + b2, torch.tensor(y))
    total = loss + 0.05 * (k * k).sum() + 0.01 * b1.abs().sum() + 0.01 * (hidden**2).sum() / 6
    total = total + 0.01 * w2.abs().sum() + 0.02 * (w2 * w2).sum()
    total.backward()
    assert model.evaluate(x, y, verbose=0, batch_size=6) == pytest.approx(total.item(), rel=1e-6)
    before = model.get_weights()
    assert model.train_on_batch(x, y) == pytest.approx(total.item(), rel=1e-6)
    for old, new, exact in zip(before, model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(old - new, exact.grad.numpy(), rtol=1e-4, atol=2e-6)
    again = pyconv.Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()


def test_a_scaled_loss_leaves_the_step_as_it_is():
    x, y = np.ones((4, 3), "f4"), np.ones((4, 1), "f4")
    stepped = []
    for factor in (None, 128.0):
        layer = layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")
        model = pyconv.Sequential([pyconv.Input((3,)), layer])
        model.compile(pyconv.optimizers.SGD(0.1, loss_scale_factor=factor), "mse")
        model.train_on_batch(x, y)
        stepped.append(model.get_weights()[0])
    np.testing.assert_allclose(*stepped, rtol=1e-6)


def test_layers_that_do_not_train_have_no_penalty():
    layer = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    layer(np.ones((2, 3)))
    assert len(layer.losses) == 2
    layer.trainable = False
    assert len(layer.losses) == 1


def test_constraints_hold_after_each_step():
    model = pyconv.Sequential(
        [
            pyconv.Input((3,)),
            layers.Dense(4, kernel_constraint=constraints.MaxNorm(0.5), bias_constraint="non_neg"),
            layers.Dense(1, kernel_constraint=lambda w: np.clip(w, -0.1, 0.1)),
        ]
    )
    model.compile(pyconv.optimizers.SGD(0.5), "mse")
    x = np.random.default_rng(0).standard_normal((16, 3))
    model.fit(x, x.sum(axis=1, keepdims=True), epochs=2, verbose=0)
    kernel, bias, last, _ = model.get_weights()
    assert np.linalg.norm(kernel, axis=0).max() <= 0.5 + 1e-6
    assert bias.min() >= 0
    assert np.abs(last).max() <= np.float32(0.1)


def test_a_network_without_them_has_nothing_to_do():
    model = pyconv.Sequential([pyconv.Input((3,)), layers.Dense(4)])
    model(np.ones((1, 3)))
    assert not model._penalized
    assert not model._constrained
    assert model._steps_made == model.layers


def test_a_regularizer_without_a_gradient_says_so():
    class Odd(regularizers.Regularizer):
        def __call__(self, x):
            return 1.0

    model = pyconv.Sequential([pyconv.Input((3,)), layers.Dense(1, kernel_regularizer=Odd())])
    model.compile("sgd", "mse")
    assert model.evaluate(np.zeros((1, 3)), np.zeros((1, 1)), verbose=0) == pytest.approx(1)
    with pytest.raises(NotImplementedError, match=r"Odd must define gradient\(x\)"):
        model.fit(np.ones((1, 3)), np.ones((1, 1)), verbose=0)
