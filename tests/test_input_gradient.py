"""Gradients by the input, against torch in float64 and against differences."""

import networks
import numpy as np
import pytest
import torch

import pyconv
from pyconv import layers

X, Y = networks.images(7)


def exact(model, score):
    """Return torch's gradient of the sum of score(probabilities) by the input."""
    net = networks.Exact(model.get_weights())
    x = torch.tensor(X.astype(np.float64), requires_grad=True)
    tensors = [torch.tensor(w) for w in net.weights]
    k1, b1, k2, b2, w, b = tensors
    t = torch.nn.functional.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1))
    t = torch.relu(torch.nn.functional.conv2d(t, k1.permute(3, 2, 0, 1), b1))
    t = torch.nn.functional.max_pool2d(t, 2)
    t = torch.tanh(torch.nn.functional.conv2d(t, k2.permute(3, 2, 0, 1), b2))
    score(t.permute(0, 2, 3, 1).reshape(len(X), -1) @ w + b).backward()
    return x.grad.numpy()


def close(got, wanted):
    assert got.dtype == np.float32
    assert np.abs(got - wanted).max() <= 2e-6 * np.abs(wanted).max()


SCORES = {
    "score": ({"class_index": 2}, lambda z: z[:, 2].sum()),
    "scores": ({"class_index": Y}, lambda z: z[range(7), Y].sum()),
    "predicted": ({}, lambda z: z.max(1).values.sum()),
    "probability": (
        {"class_index": 1, "before_softmax": False},
        lambda z: torch.softmax(z, 1)[:, 1].sum(),
    ),
    "loss": ({"y": Y}, lambda z: -torch.log_softmax(z, 1)[range(7), Y].sum()),
}


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("case", SCORES)
def test_a_convolutional_network(case, batch_size):
    options, score = SCORES[case]
    pyconv.utils.set_random_seed(1)
    model = networks.small_cnn()
    if case == "loss":
        model.compile("sgd", "sparse_categorical_crossentropy")
    close(model.input_gradient(X, **options, batch_size=batch_size), exact(model, score))


def test_a_sample_has_the_same_gradient_alone():
    model = networks.small_cnn()
    model.compile("sgd", "sparse_categorical_crossentropy", loss_weights=[0.5])
    together = model.input_gradient(X, Y)
    # Kernels for one sample add up in another order.
    alone = model.input_gradient(X[3:4], Y[3:4])
    np.testing.assert_allclose(alone, together[3:4], rtol=1e-5, atol=1e-6 * np.abs(together).max())
    model.compile("sgd", "sparse_categorical_crossentropy")
    np.testing.assert_allclose(model.input_gradient(X, Y), 2 * together, rtol=1e-6)


INSIDE = [
    layers.Dropout(0.5),
    layers.GaussianNoise(0.5),
    layers.BatchNormalization(moving_mean_initializer="ones"),
    layers.LayerNormalization(),
    layers.Rescaling(0.5, 1),
    layers.RandomFlip(),
    layers.ZeroPadding2D(1),
    layers.AveragePooling2D(2),
    layers.MaxPooling2D(2, 1, "same"),
    layers.DepthwiseConv2D(2),
    layers.Conv2D(2, 2, strides=2, activation="sigmoid", activity_regularizer="l2"),
    layers.Conv2DTranspose(2, 2, kernel_regularizer="l2"),
    layers.LeakyReLU(),
    layers.UpSampling2D(2),
]


@pytest.mark.parametrize("layer", INSIDE, ids=lambda layer: type(layer).__name__)
def test_each_layer_as_in_inference(layer):
    """Differences of what ``predict`` gives, along a few random directions."""
    pyconv.utils.set_random_seed(2)
    model = pyconv.Sequential(
        [
            layers.Input((6, 6, 2)),
            type(layer).from_config({**layer.get_config(), "name": None}),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 6, 6, 2)).astype("f4")
    grad = model.input_gradient(x, class_index=1)
    for _ in range(3):
        step = rng.normal(size=x.shape).astype("f4")
        step *= 2e-3 / np.linalg.norm(step)
        high, low = (model.predict(x + sign * step, verbose=0)[0, 1] for sign in (1, -1))
        scale = np.linalg.norm(grad) * np.linalg.norm(step)
        assert abs((high - low) / 2 - (grad * step).sum()) <= 0.01 * scale


@pytest.mark.parametrize("loss", ["mse", "dice", "huber"])
def test_other_losses_are_those_of_each_sample(loss):
    model = pyconv.Sequential([layers.Input((3,)), layers.Dense(2, activation="sigmoid")])
    model.compile("sgd", loss)
    x, y = np.random.default_rng(0).random((2, 4, 3), np.float32)
    y = y[:, :2]
    grad = model.input_gradient(x, y)
    step = np.float32(2e-3)
    for i in range(3):
        high, low = x.copy(), x.copy()
        high[:, i] += step
        low[:, i] -= step
        rises = [
            model.test_on_batch(high[k : k + 1], y[k : k + 1])
            - model.test_on_batch(low[k : k + 1], y[k : k + 1])
            for k in range(4)
        ]
        np.testing.assert_allclose(np.divide(rises, 2 * step), grad[:, i], rtol=2e-3, atol=2e-4)


def test_training_goes_on_as_if_nothing_had_been_asked():
    weights = []
    for asks in (False, True):
        pyconv.utils.set_random_seed(0)
        model = networks.small_cnn()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        for _ in range(3):
            model.train_on_batch(X, Y)
            if asks:
                model.input_gradient(X, Y)
                model.input_gradient(X[:2], class_index=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_is_not_built_yet():
    model = pyconv.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    assert model.input_gradient(np.ones((2, 5, 5, 1), "uint8")).shape == (2, 5, 5, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"y": Y}, ValueError, "y is for the gradient of the loss, and the model has none"),
        ({"y": Y, "class_index": 1}, ValueError, "only one of y and class_index may be given"),
        ({"class_index": 4}, ValueError, "class_index must hold class numbers from 0 to 3, got 4"),
        ({"class_index": [1]}, ValueError, r"class_index must hold .* shape \(7,\), got \(1,\)"),
        ({"class_index": "cat"}, TypeError, "class_index must be an array of numbers"),
        ({"batch_size": 0}, ValueError, "batch_size must be a positive"),
    ],
)
def test_errors(arguments, error, text):
    with pytest.raises(error, match=f"input_gradient: {text}"):
        networks.small_cnn().input_gradient(X, **arguments)


def test_errors_of_shapes():
    model = networks.small_cnn()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="the same number of samples, got 7 and 3"):
        model.input_gradient(X, Y[:3])
    with pytest.raises(ValueError, match="input_gradient: x must have shape"):
        model.input_gradient(1.0)
    maps = pyconv.Sequential([layers.Input((5, 5, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"needs outputs \(N, classes\), got \(1, 3, 3, 2\)"):
        maps.input_gradient(np.ones((1, 5, 5, 1)))


@pytest.mark.parametrize("fails", [False, True])
def test_gradients_of_weights_are_left_alone(fails):
    layers = [pyconv.layers.Conv2D(2, 3), pyconv.layers.BatchNormalization()]
    block = pyconv.layers.Branches([layers, [pyconv.layers.Conv2D(1, 3, trainable=False)]])
    stack = [pyconv.Input((5, 5, 1)), block, pyconv.layers.Flatten(), pyconv.layers.Dense(2)]
    model = pyconv.Sequential(stack)
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(3, 5, 5, 1)).astype("f4")
    model.train_on_batch(x, np.zeros((3, 2)))
    before = [grad.copy() for layer in layers for grad in layer.grads]
    flags = [leaf.trainable for leaf in block.leaves()]
    if fails:
        stack[-1].backward = lambda dy, need_dx: None
        with pytest.raises(ValueError, match="gives no gradient"):
            model.input_gradient(x)
    else:
        model.input_gradient(x)
    assert [leaf.trainable for leaf in block.leaves()] == flags == [True, True, False]
    for grad, kept in zip((g for layer in layers for g in layer.grads), before, strict=True):
        np.testing.assert_array_equal(grad, kept)


def test_layers_that_are_joined_inside_of_others():
    """A convolution and the pooling after it are one step there, which keeps less at inference."""
    pyconv.utils.set_random_seed(3)
    inner = [layers.Conv2D(3, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(2)]
    held = pyconv.Sequential([pyconv.Input((6, 8, 2)), layers.Branches([inner]), *head])
    plain = pyconv.Sequential([pyconv.Input((6, 8, 2)), *inner, *head])
    x = np.random.default_rng(0).standard_normal((3, 6, 8, 2), np.float32)
    assert np.array_equal(held.input_gradient(x), plain.input_gradient(x))
