"""Ten epochs of a small network follow those of Keras.

The numbers are the losses that Keras 3.15 on JAX (float32, on a CPU) gives for the same network,
initial weights, data and order: ``fit(x, y, batch_size=16, epochs=10, shuffle=False)``.
"""

import numpy as np
import pytest

import pyconv
from pyconv import layers, losses, optimizers
from pyconv.optimizers import schedules

LOSSES = {
    "sparse": losses.SparseCategoricalCrossentropy,
    "one-hot": losses.CategoricalCrossentropy,
    "logits smoothed": lambda: losses.CategoricalCrossentropy(True, 0.1),
    "binary": losses.BinaryCrossentropy,
    "focal": losses.CategoricalFocalCrossentropy,
    "huber": lambda: losses.Huber(0.5),
    "kld": losses.KLDivergence,
    "hinge": losses.CategoricalHinge,
    "log_cosh": losses.LogCosh,
}


def data():
    rng = np.random.default_rng(8)
    x = rng.random((60, 8, 8, 2)).astype(np.float32)
    labels = (x.mean(axis=(1, 2)) @ np.array([[9.0, -7, 3], [-8, 6, 2]])).argmax(1)
    labels = (labels + rng.integers(0, 2, 60) * (rng.random(60) < 0.3)) % 3
    return x, labels


def network(activation):
    model = pyconv.Sequential(
        [
            pyconv.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(8, activation="tanh"),
            layers.Dense(3, activation=activation),
        ]
    )
    rng = np.random.default_rng(7)
    shapes = [(3, 3, 2, 4), (4,), (36, 8), (8,), (8, 3), (3,)]
    model.set_weights([(rng.normal(size=shape) * 0.3).astype(np.float32) for shape in shapes])
    return model


GOLDENS = [
    (
        "SGD(0.05)",
        "softmax",
        "sparse",
        "1.448656 0.825613 0.561788 0.445143 0.388502 0.358779 0.341811 0.331351 0.324436 0.319571",
    ),
    (
        "SGD(0.05, 0.9, True)",
        "softmax",
        "sparse",
        "1.199217 0.368676 0.315722 0.283090 0.281840 0.260848 0.261935 0.261505 0.258196 0.251495",
    ),
    (
        "SGD(schedules.CosineDecay(0.1, 50), clipnorm=0.1)",
        "softmax",
        "sparse",
        "1.626943 1.456074 1.284634 1.128620 1.002042 0.904792 0.833325 0.782733 0.748640 0.727314",
    ),
    (
        "RMSprop(0.002)",
        "softmax",
        "one-hot",
        "1.565927 1.275488 1.048509 0.887640 0.770426 0.680555 0.608725 0.550250 0.502449 0.463526",
    ),
    (
        "RMSprop(0.002, 0.8, 0.5, centered=True)",
        "softmax",
        "sparse",
        "1.556389 1.002530 0.592783 0.423224 0.360869 0.334151 0.320003 0.311445 0.305734 0.301604",
    ),
    (
        "Adam(0.003)",
        "softmax",
        "sparse",
        "1.623360 1.422110 1.192524 0.973046 0.797040 0.665770 0.569949 0.500801 0.451602 0.416785",
    ),
    (
        "Adam(schedules.ExponentialDecay(0.01, 10, 0.9), amsgrad=True)",
        "softmax",
        "sparse",
        "1.462099 0.829237 0.514445 0.394026 0.346916 0.326900 0.316759 0.311291 0.308012 0.305552",
    ),
    (
        "Adam(0.003, gradient_accumulation_steps=3)",
        "softmax",
        "sparse",
        "1.674430 1.618665 1.557463 1.482576 1.410819 1.336659 1.251165 1.173518 1.099236 1.018039",
    ),
    (
        "AdamW(0.003, 0.1, global_clipnorm=1.0)",
        "softmax",
        "sparse",
        "1.623187 1.421908 1.193749 0.975544 0.797171 0.660145 0.557434 0.482456 0.430121 0.394375",
    ),
    (
        "Adagrad(0.05)",
        "softmax",
        "sparse",
        "1.219350 0.541929 0.396419 0.351721 0.332964 0.323154 0.317179 0.313121 0.310143 0.307830",
    ),
    (
        "Adadelta(1.0)",
        "softmax",
        "sparse",
        "1.654559 1.565230 1.443985 1.283650 1.102248 0.933123 0.792735 0.682850 0.599577 0.538065",
    ),
    (
        "Adamax(0.005)",
        "softmax",
        "sparse",
        "1.585500 1.287497 1.009966 0.794535 0.643736 0.540033 0.469742 0.423114 0.392362 0.371742",
    ),
    (
        "Nadam(0.003)",
        "softmax",
        "sparse",
        "1.627331 1.475808 1.286414 1.076316 0.889250 0.740829 0.628746 0.545892 0.485465 0.441607",
    ),
    (
        "Lion(0.0005)",
        "softmax",
        "sparse",
        "1.672273 1.643728 1.614157 1.583130 1.550301 1.515921 1.479929 1.442889 1.405143 1.366601",
    ),
    (
        "Ftrl(0.05)",
        "softmax",
        "sparse",
        "1.375156 1.141498 1.003627 0.729647 0.460098 0.371832 0.343293 0.330411 0.323008 0.318050",
    ),
    (
        "Adafactor(0.01)",
        "softmax",
        "sparse",
        "1.625191 1.431846 1.197990 0.980794 0.813361 0.688425 0.593613 0.521533 0.467925 0.428607",
    ),
    (
        "Lamb(0.01)",
        "softmax",
        "sparse",
        "1.618895 1.380826 1.116423 0.889012 0.715716 0.590056 0.504271 0.448518 0.407739 0.375370",
    ),
    (
        "SGD(0.05)",
        "linear",
        "logits smoothed",
        "1.436358 0.909468 0.675393 0.578334 0.533636 0.511861 0.500593 0.494361 0.490678 0.488356",
    ),
    (
        "Adam(0.003)",
        "sigmoid",
        "binary",
        "0.879812 0.797264 0.708679 0.629321 0.566697 0.516514 0.473775 0.437163 0.406657 0.381138",
    ),
    (
        "Adam(0.003)",
        "softmax",
        "focal",
        "0.264331 0.206371 0.145932 0.096359 0.064498 0.046522 0.037029 0.032176 0.029686 0.028328",
    ),
    (
        "Adam(0.003)",
        "linear",
        "huber",
        "0.234525 0.190001 0.147008 0.106668 0.071164 0.044025 0.030174 0.025855 0.025324 0.025921",
    ),
    (
        "Adam(0.003)",
        "softmax",
        "kld",
        "1.623357 1.422107 1.192521 0.973043 0.797037 0.665767 0.569947 0.500799 0.451599 0.416782",
    ),
    (
        "Adam(0.003)",
        "linear",
        "hinge",
        "1.804192 1.536165 1.229834 0.963371 0.738324 0.543451 0.371049 0.225002 0.179703 0.182394",
    ),
    (
        "Adam(0.003)",
        "linear",
        "log_cosh",
        "0.295045 0.230337 0.162118 0.102052 0.061210 0.039755 0.031084 0.028497 0.028550 0.029074",
    ),
]


@pytest.mark.parametrize(("optimizer", "activation", "loss", "expected"), GOLDENS)
def test_losses_of_ten_epochs(optimizer, activation, loss, expected):
    x, labels = data()
    model = network(activation)
    made = eval(f"optimizers.{optimizer}", {"optimizers": optimizers, "schedules": schedules})
    model.compile(made, LOSSES[loss]())
    y = labels if loss == "sparse" else np.eye(3, dtype=np.float32)[labels]
    history = model.fit(x, y, batch_size=16, epochs=10, shuffle=False, verbose=0)
    wanted = [float(value) for value in expected.split()]
    np.testing.assert_allclose(history.history["loss"], wanted, rtol=0, atol=1e-4)
