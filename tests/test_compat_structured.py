"""Functional models of several inputs and outputs, against torch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pyconv.compat
import pyconv.compat.keras as keras

layers = keras.layers


@pytest.fixture(autouse=True)
def as_keras3(monkeypatch):
    monkeypatch.setattr(pyconv.compat._era, "_chosen", "keras3")
    pyconv.utils.set_random_seed(0)


def network(form=list):
    a, b = keras.Input((3,), name="a"), keras.Input((4, 4, 1), name="b")
    hidden = layers.Concatenate()(
        [layers.Dense(5, activation="relu")(a), layers.Flatten()(layers.Conv2D(2, 3)(b))]
    )
    o1 = layers.Dense(2, activation="softmax", name="o1")(hidden)
    o2 = layers.Dense(1, name="o2")(hidden)
    if form is dict:
        return keras.Model({"first": a, "second": b}, {"x": o1, "y": o2})
    return keras.Model(form([a, b]), form([o1, o2]))


def data(n=12, seed=0):
    rng = np.random.default_rng(seed)
    x = [rng.random((n, 3)).astype("f4"), rng.random((n, 4, 4, 1)).astype("f4")]
    return x, [rng.integers(0, 2, n), rng.random((n, 1)).astype("f4")]


def of_torch(model, x, y, weights, factors):
    """Return the losses of one pass in float64, and the gradients in the order of the weights."""
    params = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in model.get_weights()]
    named = dict(
        zip([layer.name for layer in model.layers if layer.weights], range(4), strict=True)
    )
    at = {name.rstrip("_0123456789"): 2 * i for name, i in named.items()}

    def of(name):
        return params[at[name]], params[at[name] + 1]

    a, b = (torch.tensor(part, dtype=torch.float64) for part in x)
    kernel, bias = of("conv2d")
    conv = torch.nn.functional.conv2d(b.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias)
    kernel, bias = of("dense")
    hidden = torch.relu(a @ kernel + bias)
    hidden = torch.cat([hidden, conv.permute(0, 2, 3, 1).reshape(len(b), -1)], 1)
    (k1, b1), (k2, b2) = (params[-4:-2], params[-2:])
    logits = hidden @ k1 + b1
    wanted = torch.tensor(y[0])
    rows = [
        torch.nn.functional.cross_entropy(logits, wanted, reduction="none"),
        ((hidden @ k2 + b2 - torch.tensor(y[1], dtype=torch.float64)) ** 2).mean(1),
    ]
    losses = [
        (row * torch.tensor(w, dtype=torch.float64)).mean()
        for row, w in zip(rows, weights, strict=True)
    ]
    total = sum(f * loss for f, loss in zip(factors, losses, strict=True))
    total.backward()
    return [total.item(), *(loss.item() for loss in losses)], [p.grad.numpy() for p in params]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_is_that_of_torch(weighted):
    model, (x, y) = network(), data()
    model.compile(
        keras.optimizers.SGD(0.1),
        ["sparse_categorical_crossentropy", "mse"],
        loss_weights=[1.0, 0.5],
    )
    rng = np.random.default_rng(1)
    weights = [rng.random(12).astype("f4") for _ in y] if weighted else [np.ones(12)] * 2
    before = model.get_weights()
    losses, grads = of_torch(model, x, y, weights, [1.0, 0.5])
    found = model.train_on_batch(x, y, sample_weight=weights if weighted else None)
    np.testing.assert_allclose(found, losses, rtol=1e-6)
    for now, w, g in zip(model.get_weights(), before, grads, strict=True):
        np.testing.assert_allclose(now, w - 0.1 * g, rtol=1e-5, atol=1e-7)


def test_lines_and_histories():
    model, (x, y) = network(), data()
    model.compile(
        "sgd",
        {"o1": "sparse_categorical_crossentropy", "o2": "mse"},
        metrics={"o1": "accuracy", "o2": ["mae"]},
        weighted_metrics={"o2": ["mae", "mse"]},
    )
    history = model.fit(x, y, epochs=2, batch_size=5, validation_split=0.25, verbose=0).history
    own = [
        "loss", "o1_accuracy", "o1_loss", "o2_loss", "o2_mae", "o2_mse", "o2_weighted_mae",
    ]  # fmt: skip
    assert sorted(history) == sorted(own + ["val_" + name for name in own])
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    p1, p2 = model.predict(x, verbose=0)
    assert results["o1_accuracy"] == np.mean(p1.argmax(1) == y[0])
    assert results["o2_mae"] == pytest.approx(np.abs(p2 - y[1]).mean(), rel=1e-6)
    assert results["loss"] == pytest.approx(results["o1_loss"] + results["o2_loss"], rel=1e-6)
    weight = np.arange(12.0)
    results = model.evaluate(x, y, sample_weight=[None, weight], verbose=0, return_dict=True)
    error = np.abs(p2 - y[1])[:, 0]
    assert results["o2_mae"] == pytest.approx(error.mean(), rel=1e-6)
    assert results["o2_weighted_mae"] == pytest.approx(np.average(error, weights=weight), rel=1e-6)


def test_forms_of_inputs_and_outputs():
    x, y = data()
    plain = network()
    weights = plain.get_weights()
    wanted = plain.predict(x, verbose=0)
    by_tuple, by_dict = network(tuple), network(dict)
    by_tuple.set_weights(weights)
    by_dict.set_weights(weights)
    result = by_tuple.predict(tuple(x), verbose=0)
    assert isinstance(result, tuple)
    np.testing.assert_array_equal(result[1], wanted[1])
    for given in ({"first": x[0], "second": x[1]}, {"a": x[0], "b": x[1]}, x):
        result = by_dict.predict(given, verbose=0)
        np.testing.assert_array_equal(result["x"], wanted[0])
    called = by_dict({"first": x[0], "second": x[1]})
    np.testing.assert_allclose(called["y"].numpy(), wanted[1], rtol=1e-6)
    by_dict.compile("sgd", {"x": "sparse_categorical_crossentropy"}, metrics={"y": ["mae"]})
    history = by_dict.fit(x, {"x": y[0], "y": y[1]}, verbose=0).history
    assert sorted(history) == ["loss", "y_mae"]


def test_batches_of_a_generator():
    x, y = data()
    by_arrays, by_batches = network(), network()
    by_batches.set_weights(by_arrays.get_weights())

    def batches():
        for at in range(0, 12, 4):
            rows = slice(at, at + 4)
            yield [part[rows] for part in x], [part[rows] for part in y]

    for model in (by_arrays, by_batches):
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    by_arrays.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    by_batches.fit(batches(), verbose=0, validation_data=(tuple(x), tuple(y)))
    for a, b in zip(by_arrays.get_weights(), by_batches.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_inputs_and_one_output():
    x, y = data()
    a, b = keras.Input((3,)), keras.Input((4, 4, 1))
    out = layers.Dense(1)(layers.concatenate([a, layers.Flatten()(b)]))
    model = keras.Model(inputs=[a, b], outputs=out)
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(x, y[1], epochs=20, verbose=0).history
    assert sorted(history) == ["loss", "mae"]
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(x, verbose=0).shape == (12, 1)
    assert [layer.name for layer in model.layers[:2]] == [a.name, b.name]


def test_one_input_and_several_outputs_of_images():
    images = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(images)
    masks = layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x)
    classes = layers.Dense(3, activation="softmax", name="label")(
        layers.GlobalAveragePooling2D()(x)
    )
    model = keras.Model(images, [masks, classes])
    model.compile("adam", ["binary_crossentropy", "sparse_categorical_crossentropy"])
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 8, 8, 3)), [rng.integers(0, 2, (6, 8, 8, 1)), rng.integers(0, 3, 6)]
    model.fit(x, y, epochs=2, verbose=0)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    p = [part.astype(np.float64) for part in model.predict(x, verbose=0)]
    wanted = -np.mean(np.where(y[0] == 1, np.log(p[0]), np.log1p(-p[0])))
    assert results["mask_loss"] == pytest.approx(wanted, rel=1e-5)
    wanted = -np.mean(np.log(p[1][np.arange(6), y[1]]))
    assert results["label_loss"] == pytest.approx(wanted, rel=1e-5)


def test_a_part_of_another_model():
    inner = network()
    a, b = keras.Input((3,)), keras.Input((4, 4, 1))
    first, second = inner([a, b])
    outer = keras.Model([a, b], layers.concatenate([first, second]))
    x, _ = data()
    wanted = np.concatenate(inner.predict(x, verbose=0), axis=1)
    np.testing.assert_allclose(outer.predict(x, verbose=0), wanted, rtol=1e-6)


def test_copies_and_weights_in_files(tmp_path):
    model, (x, y) = network(), data()
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    model.fit(x, y, verbose=0)
    wanted = model.predict(x, verbose=0)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.predict(x, verbose=0)[0], wanted[0])
    path = tmp_path / "two.weights.h5"
    model.save_weights(path)
    other = network()
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(x, verbose=0)[1], wanted[1])


def test_a_result_that_is_an_output_twice():
    a = keras.Input((3,))
    out = layers.Dense(1)(a)
    model = keras.Model(a, {"p": out, "q": out})
    model.compile("sgd", {"p": "mse", "q": "mae"})
    x = np.ones((4, 3), "f4")
    losses = model.train_on_batch(x, {"p": np.zeros((4, 1)), "q": np.zeros((4, 1))})
    assert losses[0] == pytest.approx(losses[1] + losses[2])


def fitted(x=None, y=None, loss=("sparse_categorical_crossentropy", "mse"), **options):
    model, (given_x, given_y) = network(), data()
    kept = {k: v for k, v in options.items() if k in ("metrics", "loss_weights")}
    model.compile("sgd", list(loss) if isinstance(loss, tuple) else loss, **kept)
    rest = {k: v for k, v in options.items() if k not in kept}
    model.fit(given_x if x is None else x, given_y if y is None else y, verbose=0, **rest)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fitted(x=data()[0][:1]),
            ValueError,
            r"^Functional .*x must be a list of 2 arrays .*'a', 'b'",
        ),
        (lambda: fitted(x={"a": data()[0][0]}), ValueError, "'b'.*, got 1"),
        (
            lambda: fitted(x=[np.ones((12, 3)), np.ones((12, 4, 4, 2))]),
            ValueError,
            "input 'b' must",
        ),
        (lambda: fitted(x=[np.ones((11, 3)), data()[0][1]]), ValueError, "same number of samples"),
        (lambda: fitted(y=[data()[1][0]]), ValueError, "y must be a list of 2 arrays"),
        (lambda: fitted(y=[np.full(12, 7), data()[1][1]]), ValueError, "output 'o1'.* from 0 to 1"),
        (lambda: fitted(y=[data()[1][0], "a"]), TypeError, "output 'o2'.* array of numbers"),
        (lambda: fitted(y=[data()[1][0], None]), ValueError, "output 'o2': y must be given"),
        (lambda: fitted(loss={"o1": "mse", "o3": "mse"}), ValueError, "Expected keys"),
        (lambda: fitted(loss=("mse", "mse", "mse")), ValueError, "for each of the 2 outputs"),
        (lambda: fitted(loss=("mse", ["mse", "mae"])), NotImplementedError, "output 'o2' must be"),
        (lambda: fitted(loss=(None, None)), ValueError, "none of the outputs"),
        (lambda: fitted(metrics={"o3": "mae"}), ValueError, "Invalid `metrics`.*o3"),
        (lambda: fitted(metrics=[["mae"]] * 3), ValueError, "Invalid `metrics`.* got 3"),
        (lambda: fitted(loss_weights=[1, "a"]), TypeError, "loss_weights must be a number"),
        (
            lambda: fitted(class_weight={0: 1.0}),
            ValueError,
            "only supported for models with a single",
        ),
        (lambda: fitted(sample_weight={"o3": np.ones(12)}), ValueError, "Invalid `sample_weight`"),
        (lambda: fitted(sample_weight=[np.ones(3), None]), ValueError, "same number of samples"),
        (lambda: keras.Model([], []), ValueError, "it needs inputs"),
        (lambda: keras.Model([1, 2], []), ValueError, "must be KerasTensors"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_targets_of_outputs_without_a_loss_may_be_left_out():
    inputs = keras.Input((2,))
    hidden = layers.Dense(3, kernel_initializer="ones")(inputs)
    x, y = np.ones((32, 2)), np.zeros((32, 3))
    found = []
    for losses, targets in [
        (["mse", None, None], y), ([None, "mse", None], [y]), (["mse"] * 3, [y] * 3),
        (["mse", None, "mse"], (y, y)),
    ]:  # fmt: skip
        model = keras.Model(inputs, [hidden, hidden, hidden])
        model.compile("sgd", losses)
        found.append(model.evaluate(x, targets, verbose=0, return_dict=True)["loss"])
    np.testing.assert_allclose(found, [4.0, 4.0, 12.0, 8.0])
    with pytest.raises(ValueError, match="y must be a list of 3 arrays .* got 1"):
        model.evaluate(x, y, verbose=0)


def test_optional_inputs():
    image, more = keras.Input((2,), name="image"), keras.Input((2,), name="more", optional=True)
    model = keras.Model({"image": image, "more": more}, image + 2.0 * more)
    assert model.get_layer("more").optional
    given = {"image": np.ones((2, 2)), "more": np.ones((2, 2))}
    assert model.predict(given, verbose=0).tolist() == [[3.0, 3.0]] * 2
    again = keras.models.model_from_json(model.to_json())
    assert again.get_layer("more").optional
    assert not again.get_layer("image").optional
    with pytest.raises(ValueError, match="the input 'image' is not optional, got None"):
        model({**given, "image": None})
    with pytest.raises(NotImplementedError, match="the optional input 'more' must be given"):
        model({**given, "more": None})
