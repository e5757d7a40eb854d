"""Residual and Branches: gradients against torch, and all that a model does with its layers."""

import copy

import numpy as np
import pytest
import torch
from layer_reference import batch, check_layer, conv2d

import pyconv
from pyconv import backend, layers
from pyconv.layers import BatchNormalization, Branches, Conv2D, Dense, Dropout, Residual

F = torch.nn.functional
SAME = conv2d(pads=(1, 1, 1, 1))


def conv3(filters, **options):
    return Conv2D(filters, 3, padding="same", **options)


def two(x, k1, b1, k2, b2):
    return SAME(torch.relu(SAME(x, k1, b1)), k2, b2)


def strided(x, k, b, ks, bs):
    # 'same' of 3 with strides of 2 pads even sizes at the end.
    return conv2d(2, (0, 1, 0, 1))(x, k, b) + conv2d(2)(x, ks, bs)


def pooled(x):
    return F.max_pool2d(x.permute(0, 3, 1, 2), 3, 1, 1).permute(0, 2, 3, 1)


CHECKED = {
    "identity": (
        lambda: Residual([conv3(3, activation="relu"), conv3(3)]),
        lambda x, *w: two(x, *w) + x,
    ),
    "relu": (
        lambda: Residual([conv3(5, activation="relu"), conv3(3)], activation="relu"),
        lambda x, *w: torch.relu(two(x, *w) + x),
    ),
    "tanh": (
        lambda: Residual([conv3(3)], activation="tanh"),
        lambda x, *w: torch.tanh(SAME(x, *w) + x),
    ),
    "gelu": (
        lambda: Residual([conv3(3)], activation="gelu"),
        lambda x, *w: F.gelu(SAME(x, *w) + x),
    ),
    "projection": (
        lambda: Residual([conv3(4, strides=2)], [Conv2D(4, 1, strides=2)]),
        lambda x, *w: strided(x, *w),
    ),
    "both write over dy": (
        lambda: Residual([conv3(3, activation="relu")], [layers.LeakyReLU(0.1)]),
        lambda x, *w: torch.relu(SAME(x, *w)) + F.leaky_relu(x, 0.1),
    ),
    "one writes over dy": (
        lambda: Residual([conv3(3, activation="relu")]),
        lambda x, *w: torch.relu(SAME(x, *w)) + x,
    ),
    "nothing": (lambda: Residual([], activation="relu"), lambda x: torch.relu(x + x)),
    "nested": (
        lambda: Residual([Residual([conv3(3)], activation="relu"), conv3(3)]),
        lambda x, k1, b1, k2, b2: SAME(torch.relu(SAME(x, k1, b1) + x), k2, b2) + x,
    ),
    "concat": (
        lambda: Branches(
            [[Conv2D(2, 1)], [Conv2D(4, 1), conv3(3)], [layers.MaxPooling2D(3, 1, "same")], []]
        ),
        lambda x, k1, b1, k2, b2, k3, b3: torch.cat(
            [conv2d()(x, k1, b1), SAME(conv2d()(x, k2, b2), k3, b3), pooled(x), x], -1
        ),
    ),
    "add": (
        lambda: Branches([[], [Conv2D(3, 1)], [conv3(3)], [layers.ReLU()]], merge="add"),
        lambda x, k1, b1, k2, b2: x + conv2d()(x, k1, b1) + SAME(x, k2, b2) + torch.relu(x),
    ),
    "one": (lambda: Branches([[Conv2D(2, 1)]], "add"), lambda x, *w: conv2d()(x, *w)),
}


@pytest.mark.parametrize("name", CHECKED)
def test_gradients(name):
    make, function = CHECKED[name]
    check_layer(make(), batch(2, 6, 4, 3), function)


def test_rows_instead_of_images():
    check_layer(
        Residual([Dense(4)], [Dense(4, use_bias=False)], "relu"),
        batch(5, 3),
        lambda x, w, b, s: torch.relu(x @ w + b + x @ s),
    )


def network(seed=1, **options):
    """Return a network with a bit of everything inside of its containers."""
    pyconv.utils.set_random_seed(seed)
    return pyconv.Sequential(
        [
            pyconv.Input((8, 8, 2)),
            conv3(4, name="stem"),
            Residual(
                [
                    conv3(4, name="c", kernel_regularizer="l2", activity_regularizer="l1"),
                    BatchNormalization(momentum=0.5, name="n"),
                    Dropout(0.2, name="d", seed=3),
                ],
                activation="relu",
                name="r",
                **options,
            ),
            Branches(
                [
                    [Conv2D(3, 1, name="a", kernel_constraint="non_neg")],
                    [
                        Residual([conv3(4, name="c")], name="inner"),
                        layers.MaxPooling2D(3, 1, "same"),
                    ],
                    [layers.GaussianNoise(0.1, seed=2, name="noise")],
                ],
                name="b",
            ),
            layers.GlobalAveragePooling2D(),
            Dense(3, activation="softmax", name="head"),
        ]
    )


def data(n=24):
    x = batch(n, 8, 8, 2)
    return x, np.arange(n) % 3


def trained(model, epochs=2):
    model.compile(pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(*data(), batch_size=8, epochs=epochs, verbose=0, shuffle=False)
    return model


def test_names_and_order_of_weights():
    model = network()
    residual, branches = model.layers[1:3]
    assert list(residual.named_weights) == [
        "c/kernel", "c/bias", "n/gamma", "n/beta", "n/moving_mean", "n/moving_variance",
    ]  # fmt: skip
    assert list(branches.named_weights) == ["a/kernel", "a/bias", "inner/c/kernel", "inner/c/bias"]
    assert len(model.trainable_weights) == len(model._grads()) == 12
    assert len(model.non_trainable_variables) == 2
    assert model.count_params() == sum(w.size for w in model.weights)
    assert residual.count_params() == 3 * 3 * 4 * 4 + 4 + 16
    kept = model.get_weights()
    model.set_weights([w + 1 for w in kept])
    for now, before in zip(model.get_weights(), kept, strict=True):
        assert np.array_equal(now, before + 1)
    with pytest.raises(ValueError, match="Residual 'r': set_weights got 1 arrays, .* has 6: c/ker"):
        residual.set_weights(kept[:1])


def test_training_learns_and_penalties_count():
    model = network()
    before = [w.copy() for w in model.get_weights()]
    x, y = data(64)
    x[np.arange(64), 0, 0, 0] += 3 * y
    x[..., 1] += y[:, None, None]
    model.compile(pyconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=25, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
    for now, old in zip(model.get_weights(), before, strict=True):
        assert not np.array_equal(now, old)
    kernel = model.layers[1].layers[0].kernel
    assert model.losses == [pytest.approx(0.01 * (kernel.astype("f8") ** 2).sum(), rel=1e-5)]
    assert model.layers[2].layers[0].kernel.min() >= 0


def test_penalties_are_in_the_loss_and_in_the_gradients():
    def made(**options):
        pyconv.utils.set_random_seed(0)
        kept = Conv2D(3, 1, name="c", **options)
        model = pyconv.Sequential(
            [pyconv.Input((4, 4, 3)), Branches([[Residual([kept])]]), layers.Flatten(), Dense(1)]
        )
        model.compile(pyconv.optimizers.SGD(1.0), "mse")
        kernel = kept.kernel.astype("f8")
        return model.train_on_batch(x, x[:, 0, 0, :1]), kernel, kept.kernel

    x = batch(5, 4, 4, 3)
    plain, kernel, stepped = made()
    loss, _, also = made(kernel_regularizer=pyconv.regularizers.L2(0.1))
    assert loss - plain == pytest.approx(0.1 * (kernel**2).sum(), rel=1e-5)
    np.testing.assert_allclose(stepped - also, 0.2 * kernel, atol=1e-6)
    # On results: with the derivative by the kernel taken from the loss.
    loss, kernel, also = made(activity_regularizer=pyconv.regularizers.L2(0.1))
    y = x.astype("f8") @ kernel[0, 0]
    assert loss - plain == pytest.approx(0.1 * (y**2).sum() / 5, rel=1e-5)
    slope = np.einsum("nhwi,nhwo->io", x, 0.2 / 5 * y)
    np.testing.assert_allclose((stepped - also)[0, 0], slope, atol=1e-5)


@pytest.mark.parametrize("name", ["m.safetensors", "m.keras", "m.h5"])
def test_files(tmp_path, name):
    model = trained(network())
    x, y = data()
    model.save(tmp_path / name)
    again = pyconv.models.load_model(tmp_path / name)
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    # The optimizer's state, and the places in random streams.
    assert [model.train_on_batch(x, y) for _ in range(3)] == [
        again.train_on_batch(x, y) for _ in range(3)
    ]
    weights = tmp_path / ("w.weights.h5" if name == "m.keras" else name)
    model.save_weights(weights)
    other = network(seed=9)
    other.load_weights(weights)
    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))


def test_configurations_and_copies():
    class Doubled(layers.Layer):
        def forward(self, x, training):
            return x + x

    model = pyconv.Sequential([pyconv.Input((4, 4, 2)), Residual([Doubled(), conv3(2)])])
    config = model.get_config()
    again = pyconv.Sequential.from_config(config, {"Doubled": Doubled})
    assert again.get_config() == config
    with pytest.raises(ValueError, match="unknown layer 'Doubled'"):
        pyconv.Sequential.from_config(config)
    model = trained(network())
    json = pyconv.models.model_from_json(model.to_json())
    assert json.get_config() == model.get_config()
    clone = pyconv.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    x, _ = data()
    assert np.array_equal(copy.deepcopy(model).predict(x, verbose=0), model.predict(x, verbose=0))


def test_frozen():
    model = network(trainable=False)
    kept = model.layers[1].get_weights()
    assert len(model.trainable_weights) == 8
    model.layers[2].layers[0].trainable = False
    frozen = model.layers[2].layers[0].get_weights()
    assert len(model.trainable_weights) == 6
    trained(model)
    assert all(map(np.array_equal, model.layers[1].get_weights(), kept))
    assert all(map(np.array_equal, model.layers[2].layers[0].get_weights(), frozen))
    model.layers[1].trainable = True
    assert all(layer.trainable for layer in model.layers[1].layers)
    trained(model)
    changed = map(np.array_equal, model.layers[1].get_weights(), kept)
    assert not any(changed)


def test_training_and_inference_differ_inside():
    model = network()
    x, _ = data()
    assert np.array_equal(model(x), model.predict(x, verbose=0))
    moved = model.layers[1].layers[1].moving_mean.copy()
    assert not np.array_equal(model(x, training=True), model(x))
    assert not np.array_equal(model.layers[1].layers[1].moving_mean, moved)
    block = model.layers[1]
    assert not np.array_equal(block(batch(2, 8, 8, 4), training=True), block(batch(2, 8, 8, 4)))


def test_buffers_are_used_again():
    model = trained(network())
    x, y = data()

    def memory():
        return {
            (leaf.name, name): id(array)
            for layer in model.layers
            for leaf in [layer, *layer.leaves()]
            for name, array in leaf._buffers._views.items()
        }

    model.train_on_batch(x, y)
    before = memory()
    model.train_on_batch(x, y)
    assert memory() == before
    assert ("r", "y") in before


@pytest.mark.cpu
def test_any_number_of_threads_gives_the_same_bits(threads):
    seen = []
    for n in (1, 2, 3):
        threads(n)
        seen.append([w.tobytes() for w in trained(network()).get_weights()])
    assert seen[0] == seen[1] == seen[2]


def test_summary():
    lines = []
    network().summary(print_fn=lines.append)
    network().summary(print_fn=lines.append, expand_nested=True)
    assert "└ " not in lines[0]
    assert "    └ inner (Residual) " in lines[1]
    assert "       └ c (Conv2D) " in lines[1]
    totals = [[line for line in text.splitlines() if " params: " in line] for text in lines]
    assert totals[0] == totals[1]


def residual(*arguments, shape=(8, 8, 3), **options):
    return pyconv.Sequential([pyconv.Input(shape), Residual(*arguments, **options)])


def branches(*arguments, shape=(8, 8, 3), **options):
    return pyconv.Sequential([pyconv.Input(shape), Branches(*arguments, **options)])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: residual([conv3(16, strides=2)], name="r"),
            ValueError,
            r"Residual 'r': its layers give \(None, 4, 4, 16\), but its input is "
            r"\(None, 8, 8, 3\); give it as the shortcut: Conv2D\(16, 1, strides=2, padding='same'",
        ),
        (
            lambda: residual([conv3(16)], [Conv2D(8, 1)]),
            ValueError,
            r"shortcut gives \(None, 8, 8, 8\); add it to the shortcut: Conv2D\(16, 1\)$",
        ),
        (lambda: residual([Conv2D(3, 4)]), ValueError, r"\(None, 5, 5, 3\).*padding='same'"),
        (lambda: residual([Dense(5)], shape=(3,)), ValueError, r"give it .*: Dense\(5\)$"),
        (lambda: residual([layers.Flatten()]), ValueError, "the two must have one shape"),
        (lambda: Residual(conv3(3)), TypeError, "layers must be a list of layers, got a Conv2D"),
        (lambda: Residual([3]), TypeError, "layers must hold layers only, got a int"),
        (lambda: Residual([pyconv.Input((3,))]), TypeError, "layers only, got an Input"),
        (lambda: Residual([], [[]]), TypeError, "shortcut must hold layers only, got a list"),
        (
            lambda: Residual([], activation="ramp"),
            ValueError,
            "Residual .*: activation must be one of .*, got 'ramp'",
        ),
        (
            lambda: Residual([conv3(3, name="c"), conv3(3, name="c")]),
            ValueError,
            "it has two layers named 'c'",
        ),
        (lambda: branches([[Conv2D(2, 1)], [Conv2D(2, 3)]]), ValueError, "branch 1 .*'same'"),
        (
            lambda: branches([[Conv2D(2, 1)], []], merge="add"),
            ValueError,
            r"branch 0 gives \(None, 8, 8, 2\) and branch 1 \(None, 8, 8, 3\); end each branch",
        ),
        (lambda: branches([[layers.Flatten()], []]), ValueError, "as many axes"),
        (lambda: Branches([]), ValueError, "branches must hold at least one list"),
        (lambda: Branches([[]], merge="mul"), ValueError, "merge must be 'concat' or 'add', got"),
        (lambda: Branches(3), TypeError, "branches must be a list of lists of layers, got 3"),
        (lambda: Branches([conv3(3)]), TypeError, r"branches\[0\] must be a list of layers"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_build_that_fails_leaves_the_layers_unbuilt():
    first, last = conv3(4), conv3(4)
    block = Residual([first, last])
    with pytest.raises(ValueError, match="give it as the shortcut"):
        block.build((None, 8, 8, 3))
    assert not first.built
    block.build((None, 8, 8, 4))
    assert first.built
    assert last.built
    with pytest.raises(ValueError, match="built for 4 channels"):
        block(np.ones((1, 8, 8, 3), "f4"))
    block.unbuild()
    assert not first.built
    assert block.weights == []


def test_states_that_do_not_fit():
    block = network().layers[1]
    state = block.get_state()
    assert state == {"d/stream": 3, "d/next": 0}
    with pytest.raises(ValueError, match="state must hold stream and next"):
        block.set_state({"d/next": 0})
    with pytest.raises(ValueError, match=r"Residual 'r': it has no state named \['e/next'\]"):
        block.set_state({**state, "e/next": 0})


def test_on_the_active_backend():
    assert isinstance(trained(network()).layers[1]._y, type(backend.zeros((1,), np.float32)))
