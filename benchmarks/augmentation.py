"""What augmentation adds to a step of the course's CNN: `python benchmarks/augmentation.py -h`."""

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import pyconv
from pyconv import layers, zoo
from pyconv.batches import Batch
from pyconv.preprocessing.image import ImageDataGenerator

IMAGES = 8192
STEPS = 8  # of one turn, behind one that does not count


def kinds() -> dict[str, Any]:
    """Return what is measured by name: layers, or a generator of images."""
    usual = {"width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True}
    range_ = {"value_range": (0, 1)}
    return {
        "RandomFlip": [layers.RandomFlip("horizontal")],
        "RandomCrop": [layers.RandomCrop(32, 32, per_image=True, padding=4)],
        "RandomCrop, RandomFlip": [
            layers.RandomCrop(32, 32, per_image=True, padding=4),
            layers.RandomFlip("horizontal"),
        ],
        "RandomTranslation": [layers.RandomTranslation(0.1, 0.1)],
        "RandomRotation": [layers.RandomRotation(0.05)],
        "RandomZoom": [layers.RandomZoom(0.1)],
        "Cutout": [layers.Cutout(8)],
        "RandomErasing": [layers.RandomErasing(1.0, **range_)],
        "RandomBrightness": [layers.RandomBrightness(0.2, **range_)],
        "RandomContrast": [layers.RandomContrast(0.2, **range_)],
        "RandomHue": [layers.RandomHue(0.2, **range_)],
        "RandomSaturation": [layers.RandomSaturation(0.6, **range_)],
        "RandomGrayscale": [layers.RandomGrayscale(0.5)],
        "ImageDataGenerator, shifts and flips": ImageDataGenerator(**usual),
        "ImageDataGenerator, with rotation": ImageDataGenerator(rotation_range=15, **usual),
    }


def endless(batches: Any) -> Iterator[Batch]:
    """Give batches of one pass after the other."""
    while True:
        yield from batches


def trained() -> Any:
    """Return the network that is trained."""
    model = zoo.deck_cnn()
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def sources(size: int, chosen: list[str]) -> dict[str, tuple[Any, Iterator[Batch]]]:
    """Return a network and its batches: of the data set as it is, and of each kind.

    Each has a network of its own, as a network's step is recorded for one training's batches.
    """
    from pyconv.sources import training

    rng = np.random.default_rng(0)
    x = rng.random((IMAGES, 32, 32, 3), np.float32)
    y = rng.integers(0, 10, IMAGES)
    fixed = None, size, True, None, 0.0, None, size, None
    model = trained()
    found = {"plain": (model, endless(training(model, (x, y, None), *fixed)[0]))}
    for name, kind in kinds().items():
        if name not in chosen:
            continue
        model = trained()
        if isinstance(kind, list):
            given = pyconv.Sequential([pyconv.Input(x.shape[1:]), *kind, layers.Flatten()])
            given.compile("sgd", "mse")
            first = given._leading_augmentation(x.shape)
            if len(first) < len(kind):
                plain = endless(training(model, (x, y, None), *fixed)[0])
                found[name] = model, through(kind, plain)
                continue
            data = training(model, (x, y, None), *fixed)[0]
            data._columns[0]._layers = kind  # type: ignore[union-attr]
            found[name] = model, endless(data)
        else:
            data = training(model, (kind.flow(x, y, batch_size=size), None, None), *fixed)[0]
            found[name] = model, endless(data)
    return found


def through(kind: list[Any], batches: Iterator[Batch]) -> Iterator[Batch]:
    """Give batches that went through layers one by one."""
    for batch in batches:
        x = batch.x
        for layer in kind:
            x = layer(x, training=True)
        yield batch._replace(x=x)


def measured(size: int, seconds: float, chosen: list[str]) -> dict[str, tuple[float, float]]:
    """Return by kind the time of a step in microseconds an image, and what it adds in percent.

    Both are medians over turns; a turn is compared with that of the plain batches beside it, as a
    machine is faster at some times than at others.
    """
    found = sources(size, chosen)
    turns: dict[str, list[float]] = {name: [] for name in found}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, (model, batches) in found.items():
            took = []
            for _ in range(STEPS + 1):
                begin = time.perf_counter()
                model._train_step(next(batches))
                took.append((time.perf_counter() - begin) / size * 1e6)
            turns[name].append(statistics.median(took[1:]))
    return {
        name: (
            statistics.median(taken),
            statistics.median(
                100 * (one / plain - 1) for one, plain in zip(taken, turns["plain"], strict=True)
            ),
        )
        for name, taken in turns.items()
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, nargs="*", default=[32, 128])
    parser.add_argument("--seconds", type=float, default=25, help="of each size of a batch")
    parser.add_argument("--only", nargs="*", default=list(kinds()), metavar="NAME")
    arguments = parser.parse_args()
    pyconv.set_num_threads(2)
    results = [measured(size, arguments.seconds, arguments.only) for size in arguments.batch]
    sizes = " | ".join(f"batch {size}: µs an image | added" for size in arguments.batch)
    print(f"| augmentation | {sizes} |")
    print("| --- |" + " ---: | ---: |" * len(results))
    for name in results[0]:
        cells = (f"{r[name][0]:.1f} | {r[name][1]:+.1f} %" for r in results)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
