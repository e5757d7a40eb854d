"""Trains networks one after the other on the same data."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyconv import callbacks, optimizers, utils, zoo
from pyconv._args import int_arg, path_arg
from pyconv.callbacks.callback import Callback, Logs
from pyconv.comparison.result import Comparison, Entry
from pyconv.datasets import Dataset
from pyconv.datasets._load import scaled
from pyconv.model import Sequential
from pyconv.progress import verbosity

Network = Callable[[Any, int], Sequential]

NETWORKS: Mapping[str, Network] = {"MLP": zoo.deck_mlp, "CNN": zoo.deck_cnn}


def compare(
    data: Dataset,
    networks: Mapping[str, Network] | None = None,
    epochs: int = 5,
    batch_size: int = 32,
    optimizer: Any = "rmsprop",
    seed: int = 0,
    folder: Any = None,
    verbose: str | int = "auto",
) -> Comparison:
    """Train networks one after the other on the same data, and test each at its best epoch.

    The loss is cross-entropy. Every network begins with the same seed, so that its result does
    not depend on the others. Ctrl-C ends it: what was reached is returned.

    Args:
        data: what ``pyconv.datasets.load`` gives, or a ``Dataset`` of your own; ``data.split()``
            says which images are those to validate on.
        networks: for each name a function that takes (H, W, C) and the number of classes and
            returns a model that ends in a softmax, such as those of ``pyconv.zoo``; by default
            the course's two, "MLP" and "CNN".
        epochs: how often each network sees the training images.
        batch_size: images of a step.
        optimizer: a name or an ``Optimizer``; each network has one of its own.
        seed: of initial weights, order of images and dropout, 0 to 2**32 - 1.
        folder: where to keep each network's best checkpoint (``best.safetensors``) and epochs
            (``history.csv``), in a folder by its name in small letters; None to keep no files.
        verbose: 0 nothing, 1 (or 'auto') a progress bar, 2 a line an epoch.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value, or a network does not fit the data.

    Example:
        >>> import pyconv
        >>> from pyconv.comparison import compare
        >>> (x, y), (x_test, y_test) = pyconv.datasets.shapes10.load_data(n_train=60, n_test=20)
        >>> names = pyconv.datasets.shapes10.CLASS_NAMES
        >>> data = pyconv.datasets.Dataset(
        ...     "shapes", x, y[:, 0], x_test, y_test[:, 0], names, "for an example"
        ... )
        >>> result = compare(data, {"CNN": pyconv.zoo.deck_cnn}, epochs=1, verbose=0)
        >>> result["CNN"].parameters, result["CNN"].best_epoch
        (528054, 1)
    """
    owner = "compare"
    if not isinstance(data, Dataset):
        raise TypeError(
            f"{owner}: data must be a Dataset, as pyconv.datasets.load gives it, got a "
            f"{type(data).__name__}"
        )
    networks = _networks(owner, networks)
    epochs = int_arg(owner, "epochs", epochs)
    batch_size = int_arg(owner, "batch_size", batch_size)
    level = verbosity(owner, verbose)
    if not isinstance(chosen := optimizers.get(optimizer), optimizers.Optimizer):
        raise TypeError(f"{owner}: optimizer must be a name or an Optimizer, got {optimizer!r}")
    settings = optimizers.serialize(chosen)
    kept = None if folder is None else path_arg(owner, "folder", folder)
    training, validation = data.split()
    result = Comparison(
        data.name,
        len(data.class_names),
        [],
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "optimizer": settings,
            "seed": int_arg(owner, "seed", seed, 0, 2**32 - 1),
            "training_images": len(training[0]),
            "validation_images": len(validation[0]),
            "test_images": len(data.x_test),
        },
    )
    for name, network in networks.items():
        utils.set_random_seed(seed)
        model = network(data.input_shape, len(data.class_names))
        if not isinstance(model, Sequential):
            raise TypeError(
                f"{owner}: networks[{name!r}] must return a Sequential, got a "
                f"{type(model).__name__}"
            )
        model.compile(
            optimizers.deserialize(settings), "categorical_crossentropy", metrics=["accuracy"]
        )
        entry = Entry(name, model)
        result.entries.append(entry)
        with _place(kept, name) as place:
            best = os.path.join(place, "best.safetensors")
            own: list[Callback] = [_Epochs(entry)]
            own.append(callbacks.ModelCheckpoint(best, save_best_only=True))
            if kept is not None:
                own.append(callbacks.CSVLogger(os.path.join(place, "history.csv")))
            try:
                if level:
                    print(f"{name}: {entry.parameters:,} parameters", flush=True)
                model.fit(*training, batch_size, epochs, level, own, validation_data=validation)
            except (BrokenPipeError, KeyboardInterrupt):
                result.interrupted = True
            if os.path.exists(best):
                entry.checkpoint = None if kept is None else best
                model.load_weights(best)
                try:
                    scores = model.predict(scaled(data.x_test), 256, verbose=0)
                    entry.test_accuracy = float((scores.argmax(axis=1) == data.y_test).mean())
                except KeyboardInterrupt:
                    result.interrupted = True
            elif kept is not None:
                # No epoch was finished, or none had a loss that is a number.
                model.save(os.path.join(place, "last.safetensors"))
        if result.interrupted:
            break
    return result


class _Epochs(Callback):
    """Notes the metrics and the seconds of each epoch; it comes before what writes files."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._begin = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._begin = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._entry.seconds.append(time.perf_counter() - self._begin)
        for key, value in (logs or {}).items():
            self._entry.history.setdefault(key, []).append(float(value))


@contextlib.contextmanager
def _place(folder: str | None, name: str) -> Iterator[str]:
    """Yield the folder of a network's files."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="pyconv-") as place:
            yield place
    else:
        place = os.path.join(folder, name.lower())
        os.makedirs(place, exist_ok=True)
        yield place


def _networks(owner: str, networks: Any) -> Mapping[str, Network]:
    if networks is None:
        return NETWORKS
    if not isinstance(networks, Mapping):
        raise TypeError(
            f"{owner}: networks must be a dict of functions by name, got a "
            f"{type(networks).__name__}"
        )
    if not networks:
        raise ValueError(f"{owner}: networks must name at least one network")
    for name, network in networks.items():
        if not isinstance(name, str) or os.path.basename(name) != name or not name.strip(" ."):
            raise ValueError(
                f"{owner}: networks must have names that can name a folder, got {name!r}"
            )
        if isinstance(network, Sequential) or not callable(network):
            raise TypeError(
                f"{owner}: networks[{name!r}] must be a function of an input shape and a number of "
                f"classes that returns a model, such as zoo.deck_cnn, got a "
                f"{type(network).__name__}"
            )
    if len({name.lower() for name in networks}) < len(networks):
        raise ValueError(
            f"{owner}: networks must have names that differ in more than capitals, got "
            f"{', '.join(networks)}"
        )
    return networks
