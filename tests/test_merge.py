"""Sums of arrays, and channels side by side: the operations."""

import numpy as np
import pytest
from layer_reference import batch, here

from pyconv import backend


@pytest.mark.parametrize("n", [1, 7, 8, 65, 20_011])
@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_add(isa, n, activation):
    a, b = batch(2, n)
    a[:1] = np.nan
    wanted = np.where(a + b <= 0, 0, a + b) if activation == "relu" else a + b
    add = backend.active.add_forward
    a, b = here(a), here(b)
    assert np.array_equal(add(a, b, activation), wanted, equal_nan=True)
    # In place of either.
    for out in (here(a), here(b)):
        own = (out, b) if np.array_equal(out, a, equal_nan=True) else (a, out)
        assert add(*own, activation, out) is out
        assert np.array_equal(out, wanted, equal_nan=True)


@pytest.mark.parametrize("rows", [(), (1,), (3, 5, 7), (2, 100, 100), (0, 2)])
def test_concat(rows):
    parts = [batch(*rows, c, seed=c) for c in (1, 8, 3)]
    whole = np.concatenate(parts, axis=-1)
    assert np.array_equal(backend.active.concat_forward([here(x) for x in parts]), whole)
    cut = [here(np.zeros_like(x)) for x in parts]
    backend.active.concat_backward(here(whole), cut)
    for ours, part in zip(cut, parts, strict=True):
        assert np.array_equal(ours, part)


def ones(*shape):
    return here(np.ones(shape, "f4"))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda op: op.add_forward(ones(2, 3), ones(3, 2)), r"add: b must be \(2, 3\)"),
        (lambda op: op.add_forward(ones(2), ones(2), "tanh"), "add: activation must be"),
        (lambda op: op.concat_forward([]), "concat: xs must hold at least one array"),
        (lambda op: op.concat_forward([ones(2, 3), ones(3, 3)]), r"concat: xs must be \(2, 3\)"),
        (lambda op: op.concat_forward([ones(2, 3)], ones(2, 4)), r"concat: out must be \(2, 3\)"),
        (
            lambda op: op.concat_backward(ones(2, 5), [ones(2, 3), ones(2, 3)]),
            r"concat_backward: dy must be \(2, 6\), got \(2, 5\)",
        ),
    ],
)
def test_wrong_arrays(call, text):
    with pytest.raises(ValueError, match=text):
        call(backend.active)


def test_memory_that_is_another_s():
    x = ones(4, 6)
    with pytest.raises(ValueError, match="concat: out"):
        backend.active.concat_forward([x], x)
    with pytest.raises(ValueError, match="concat_backward: dxs"):
        backend.active.concat_backward(ones(4, 12), [x, x])
