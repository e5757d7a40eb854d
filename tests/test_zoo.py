"""The networks of the course: layers, shapes and numbers of parameters."""

import numpy as np
import pytest

from pyconv import zoo


def test_cnn():
    model = zoo.deck_cnn()
    kinds = ["Conv2D", "MaxPooling2D"] * 3 + ["Dropout", "Flatten", "Dense", "Dropout", "Dense"]
    assert [type(layer).__name__ for layer in model.layers] == kinds
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.3, 0.4]
    counts = [208, 0, 2080, 0, 8256, 0, 0, 0, 512_500, 0, 5010]
    assert [layer.count_params() for layer in model.layers] == counts
    assert model.count_params() == 528_054
    assert model.output_shape == (None, 10)


def test_mlp():
    model = zoo.deck_mlp()
    kinds = ["Flatten", "Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [type(layer).__name__ for layer in model.layers] == kinds
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.2, 0.2]
    counts = [0, 3_073_000, 0, 512_512, 0, 5130]
    assert [layer.count_params() for layer in model.layers] == counts
    assert model.count_params() == 3_590_642


@pytest.mark.parametrize("make", [zoo.deck_cnn, zoo.deck_mlp])
def test_other_images_and_classes(make):
    model = make((28, 28, 1), 7)
    y = model(np.zeros((2, 28, 28, 1)))
    assert y.shape == (2, 7)
    assert y.sum(1) == pytest.approx([1, 1])
    assert make(input_shape=(28, 28, 1), classes=7).count_params() == model.count_params()


def test_images_too_small():
    with pytest.raises(ValueError, match="MaxPooling2D .*does not fit"):
        zoo.deck_cnn((4, 4, 3))
