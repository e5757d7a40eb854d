"""Training steps of models beside torch's, in float64."""

import numpy as np
import torch


def in_torch(model):
    """The model's weights, in float64."""
    return [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in model.get_weights()]


def check_step(model, x, y, weights, loss, rate=0.1):
    """Make a step on x and y; loss and weights must be as torch's."""
    loss.backward()
    history = model.fit(x, y, batch_size=8, verbose=0).history
    np.testing.assert_allclose(history["loss"], [loss.item()], rtol=1e-6)
    for found, weight in zip(model.get_weights(), weights, strict=True):
        gradient = 0 if weight.grad is None else weight.grad
        np.testing.assert_allclose(found, (weight - rate * gradient).detach(), atol=1e-6)
