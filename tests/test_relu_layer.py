"""The ReLU layer and its variants against the formula of Keras."""

import numpy as np
import pytest
import reference
import torch
from layer_reference import autograd, batch, passes

from pyconv.layers import ReLU

SPECIAL = np.array([[-1, -0.0, 0, 1, 5.9, 6, 7, np.inf, -np.inf]], np.float32)


def formula(max_value, slope, threshold):
    def function(x):
        y = torch.where(x < threshold, slope * (x - threshold), x)
        return y if max_value is None else torch.where(x >= max_value, max_value + 0 * x, y)

    return function


@pytest.mark.parametrize(
    "arguments",
    [(), (6,), (None, 0.3), (6, 0.1), (None, 0, 1), (4, 0.25, 0.5), (0,)],
    ids=str,
)
def test_forward_and_gradient(isa, arguments):
    layer = ReLU(*arguments)
    x = 4 * batch(5, 7, 3)
    dy, y, dx, _ = passes(layer, x)
    function = formula(layer.max_value, layer.negative_slope, layer.threshold)
    exact, approximate = (autograd(function, [x], dy, t) for t in (torch.float64, torch.float32))
    reference.check(y, exact[0], approximate[0])
    reference.check(dx, exact[1], approximate[1])


def test_plain_is_bit_equal_to_torch(isa):
    x = np.concatenate([SPECIAL, [[np.nan] * 9]]).astype(np.float32)
    _, y, dx, _ = passes(ReLU(), x)
    assert y.tobytes() == torch.relu(torch.tensor(x)).numpy().tobytes()
    assert (dx[0] != 0).tolist() == [False] * 3 + [True] * 5 + [False]


def test_bounds():
    layer = ReLU(max_value=6)
    assert layer(SPECIAL)[0].tolist() == pytest.approx([0, 0, 0, 1, 5.9, 6, 6, 6, 0])
    # At the maximum the result no longer changes, and at 0 not yet.
    _, _, dx, _ = passes(layer, SPECIAL)
    assert (dx[0] != 0).tolist() == [False] * 3 + [True] * 2 + [False] * 4


@pytest.mark.parametrize("name", ["max_value", "negative_slope", "threshold"])
@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-1, ValueError, "at least 0 and finite, got -1"),
        (float("nan"), ValueError, "at least 0"),
        (float("inf"), ValueError, "finite"),
        ("1", TypeError, "a number, got '1'"),
    ],
)
def test_wrong_arguments(name, value, error, text):
    with pytest.raises(error, match=f"ReLU 'r': {name} must be .*{text}"):
        ReLU(**{name: value, "name": "r"})
