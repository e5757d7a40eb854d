"""conv2d and its gradients against torch in float64."""

import numpy as np
import pytest
import reference
import torch

import pyconv
from pyconv import ops

# x (N, H, W, C), OC, kernel, strides, padding, dilation, groups
CASES = [
    ((2, 8, 8, 3), 16, 3, 1, "same", 1, 1),
    ((2, 8, 8, 16), 32, 2, 1, "same", 1, 1),
    ((1, 7, 5, 1), 1, 1, 1, "valid", 1, 1),
    ((1, 5, 7, 1), 17, (2, 3), 1, "valid", 1, 1),
    ((3, 9, 9, 5), 7, 3, 2, "same", 1, 1),
    ((2, 11, 13, 6), 31, 3, 3, "valid", 1, 1),
    ((2, 10, 9, 4), 33, (3, 2), 1, ((2, 1), (0, 3)), 2, 1),
    ((2, 12, 12, 8), 12, 3, 1, "same", 2, 4),
    ((2, 9, 9, 12), 12, 3, 1, "same", 1, 12),
    ((2, 9, 9, 12), 12, 3, 2, "same", 1, 12),
    ((2, 9, 9, 6), 12, 3, 1, "same", 1, 6),
    ((2, 9, 7, 16), 16, 3, 1, "same", 1, 8),
    ((2, 9, 7, 12), 24, 3, 2, "same", 1, 4),
    ((2, 17, 9, 32), 16, (3, 2), 1, "same", 2, 8),
    ((1, 9, 21, 72), 27, 3, (2, 3), "same", 1, 9),
    ((1, 5, 135, 7), 21, 5, 1, "same", 1, 7),
    ((3, 8, 8, 40), 20, 1, 2, "valid", 1, 20),
    ((2, 20, 3, 36), 36, (1, 3), (3, 1), 2, 2, 18),
    ((1, 40, 70, 20), 20, 3, 2, ((0, 3), (4, 0)), 1, 20),
    ((2, 9, 21, 32), 32, 3, 1, "same", 1, 32),
    ((2, 13, 11, 48), 48, (5, 3), (2, 3), "same", 1, 48),
    ((1, 12, 19, 16), 16, (2, 4), 1, ((3, 0), (5, 2)), (2, 3), 16),
    ((2, 3, 4, 16), 16, (7, 6), (1, 4), 5, 1, 16),
    ((1, 5, 2, 32), 32, 1, (3, 1), "valid", 1, 32),
    ((1, 3, 3, 2), 5, 3, 1, 4, 1, 1),
    ((2, 6, 6, 3), 4, 1, 3, "same", 1, 1),
    ((4, 4, 4, 64), 48, 3, 1, "same", 1, 1),
    ((2, 7, 9, 33), 35, 3, 1, ((1, 0), (0, 2)), 1, 1),
    ((1, 16, 16, 300), 20, 1, 1, "valid", 1, 1),
    ((3, 7, 11, 130), 140, 1, 1, "same", 1, 1),
    ((5, 13, 7, 130), 129, 1, 1, "same", 1, 1),
    ((6, 14, 9, 40), 24, 1, 1, "same", 1, 2),
    ((1, 1, 457, 6), 20, 1, 1, "valid", 1, 1),
    ((3, 9, 7, 512), 1, 3, 1, "same", 1, 1),
    ((8, 8, 8, 512), 10, 3, 1, "same", 1, 1),
    ((2, 9, 7, 65), 1, 3, 1, "same", 2, 1),
    ((1, 6, 9, 65), 2, (3, 2), 1, ((2, 4), (3, 0)), 1, 1),
    ((5, 8, 8, 65), 3, 3, 1, "valid", 1, 1),
    ((2, 8, 8, 65), 3, 5, 2, "same", 1, 1),
    ((3, 6, 6, 65), 10, 3, 1, "same", 1, 1),
    ((2, 40, 40, 65), 1, 4, 1, "same", 1, 1),
    ((3, 9, 7, 7), 1, 3, 1, "same", 1, 1),
    ((2, 8, 8, 7), 2, 2, 1, "same", 1, 1),
    ((2, 8, 8, 7), 3, 3, 1, "same", 1, 1),
    ((2, 9, 7, 512), 40, 1, 1, "same", 1, 1),
    ((3, 9, 7, 400), 70, 1, (2, 3), "valid", 1, 1),
    ((3, 11, 9, 3), 7, 3, 2, "same", 1, 1),
    ((2, 40, 70, 3), 20, 3, 1, "same", 2, 1),
    ((1, 150, 90, 4), 9, (3, 5), (1, 2), ((0, 3), (4, 1)), (3, 1), 1),
    ((5, 50, 9, 1), 4, (5, 2), (3, 4), "valid", 1, 1),
    ((1, 33, 1, 2), 3, (4, 1), 1, 5, 1, 1),
]


def pads_of(x, kernel, strides, padding, dilation):
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        rows = reference.same(x.shape[1], kernel[0], strides[0], dilation[0])
        return (*rows, *reference.same(x.shape[2], kernel[1], strides[1], dilation[1]))
    if isinstance(padding, int):
        return (padding,) * 4
    return (*padding[0], *padding[1])


@pytest.fixture(params=["auto", "direct", "winograd"])
def algorithm(request):
    pyconv.set_conv_algorithm(request.param)
    yield request.param
    pyconv.set_conv_algorithm("auto")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_and_gradients(case, isa, algorithm):
    shape, oc, kernel, strides, padding, dilation, groups = case
    pair = lambda v: v if isinstance(v, tuple) else (v, v)  # noqa: E731
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape, np.float32)
    w = rng.standard_normal((*pair(kernel), shape[3] // groups, oc), np.float32)
    b = rng.standard_normal(oc, np.float32)
    pads = pads_of(x, pair(kernel), pair(strides), padding, pair(dilation))
    options = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    y = ops.conv2d(x, w, b, **options)
    dy = rng.standard_normal(y.shape, np.float32)
    got = (
        y,
        ops.conv2d_backward_input(dy, w, x.shape, **options),
        ops.conv2d_backward_filter(x, dy, kernel, **options),
    )
    geometry = (pair(strides), pads, pair(dilation), groups)
    exact = reference.conv2d(x, w, b, dy, *geometry, torch.float64)
    approximate = reference.conv2d(x, w, b, dy, *geometry, torch.float32)
    for ours, truth, theirs in zip(got, exact, approximate, strict=True):
        reference.check(ours, truth, theirs)
    assert np.array_equal(ops.conv2d(x, w, b, activation="relu", **options), np.maximum(y, 0))


@pytest.mark.parametrize("c", [3, 16])
def test_results_beyond_the_caches_are_those_of_small_batches(c, isa):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((1030, 16, 16, c), np.float32)
    w = rng.standard_normal((2, 2, c, 16), np.float32)
    whole = ops.conv2d(x, w, padding="same")
    parts = [ops.conv2d(part, w, padding="same") for part in np.array_split(x, 10)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    ("c", "oc", "groups"), [(24, 24, 24), (32, 32, 32), (24, 24, 12), (24, 48, 24)]
)
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_groups_do_not_meet(c, oc, groups, bad, isa):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1, 6, 6, c), np.float32)
    w = rng.standard_normal((3, 3, c // groups, oc), np.float32)
    dy = rng.standard_normal((1, 6, 6, oc), np.float32)
    group = 5
    inputs = slice(group * c // groups, (group + 1) * c // groups)
    outputs = slice(group * oc // groups, (group + 1) * oc // groups)
    options = {"padding": "same", "groups": groups}
    poisoned_x, poisoned_dy = x.copy(), dy.copy()
    poisoned_x[..., inputs] = poisoned_dy[..., outputs] = bad

    def results(x, dy):
        return (
            (ops.conv2d(x, w, **options), outputs),
            (ops.conv2d_backward_input(dy, w, x.shape, **options), inputs),
            (ops.conv2d_backward_filter(x, dy, 3, **options), outputs),
        )

    for (clean, own), (got, _) in zip(
        results(x, dy), results(poisoned_x, poisoned_dy), strict=True
    ):
        assert not np.isfinite(got[..., own]).any()
        others = np.ones(clean.shape[-1], bool)
        others[own] = False
        assert np.array_equal(got[..., others], clean[..., others])


def test_same_pads_the_odd_cell_at_the_end():
    x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    y = ops.conv2d(x, np.ones((2, 2, 1, 1), np.float32), padding="same")
    assert y[0, :, :, 0].tolist() == [[8, 12, 7], [20, 24, 13], [13, 15, 8]]


def test_worked_example_of_the_course():
    image = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    x = np.array(image, np.float32).reshape(1, 5, 5, 1)
    w = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32).reshape(3, 3, 1, 1)
    maps = lambda **k: ops.conv2d(x, w, **k)[0, :, :, 0].tolist()  # noqa: E731
    assert maps() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert maps(strides=2) == [[4, 4], [2, 4]]
    assert maps(padding=1) == [
        [2, 2, 3, 1, 1],
        [1, 4, 3, 4, 1],
        [1, 2, 4, 3, 3],
        [1, 2, 3, 4, 1],
        [0, 2, 2, 1, 1],
    ]


def test_non_contiguous_and_empty():
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 8), np.float32)
    w = np.ones((2, 2, 4, 3), np.float32)
    strided = x[:, ::2, :, ::2]
    assert np.array_equal(ops.conv2d(strided, w), ops.conv2d(strided.copy(), w))
    assert ops.conv2d(x[:0, :, :, :4], w).shape == (0, 5, 5, 3)
    assert not ops.conv2d_backward_filter(x[:0], np.ones((0, 5, 5, 3), np.float32), 2).any()


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.ones((1, 4, 4, 3))}, TypeError, 'x.astype\\("float32"\\)'),
        ({"x": [1.0]}, TypeError, "np.asarray"),
        ({"b": np.ones(3, np.float32)}, ValueError, "b must be \\(4,\\), got \\(3,\\)"),
        ({"w": np.ones((2, 2, 5, 4), np.float32)}, ValueError, "w must be"),
        ({"strides": 0}, ValueError, "strides"),
        ({"strides": 2**63 - 1}, ValueError, "strides"),
        ({"padding": -1}, ValueError, "padding"),
        ({"padding": 2**30}, ValueError, "memory"),
        ({"padding": "full"}, ValueError, "padding"),
        ({"dilation": float("nan")}, TypeError, "dilation"),
        ({"dilation": 9}, ValueError, "fit"),
        ({"groups": 2}, ValueError, "groups"),
        ({"activation": "tanh"}, ValueError, "activation"),
    ],
)
def test_errors(change, error, text):
    arguments = {"x": np.ones((1, 4, 4, 3), np.float32), "w": np.ones((2, 2, 3, 4), np.float32)}
    with pytest.raises(error, match=text) as caught:
        ops.conv2d(**{**arguments, **change})
    assert str(caught.value).startswith("conv2d")


@pytest.mark.parametrize("groups", [1, 4, 8])
@pytest.mark.parametrize("oc", [8, 16])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_empty_batches(kernel, oc, groups, algorithm):
    x, options = np.ones((0, 9, 9, 16), np.float32), {"padding": "same", "groups": groups}
    w = np.ones((kernel, kernel, 16 // groups, oc), np.float32)
    y = ops.conv2d(x, w, **options)
    assert y.shape == (0, 9, 9, oc)
    assert ops.conv2d_backward_input(y, w, x.shape, **options).shape == x.shape
    dw = ops.conv2d_backward_filter(x, y, kernel, **options)
    assert dw.shape == w.shape
    assert not dw.any()
