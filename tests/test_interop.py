"""Weights from PyTorch and to it: the same network gives the same numbers."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import pyconv
from pyconv.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, ReLU

nn = torch.nn


def cnn():
    """(the network, PyTorch's) with 12 modules, so that names sort otherwise than numbers."""
    ours = pyconv.Sequential(
        [
            Input((8, 6, 3)),
            Conv2D(4, 3, padding=1, activation="relu"),
            Conv2D(6, (3, 1), groups=2, use_bias=False),
            ReLU(),
            MaxPooling2D(2),
            Conv2D(5, 2, activation="relu"),
            Flatten(),
            Dropout(0.5),
            Dense(7, activation="tanh"),
            Dense(3),
        ]
    )
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, (3, 1), groups=2, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(20, 7),
        nn.Tanh(),
        nn.Linear(7, 3),
    )
    return ours, theirs.eval()


def normalized():
    """Normalizations, depthwise and separable filters, and what follows Flatten."""
    layers = pyconv.layers
    ours = pyconv.Sequential(
        [
            Input((8, 6, 3)),
            Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(epsilon=1e-5),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            layers.SeparableConv2D(5, 3),
            Flatten(),
            layers.BatchNormalization(epsilon=1e-5),
            Dense(4),
        ]
    )
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 8, 3, padding=1, groups=4),
        nn.Conv2d(8, 8, 3, groups=8, bias=False),
        nn.Conv2d(8, 5, 1),
        nn.Flatten(),
        nn.BatchNorm1d(40),
        nn.Linear(40, 4),
    )
    return ours, theirs.eval()


def transposed():
    layer = pyconv.layers.Conv2DTranspose(6, 3, strides=2)
    ours = pyconv.Sequential([Input((4, 5, 3)), layer, Flatten(), Dense(2)])
    modules = nn.ConvTranspose2d(3, 6, 3, stride=2), nn.Flatten(), nn.Linear(9 * 11 * 6, 2)
    return ours, nn.Sequential(*modules).eval()


def in_groups():
    """Normalizations without means, and slopes of PReLU, before and behind Flatten."""
    layers = pyconv.layers
    ours = pyconv.Sequential(
        [
            Input((6, 5, 3)),
            Conv2D(6, 3),
            layers.GroupNormalization(3, epsilon=1e-5),
            layers.PReLU(shared_axes=[1, 2]),
            layers.GroupNormalization(-1, epsilon=1e-5),
            Flatten(),
            layers.LayerNormalization(epsilon=1e-5),
            layers.PReLU(),
            Dense(4),
            layers.PReLU(),
        ]
    )
    theirs = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.GroupNorm(3, 6),
        nn.PReLU(6),
        nn.InstanceNorm2d(6, affine=True),
        nn.Flatten(),
        nn.LayerNorm(72),
        nn.PReLU(72),
        nn.Linear(72, 4),
        nn.PReLU(4),
    )
    return ours, theirs.eval()


NETWORKS = [
    (in_groups, ["0", "1", "2", "3", "5", "6", "7", "8"]),
    (cnn, ["0", "2", "5", "9", "11"]),
    (normalized, ["0", "1", "2", "3", "4", "6", "7"]),
    (transposed, ["0", "2"]),
]


def drawn(module):
    """The module with weights and statistics of which no two are alike."""
    torch.manual_seed(0)
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.3 + (0.1 if value.ndim == 1 else -0.15))
    return module


def same(ours, theirs):
    shape = [2 if size is None else size for size in ours.input_shape]
    x = np.random.default_rng(0).random(shape, np.float32)
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).numpy()
    np.testing.assert_allclose(ours(x), wanted, atol=1e-5)


@pytest.mark.parametrize("make", [make for make, _ in NETWORKS])
def test_file_of_pytorch(make, tmp_path):
    ours, theirs = make()
    drawn(theirs)
    save_file(theirs.state_dict(), tmp_path / "m.safetensors")
    pyconv.interop.load_torch_state(ours, tmp_path / "m.safetensors")
    same(ours, theirs)


@pytest.mark.parametrize(("make", "names"), NETWORKS)
def test_file_for_pytorch(make, names, tmp_path):
    ours, theirs = make()
    ours.set_weights([np.random.default_rng(1).random(w.shape) * 0.3 for w in ours.weights])
    pyconv.interop.save_torch_state(ours, tmp_path / "m.safetensors", names)
    theirs.load_state_dict(load_file(tmp_path / "m.safetensors"))
    same(ours, theirs)


def test_there_and_back():
    ours, _ = cnn()
    other, _ = cnn()
    pyconv.interop.load_torch_state(other, pyconv.interop.torch_state(ours))
    for a, b in zip(ours.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_in_another_order(tmp_path):
    ours = pyconv.Sequential([Input((4,)), Dense(4), Dense(4)])
    theirs = nn.Sequential()
    theirs.add_module("z", nn.Linear(4, 4))
    theirs.add_module("a", nn.Linear(4, 4))
    first = theirs.z.weight.detach().numpy().T
    save_file(theirs.state_dict(), tmp_path / "m")
    pyconv.interop.load_torch_state(ours, tmp_path / "m")
    assert not np.array_equal(ours.weights[0], first)
    pyconv.interop.load_torch_state(ours, tmp_path / "m", names=["z", "a"])
    np.testing.assert_array_equal(ours.weights[0], first)
    # A mapping has an order of its own.
    pyconv.interop.load_torch_state(ours, {k: v.numpy() for k, v in theirs.state_dict().items()})
    np.testing.assert_array_equal(ours.weights[0], first)


def test_half_precision(tmp_path):
    ours, theirs = cnn()
    save_file(theirs.half().state_dict(), tmp_path / "m")
    pyconv.interop.load_torch_state(ours, tmp_path / "m")
    same(ours, theirs.float())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s.pop("11.weight"), "layers of the kind linear, PyTorch's 1"),
        (lambda s: s.pop("11.bias"), "weight, bias, PyTorch's weight; make the layer with use_bi"),
        (
            lambda s: s.update({"2.bias": torch.ones(6)}),
            r"'2': it has weight, PyTorch's .*; make the layer with use_bias=True",
        ),
        (
            lambda s: s.update({"5.weight": torch.ones(5, 6, 2, 3)}),
            r"from '5': weight must be \(5, 6, 2, 2\), as PyTorch has it, got \(5, 6, 2, 3\)",
        ),
        (lambda s: s.update({"12.weight": torch.ones(5)}), r"kind PReLU, PyTorch's 1: \['12'\]"),
        (lambda s: s.update({"12.weight": torch.ones(5, 1, 1)}), r"of another kind: \['12'\]"),
    ],
)
def test_what_does_not_fit(change, text, tmp_path):
    ours, theirs = cnn()
    state = dict(theirs.state_dict())
    change(state)
    before = ours.get_weights()
    save_file(state, tmp_path / "m")
    with pytest.raises(ValueError, match=f"load_torch_state: .*{text}"):
        pyconv.interop.load_torch_state(ours, tmp_path / "m")
    for a, b in zip(before, ours.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_names():
    ours, theirs = cnn()
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    with pytest.raises(ValueError, match="names must be 5 different ones"):
        pyconv.interop.load_torch_state(ours, state, ["0", "2"])
    with pytest.raises(ValueError, match="there is no module 'none'; there are"):
        pyconv.interop.load_torch_state(ours, state, ["0", "2", "5", "9", "none"])
    with pytest.raises(ValueError, match="must be built"):
        pyconv.interop.torch_state(pyconv.Sequential([Dense(3)]))


def test_pickles_and_damage(tmp_path):
    ours, theirs = cnn()
    torch.save(theirs.state_dict(), tmp_path / "m.pt")
    with pytest.raises(ValueError, match="is a pickle, which could run code; write it with"):
        pyconv.interop.load_torch_state(ours, tmp_path / "m.pt")
    save_file(theirs.state_dict(), tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    for size in (0, 5, 100, len(content) - 1):
        (tmp_path / "m").write_bytes(content[:size])
        with pytest.raises(ValueError, match="is damaged or no safetensors file"):
            pyconv.interop.load_torch_state(ours, tmp_path / "m")
    with pytest.raises(FileNotFoundError):
        pyconv.interop.load_torch_state(ours, tmp_path / "none")


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (pyconv.layers.PReLU(), r"one number a channel; .* shared_axes=\[1, 2\]"),
        (pyconv.layers.LayerNormalization(axis=[1, 2, 3]), "one number a channel; .* axis=-1"),
    ],
)
def test_weights_of_several_axes(layer, text):
    with pytest.raises(ValueError, match=text):
        pyconv.interop.torch_state(pyconv.Sequential([Input((4, 4, 3)), layer]))
