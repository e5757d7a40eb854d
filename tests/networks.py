"""A small convolutional network, and the same one trained in float64 by torch and numpy."""

import numpy as np
import torch

import pyconv
from pyconv.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D

CLASSES = 4


def small_cnn(softmax="softmax"):
    return pyconv.Sequential(
        [
            Input((8, 8, 3)),
            Conv2D(6, 2, padding="same", activation="relu"),
            MaxPooling2D(2),
            Conv2D(5, 3, activation="tanh"),
            Flatten(),
            Dense(CLASSES, activation=softmax),
        ]
    )


def images(n, seed=0):
    """Return (x (n, 8, 8, 3), class numbers (n,))."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 8, 8, 3), np.float32)
    y = rng.integers(0, CLASSES, n)
    # Something to learn: each class brightens its own corner.
    for i, c in enumerate(y):
        x[i, 4 * (c // 2) :, 4 * (c % 2) :, c % 3] += 0.7
    return x, y


class Exact:
    """``small_cnn`` in float64: forward and gradients by torch, metrics by numpy."""

    def __init__(self, weights):
        self.weights = [w.astype(np.float64) for w in weights]

    def probabilities(self, x, tensors=None):
        k1, b1, k2, b2, w, b = tensors or [torch.tensor(a) for a in self.weights]
        t = torch.tensor(np.asarray(x, np.float64).transpose(0, 3, 1, 2))
        # TensorFlow's 'same' for a window of 2: the cell of padding at the end.
        t = torch.nn.functional.pad(t, (0, 1, 0, 1))
        t = torch.relu(torch.nn.functional.conv2d(t, k1.permute(3, 2, 0, 1), b1))
        t = torch.nn.functional.max_pool2d(t, 2)
        t = torch.tanh(torch.nn.functional.conv2d(t, k2.permute(3, 2, 0, 1), b2))
        return torch.softmax(t.permute(0, 2, 3, 1).reshape(len(x), -1) @ w + b, 1)

    def gradients(self, x, y, weight):
        """Return (loss, gradients): the mean over the rows of weight * crossentropy."""
        tensors = [torch.tensor(w, requires_grad=True) for w in self.weights]
        p = self.probabilities(x, tensors)
        loss = -(torch.tensor(weight) * p[range(len(y)), y].log()).mean()
        loss.backward()
        return loss.item(), [t.grad.numpy() for t in tensors]

    def measure(self, x, y, weight=None):
        """Return (loss, accuracy)."""
        p = self.probabilities(x).numpy()
        rows = -np.log(p[np.arange(len(y)), y])
        weight = np.ones(len(y)) if weight is None else weight
        return (rows * weight).mean(), (p.argmax(axis=1) == y).mean()

    def fit(self, x, y, orders, batch_size, update, weight=None):
        """Train for an epoch an order of the samples; return the mean loss of each epoch."""
        weight = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
        losses = []
        for order in orders:
            total = 0.0
            for at in range(0, len(order), batch_size):
                rows = order[at : at + batch_size]
                loss, grads = self.gradients(x[rows], y[rows], weight[rows])
                total += loss * len(rows)
                for i, g in enumerate(grads):
                    self.weights[i] = update(i, self.weights[i], g)
            losses.append(total / len(order))
        return losses


def sgd(rate, momentum=0.0):
    velocity = {}

    def update(i, w, g):
        velocity[i] = momentum * velocity.get(i, 0.0) - rate * g
        return w + velocity[i]

    return update


def rmsprop(rate=0.001, rho=0.9, epsilon=1e-7):
    squares = {}

    def update(i, w, g):
        squares[i] = rho * squares.get(i, 0.0) + (1 - rho) * g * g
        return w - rate * g / np.sqrt(squares[i] + epsilon)

    return update
