"""Embeddings of labels, as conditional networks have them."""

import numpy as np
import pytest
import torch

import pyconv.compat.keras as keras
from pyconv.compat.keras import layers

LABELS = np.array([[3], [0], [3], [9]], np.int32)
NOISE = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


def conditional(**options):
    noise, label = keras.Input((5,)), keras.Input((1,), dtype="int32")
    row = layers.Flatten()(layers.Embedding(10, 5, **options)(label))
    model = keras.Model([noise, label], layers.Dense(2)(layers.multiply([noise, row])))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def test_a_step_is_that_of_torch():
    model = conditional(embeddings_initializer="glorot_normal")
    w = [torch.tensor(value, requires_grad=True) for value in model.get_weights()]
    row = torch.nn.functional.embedding(torch.from_numpy(LABELS[:, 0]).long(), w[0])
    y = (torch.from_numpy(NOISE) * row) @ w[1] + w[2]
    loss = ((y - 1) ** 2).mean()
    found = model.train_on_batch([NOISE, LABELS], np.ones((4, 2)))
    assert found == pytest.approx(loss.item(), rel=1e-5)
    for mine, theirs, gradient in zip(
        model.get_weights(), w, torch.autograd.grad(loss, w), strict=True
    ):
        wanted = (theirs - 0.1 * gradient).detach().numpy()
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-7)


def test_what_an_embedding_takes(tmp_path):
    model = keras.Sequential([layers.Embedding(4, 3, input_length=2, init="ones")])
    assert model.output_shape == (None, 2, 3)
    assert model.predict([[0, 3]]).tolist() == [[[1] * 3] * 2]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match=r"inputs must be 0 to 3, got 0 to 4"):
        model.predict([[0, 4]])
    with pytest.raises(NotImplementedError, match="mask_zero must be False"):
        layers.Embedding(4, 3, mask_zero=True)


def test_rows_of_an_embedding_are_built_without_a_shape():
    layer = layers.Embedding(4, 3)
    layer.build()
    assert [w.shape for w in layer.weights] == [(4, 3)]
    np.testing.assert_array_equal(layer(np.array([[2, 0]]))[0], np.array(layer.embeddings)[[2, 0]])


def test_configuration_of_an_embedding():
    described = keras.saving.serialize_keras_object(layers.Embedding(5, 2))
    assert (described["module"], described["registered_name"]) == ("keras.layers", None)
    again = keras.saving.deserialize_keras_object(described)
    assert type(again) is layers.Embedding
    assert again.get_config() == described["config"]
