"""Keras on JAX: whole networks."""

import os
from functools import partial
from typing import Any

import jax
import keras
import numpy as np

from pyconv._types import Array
from pyconv.bench.cases import Case, Predict, Train
from pyconv.bench.inputs import labels, normal
from pyconv.bench.networks import (
    CLASSES,
    INPUT,
    LEARNING_RATE,
    LONG_STEP,
    NETWORKS,
    initial_weights,
    is_chain,
)
from pyconv.bench.peers import UnsupportedError, Variant, Variants


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        # XLA takes as many threads as the process may use cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.version = f"{keras.__version__} on {keras.backend.backend()} {jax.__version__}"

    def variants(self, case: Case) -> Variants:
        """Return the ways to run the case."""
        if isinstance(case, (Predict, Train)) and not is_chain(case.network):
            raise UnsupportedError(case.name)
        if isinstance(case, Predict):
            return _predict(case)
        if isinstance(case, Train):
            return _train(case)
        raise UnsupportedError(case.name)


def _predict(case: Predict) -> Variants:
    x = normal("x", case.x_shape)

    def plain() -> Variant:
        call = partial(_model(case.network).predict_on_batch, x)
        return Variant(call, lambda: [np.asarray(call())])

    def compiled() -> Variant:
        model = _model(case.network)
        function = jax.jit(lambda weights, x: model.stateless_call(*weights, x)[0])
        weights = tuple(
            [v.value for v in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        )

        def call() -> Any:
            return jax.block_until_ready(function(weights, x))

        return Variant(call, lambda: [np.asarray(call())])

    return {"predict_on_batch": plain, "jit": compiled}


def _train(case: Train) -> Variants:
    x, y = normal("x", case.x_shape), np.eye(CLASSES, dtype=np.float32)[labels(case)]
    model = _model(case.network)
    model.compile(keras.optimizers.RMSprop(LEARNING_RATE), "categorical_crossentropy")
    call = partial(model.fit, x, y, batch_size=case.batch, verbose=0)

    def batches() -> None:
        order = np.random.permutation(len(x))
        for rows in np.split(order, case.steps):
            model.train_on_batch(x[rows], y[rows])

    def gradients() -> list[Array]:
        model = _model(case.network, dropout=False)
        model.compile(keras.optimizers.SGD(LONG_STEP), "categorical_crossentropy")
        model.train_on_batch(x[: case.batch], y[: case.batch])
        pairs = zip(initial_weights(case.network), model.get_weights(), strict=True)
        return [(before - after) / np.float32(LONG_STEP) for before, after in pairs]

    return {
        "fit": lambda: Variant(call, gradients, case.steps),
        "train_on_batch": lambda: Variant(batches, gradients, case.steps),
    }


def _model(network: str, dropout: bool = True) -> Any:
    layers: list[Any] = [keras.Input(INPUT)]
    for step in NETWORKS[network]:
        if step.kind == "conv":
            layers.append(
                keras.layers.Conv2D(step.units, step.kernel, padding="same", activation="relu")
            )
        elif step.kind == "pool":
            layers.append(keras.layers.MaxPooling2D(2))
        elif step.kind == "flatten":
            layers.append(keras.layers.Flatten())
        elif step.kind == "dense":
            layers.append(keras.layers.Dense(step.units, activation=step.activation))
        elif dropout:
            layers.append(keras.layers.Dropout(step.rate))
    model = keras.Sequential(layers)
    model.set_weights(initial_weights(network))
    return model
