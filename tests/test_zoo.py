"""The networks: layers, shapes and numbers of parameters."""

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


# Parameters, and those that train.
PARAMETERS = {
    "lenet5": (zoo.lenet5, 61_706, 61_706),
    "alexnet": (zoo.alexnet_cifar, 5_871_434, 5_871_434),
    "vgg16": (zoo.vgg_cifar, 14_996_682, 14_987_210),
    "googlenet": (zoo.googlenet_cifar, 5_886_218, 5_871_914),
    "resnet20": (zoo.resnet_cifar, 274_042, 272_474),
    "resnet56": (lambda: zoo.resnet_cifar(56), 860_026, 855_770),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_numbers_of_parameters(name):
    make, count, trainable = PARAMETERS[name]
    model = make()
    assert model.count_params() == count
    assert sum(w.size for w in model.trainable_weights) == trainable
    assert model.output_shape == (None, 10)


def test_resnet_s_count_by_the_paper():
    # Section 4.2: 6 n + 2 layers of 3x3 filters; beside them factors and offsets of channels, two
    # projections, and the classifier.
    n = 3
    kernels = 3 * 9 * 16 + 2 * n * 9 * 16**2
    kernels += 9 * (16 * 32 + 32 * 64) + (2 * n - 1) * 9 * (32**2 + 64**2)
    norms = 2 * (16 + 2 * n * (16 + 32 + 64))
    projections = 16 * 32 + 32 * 64 + 2 * (32 + 64)
    assert kernels + norms + projections + 650 == 272_474


@pytest.mark.parametrize("make", [*zoo.NETWORKS.values()], ids=[*zoo.NETWORKS])
def test_other_images_and_classes(make):
    model = make((32, 36, 1), 7)
    y = model(np.zeros((2, 32, 36, 1)))
    assert y.shape == (2, 7)
    assert y.sum(1) == pytest.approx([1, 1])
    assert make(input_shape=(32, 36, 1), classes=7).count_params() == model.count_params()


def test_images_too_small():
    with pytest.raises(ValueError, match="MaxPooling2D .*does not fit"):
        zoo.deck_cnn((4, 4, 3))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: zoo.resnet_cifar(21), "depth must be 6 n \\+ 2, .* got 21; nearest are 20 and 26"),
        (lambda: zoo.resnet_cifar(2), "depth must be from 8"),
        (lambda: zoo.vgg_cifar(depth=12), r"depth must be one of \[11, 13, 16, 19\], got 12"),
    ],
)
def test_depths_that_there_are_not(call, text):
    with pytest.raises(ValueError, match=text):
        call()
