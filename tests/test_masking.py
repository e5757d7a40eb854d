"""Masks: from a Masking to the layers that leave masked cells out, and renormalized batches."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, here

import pyconv
from pyconv import layers

RNG = np.random.default_rng(5)
X = RNG.standard_normal((4, 5, 3), np.float32)
KEPT = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)


def masked(x=X):
    return np.where(KEPT[..., None], x, np.float32(0))


def check(ours, exact, single):
    for one, truth, theirs in zip(ours, exact, single, strict=True):
        reference.check(np.asarray(one), truth, theirs)


def passes(layer, x, training, dy):
    y = np.array(layer.forward(here(x), training))
    dx = np.array(layer.backward(here(dy), True))
    return [y, dx, *(np.array(g) for g in layer.grads)]


def batch_norm(axis, weights, epsilon, correct=None):
    """Return Keras's formula in torch, the moments by weights; ``correct`` gives r and d."""

    def function(x, gamma, beta):
        last = x.movedim(axis, -1)
        rows = last.reshape(-1, last.shape[-1])
        w = torch.tensor(np.moveaxis(weights, axis, -1).reshape(rows.shape), dtype=x.dtype)
        count = w.sum(0) + (1e-7 if correct is None else 0)
        mean = (w * rows).sum(0) / count
        variance = (w * (rows - mean) ** 2).sum(0) / count
        deviation = torch.sqrt(variance + epsilon)
        y = (rows - mean) / deviation
        if correct is not None:
            r, d = correct(mean.detach(), deviation.detach())
            y = y * r + d
        y = y * gamma + beta
        return y.reshape(last.shape).movedim(-1, axis)

    return function


@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization_of_what_is_not_masked(axis):
    c = X.shape[axis]
    layer = layers.BatchNormalization(axis=axis, momentum=0.5)
    layer.build((None, 5, 3))
    gamma, beta = (RNG.random(c, np.float32) for _ in range(2))
    layer.set_weights([gamma, beta, np.zeros(c), np.ones(c)])
    dy = RNG.standard_normal(X.shape, np.float32)
    layer.mask = KEPT
    ours = passes(layer, X, True, dy)
    function = batch_norm(axis, np.broadcast_to(KEPT[..., None], X.shape), layer.epsilon)
    wanted = [
        autograd(function, [X, gamma, beta], dy, kind) for kind in (torch.float64, torch.float32)
    ]
    check(ours, *wanted)
    counted = np.moveaxis(np.broadcast_to(KEPT[..., None], X.shape), axis, -1).reshape(-1, c)
    rows = np.moveaxis(X, axis, -1).reshape(-1, c)
    means = [rows[counted[:, i], i].mean(dtype=np.float64) / 2 for i in range(c)]
    np.testing.assert_allclose(layer.moving_mean, means, rtol=1e-5, atol=1e-7)
    # Outside training nothing is left out.
    plain = layers.BatchNormalization(axis=axis)
    plain.build((None, 5, 3))
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer.forward(here(X), False), plain.forward(here(X), False))


@pytest.mark.parametrize("clipping", [None, {"rmax": 1.2, "rmin": 0.9, "dmax": 0.3}])
def test_renormalized_batches(clipping):
    layer = layers.BatchNormalization(
        momentum=0.9, renorm=True, renorm_clipping=clipping, renorm_momentum=0.8
    )
    layer.build((None, 5, 3))
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    names += ["moving_stddev", "renorm_mean", "renorm_stddev"]
    assert list(layer.named_weights) == names
    start = {name: RNG.random(3, np.float32) + np.float32(0.5) for name in names}
    layer.set_weights(list(start.values()))
    limits = {"rmin": 0, "rmax": np.inf, "dmax": np.inf, **(clipping or {})}

    def correct(mean, deviation):
        own = [torch.tensor(start[n], dtype=mean.dtype) for n in ("renorm_mean", "renorm_stddev")]
        r = torch.clamp(deviation / own[1], limits["rmin"], limits["rmax"])
        d = torch.clamp((mean - own[0]) / own[1], -limits["dmax"], limits["dmax"])
        return r, d

    dy = RNG.standard_normal(X.shape, np.float32)
    ours = passes(layer, X, True, dy)
    function = batch_norm(-1, np.ones(X.shape), layer.epsilon, correct)
    wanted = [
        autograd(function, [X, start["gamma"], start["beta"]], dy, kind)
        for kind in (torch.float64, torch.float32)
    ]
    check(ours, *wanted)
    wide = X.reshape(-1, 3).astype(np.float64)
    mean, deviation = wide.mean(0), np.sqrt(wide.var(0) + layer.epsilon)
    moving = 0.9 * start["moving_stddev"] + 0.1 * deviation
    for name, value in (
        ("renorm_mean", 0.8 * start["renorm_mean"] + 0.2 * mean),
        ("renorm_stddev", 0.8 * start["renorm_stddev"] + 0.2 * deviation),
        ("moving_mean", 0.9 * start["moving_mean"] + 0.1 * mean),
        ("moving_stddev", moving),
        ("moving_variance", moving**2 - layer.epsilon),
    ):
        np.testing.assert_allclose(getattr(layer, name), value, rtol=1e-5, err_msg=name)
    again = layers.BatchNormalization.from_config(layer.get_config())
    assert again.renorm_clipping == (clipping or {})
    fresh = layers.BatchNormalization(renorm=True, moving_variance_initializer="ones")
    fresh.build((None, 3))
    np.testing.assert_array_equal(fresh.renorm_stddev, np.ones(3))


@pytest.mark.parametrize(
    ("clipping", "text"),
    [
        ({"rmaxx": 1}, "invalid keys"),
        (3, "must be a dict"),
        ({"rmax": 0.0, "rmin": 1.0}, "rmax should be at least rmin"),
        ({"dmax": -1.0}, "dmax should be non-negative"),
    ],
)
def test_wrong_clipping(clipping, text):
    with pytest.raises(ValueError, match=text):
        layers.BatchNormalization(renorm=True, renorm_clipping=clipping)


@pytest.mark.parametrize("keepdims", [False, True])
def test_means_of_what_is_not_masked(keepdims):
    layer = layers.GlobalAveragePooling1D(keepdims=keepdims)
    layer.build((None, 5, 3))
    layer.mask = KEPT
    dy = RNG.standard_normal((4, 1, 3) if keepdims else (4, 3), np.float32)

    def function(x):
        w = torch.tensor(KEPT[..., None], dtype=x.dtype)
        return (x * w).sum(1, keepdim=keepdims) / w.sum(1, keepdim=keepdims)

    wanted = [autograd(function, [X], dy, kind) for kind in (torch.float64, torch.float32)]
    check(passes(layer, X, True, dy), *wanted)


@pytest.mark.parametrize("axis", [-1, (1, 2), [1], (-1, 0)])
def test_softmax_over_several_axes_and_of_what_is_not_masked(axis):
    dy = RNG.standard_normal(X.shape, np.float32)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    cells = np.broadcast_to(KEPT[..., None], X.shape)
    for mask in (None, cells, KEPT[:1, :, None]):
        kept = torch.tensor(np.broadcast_to(True if mask is None else mask, X.shape).copy())

        def function(x, kept=kept):
            e = torch.exp(x) * kept
            return e / e.sum(axes, keepdim=True).clamp(min=1e-30)

        layer = layers.Softmax(axis)
        layer.build((None, 5, 3))
        layer.mask = mask
        wanted = [autograd(function, [X], dy, kind) for kind in (torch.float64, torch.float32)]
        check(passes(layer, X, True, dy), *wanted)
    assert layers.Softmax.from_config(layer.get_config()).axis == axis or axis == [1]
    np.testing.assert_allclose(
        pyconv.activations.softmax(X, axis=axes),
        function(torch.tensor(X)) if mask is None else torch.exp(torch.tensor(X)).numpy()
        / np.exp(X).sum(axes, keepdims=True),
        rtol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "mask", "text"),
    [
        (layers.Softmax(), np.ones((2, 4, 5, 3)), "must not have more dimensions"),
        (layers.Softmax(), np.ones((4, 5, 2)), "each axis 1 or as long"),
        (layers.BatchNormalization(), np.ones((4, 5, 3)), "one dimension less"),
    ],
)
def test_masks_that_do_not_fit(layer, mask, text):
    layer.build((None, 5, 3))
    layer.mask = mask
    with pytest.raises(ValueError, match=text):
        layer.forward(here(X), True)


def test_a_model_leaves_masked_steps_out():
    model = pyconv.Sequential(
        [
            pyconv.Input((5, 3)),
            layers.Masking(),
            layers.BatchNormalization(momentum=0.0),
            layers.ReLU(),
            layers.GlobalAveragePooling1D(),
        ]
    )
    model.compile(pyconv.optimizers.SGD(0.0), "mse")
    x = masked()
    model.fit(x, np.zeros((4, 3)), epochs=1, batch_size=4, verbose=0)
    np.testing.assert_allclose(model.layers[1].moving_mean, x[KEPT].mean(0), rtol=1e-5)
    y = np.maximum((x - x[KEPT].mean(0)) / np.sqrt(x[KEPT].var(0) + 1e-3), 0)
    wanted = (y * KEPT[..., None]).sum(1) / KEPT.sum(1)[:, None]
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=2e-5, atol=1e-6)
    # The mask ends at a layer that mixes steps.
    ended = pyconv.Sequential(
        [pyconv.Input((5, 3)), layers.Masking(), layers.Conv1D(3, 1), layers.BatchNormalization()]
    )
    assert ended.layers[2].mask_source is None


def test_gradients_through_masking():
    layer = layers.Masking(mask_value=0.0)
    layer.build((None, 5, 3))
    dy = RNG.standard_normal(X.shape, np.float32)
    y, dx = passes(layer, masked(), True, dy)
    np.testing.assert_array_equal(y, masked())
    np.testing.assert_array_equal(dx, masked(dy))
    np.testing.assert_array_equal(layer.mask, KEPT)


def test_a_mask_of_two_branches():
    nodes = [
        (layers.Masking(), [0]),
        (layers.Dense(3), [1]),
        (layers.Add(), [1, 2]),
        (layers.BatchNormalization(momentum=0.0), [3]),
    ]
    graph = layers.Graph(nodes)
    model = pyconv.Sequential([pyconv.Input((5, 3)), graph])
    assert graph.layers[3].mask_source is graph.layers[0]
    model.compile("sgd", "mse")
    model.fit(masked(), np.zeros_like(X), batch_size=4, verbose=0)
    with pytest.raises(NotImplementedError, match="inputs with a mask are not supported"):
        pyconv.Sequential(
            [pyconv.Input((5, 3)), layers.Graph([*nodes[:2], (layers.Maximum(), [1, 2])])]
        )


def stacked():
    stack = [pyconv.Input((5, 3)), layers.Masking(), layers.Dense(4)]
    return pyconv.Sequential([*stack, layers.Dense(3, name="out")])


def steps_lost(model, x, y, weight, scale):
    """Return the loss of each step in torch, times ``scale``, and the weights' gradients."""
    w = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in model.get_weights()]
    out = (torch.tensor(x, dtype=torch.float64) @ w[0] + w[1]) @ w[2] + w[3]
    rows = ((out - torch.tensor(y, dtype=torch.float64)) ** 2).mean(-1)
    loss = (rows * torch.tensor(KEPT * weight)).sum() * scale
    loss.backward()
    return float(loss.detach()), [v.grad.numpy() for v in w]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_losses_and_metrics_leave_masked_steps_out(reduction, weighted):
    model = stacked()
    x, y = masked(), RNG.standard_normal((4, 5, 3), np.float32)
    weight = RNG.random((4, 5), np.float32) if weighted else np.ones((4, 5), np.float32)
    given = weight if weighted else None
    scale = {"sum": 1.0, "sum_over_batch_size": 1 / KEPT.sum()}.get(
        reduction, 1 / (KEPT * weight).sum(dtype=np.float64)
    )
    loss = pyconv.losses.MeanSquaredError(reduction)
    model.compile(pyconv.optimizers.SGD(1.0), loss, metrics=["mae"], weighted_metrics=["mse"])
    before = model.get_weights()
    wanted, grads = steps_lost(model, x, y, weight, scale)
    got = model.evaluate(x, y, sample_weight=given, batch_size=4, verbose=0)
    off = model.predict(x, verbose=0) - y
    by_step = KEPT * weight
    mse = (by_step.mean(1) * (by_step * (off**2).mean(-1)).mean(1) / by_step.mean(1)).sum()
    mae = ((KEPT * abs(off).mean(-1)).mean(1)).sum() / KEPT.mean(1).sum()
    np.testing.assert_allclose(got, [wanted, mae, mse / by_step.mean(1).sum()], rtol=1e-5)
    model.fit(x, y, sample_weight=given, batch_size=4, shuffle=False, verbose=0)
    for old, new, grad in zip(before, model.get_weights(), grads, strict=True):
        np.testing.assert_allclose(new, old - grad, rtol=2e-5, atol=1e-5)


def test_a_batch_of_masked_steps_alone_has_no_loss():
    model = stacked()
    model.compile("sgd", "mse")
    before = model.get_weights()
    x = np.zeros((4, 5, 3), np.float32)
    assert model.fit(x, np.ones((4, 5, 3)), verbose=0).history["loss"] == [0.0]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_labels_that_a_loss_ignores_are_left_out_beside_the_mask():
    model = stacked()
    y = RNG.integers(0, 3, (4, 5))
    loss = pyconv.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    model.compile("sgd", loss, metrics=["accuracy"])
    x = masked()
    got = model.evaluate(x, y, batch_size=4, verbose=0)
    out = model.predict(x, verbose=0).astype(np.float64)
    rows = np.log(np.exp(out).sum(-1)) - np.take_along_axis(out, y[..., None], -1)[..., 0]
    # The metric does not know of the ignored class, which is one like the others.
    hits = (KEPT * (out.argmax(-1) == y)).sum() / KEPT.sum()
    np.testing.assert_allclose(got, [rows[KEPT & (y != 1)].mean(), hits], rtol=1e-5)


def test_a_mask_that_does_not_fit_the_loss():
    model = stacked()
    model.compile("sgd", pyconv.losses.CategoricalCrossentropy(axis=1))
    with pytest.raises(ValueError, match=r"has a mask \(4, 5\) of a Masking, which does not fit"):
        model.fit(masked(), np.zeros((4, 5, 3)), verbose=0)


def test_input_gradients_of_a_masked_loss():
    model = stacked()
    model.compile("sgd", "mse")
    x, y = masked(), RNG.standard_normal((4, 5, 3), np.float32)
    grad = model.input_gradient(x, y)
    w = [torch.tensor(v, dtype=torch.float64) for v in model.get_weights()]
    inputs = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    rows = (((inputs @ w[0] + w[1]) @ w[2] + w[3] - torch.tensor(y)) ** 2).mean(-1)
    kept = torch.tensor(KEPT, dtype=torch.float64)
    ((rows * kept).sum(1) / kept.sum(1)).sum().backward()
    np.testing.assert_allclose(grad, inputs.grad.numpy(), rtol=2e-5, atol=1e-6)
