"""Circle loss, against its formula in float64 torch."""

import numpy as np
import pytest
import torch

import pyconv
from pyconv import losses


def embeddings(rng, n, c):
    values = rng.standard_normal((n, c))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def reference(labels, p, others, reference, remove_diagonal, gamma, margin):
    d = (1 - p @ reference.T).clamp(min=0)
    same = labels[:, None] == others[None, :]
    other = ~same
    if remove_diagonal:
        same &= ~torch.eye(*same.shape, dtype=torch.bool)
    infinite = torch.full_like(d, -torch.inf)
    near = torch.where(same, -gamma * (margin + d) * (margin - d), infinite)
    far = torch.where(other, gamma * (1 + margin - d).clamp(min=0) * (1 - margin - d), infinite)
    total = near.logsumexp(1) + far.logsumexp(1)
    return torch.logaddexp(total, torch.zeros_like(total))


@pytest.mark.parametrize(("gamma", "margin"), [(80.0, 0.4), (4.0, 0.25)])
@pytest.mark.parametrize("remove_diagonal", [True, False])
def test_loss_and_gradient(gamma, margin, remove_diagonal):
    rng = np.random.default_rng(0)
    y, p = np.array([0, 1, 0, 2, 1, 1]), embeddings(rng, 6, 5)
    scale = rng.random(6).astype(np.float32)
    loss = losses.Circle(gamma, margin, remove_diagonal)
    rows, grad = loss.call_with_gradient(y, p, scale)
    t = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    wanted = reference(torch.tensor(y), t, torch.tensor(y), t, remove_diagonal, gamma, margin)
    np.testing.assert_allclose(rows, wanted.detach(), rtol=1e-6)
    # A sample that is alone in its class has the loss 0, whose gradient torch has as NaN.
    counts = loss.row_mask(y)
    (wanted[torch.tensor(counts)] * torch.tensor(scale[counts])).sum().backward()
    finite = torch.nan_to_num(t.grad)
    np.testing.assert_allclose(grad, finite, rtol=1e-5, atol=1e-5)


def test_samples_without_a_pair_do_not_count():
    y, p = np.array([0, 0, 1]), embeddings(np.random.default_rng(1), 3, 4)
    rows = losses.circle(y, p)
    assert rows[2] == 0 < rows[0]
    assert losses.Circle()(y, p) == pytest.approx(float(rows[:2].mean()), rel=1e-6)
    assert losses.Circle(reduction="sum")(y, p) == pytest.approx(float(rows.sum()), rel=1e-6)
    assert losses.Circle()(np.zeros(3, int), p) == 0.0


def test_other_references():
    rng = np.random.default_rng(2)
    y, p, others = np.array([0, 1]), embeddings(rng, 2, 4), embeddings(rng, 3, 4)
    labels = np.array([1, 0, 1])
    rows = losses.circle(y, p, labels, others, remove_diagonal=False)
    double = [torch.tensor(v, dtype=torch.float64) for v in (p, others)]
    wanted = reference(
        torch.tensor(y), double[0], torch.tensor(labels), double[1], False, 80.0, 0.4
    )
    np.testing.assert_allclose(rows, wanted, rtol=1e-6)


def test_training_makes_it_small():
    pyconv.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 64)
    x = (np.eye(3)[y] + 0.3 * rng.standard_normal((64, 3))).astype(np.float32)
    model = pyconv.Sequential(
        [pyconv.Input((3,)), pyconv.layers.Dense(8, "tanh"), pyconv.layers.Dense(2)]
    )
    model.compile(pyconv.optimizers.Adam(0.01), losses.Circle(gamma=4.0))
    history = model.fit(x, y, epochs=100, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.Circle(gamma="a"), "Circle: gamma must be a number"),
        (lambda: losses.Circle(margin=-1), "Circle: margin must be at least 0"),
        (lambda: losses.Circle(remove_diagonal=[1]), "remove_diagonal must be True or False"),
        (lambda: losses.circle([0], [1.0]), r"circle: y_pred must have shape \(N, C\), got \(1,\)"),
        (lambda: losses.circle([0.5], [[1.0]]), "y_true must hold class numbers"),
        (
            lambda: losses.circle([0], [[1.0]], [0], [[1.0, 2.0]]),
            r"ref_embeddings must be \(1, 1\)",
        ),
        (lambda: losses.Circle()([0, 1], np.ones((2, 3, 4))), r"takes embeddings \(N, C\)"),
    ],
)
def test_errors(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_config():
    loss = losses.Circle(2.0, 0.1, False, "sum", "c")
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()
    assert losses.get("circle") is losses.circle
