"""What augmentation adds to a step of the course's CNN: `python benchmarks/augmentation.py -h`."""

import argparse
import statistics
import time
from typing import Any

import numpy as np

import pyconv
from pyconv import layers, zoo
from pyconv.preprocessing.image import ImageDataGenerator

STEPS, EPOCHS = 64, 3  # of one turn


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


def trained(first: list[Any]) -> pyconv.Sequential:
    """Return the course's CNN behind layers."""
    model = pyconv.Sequential([pyconv.Input((32, 32, 3)), *first, *zoo.deck_cnn().layers])
    # Weights stay: how many numbers are 0 behind a ReLU, and are left out, depends on them.
    still = pyconv.optimizers.RMSprop(0.0)
    model.compile(still, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def networks(size: int, chosen: list[str]) -> dict[str, tuple[pyconv.Sequential, dict[str, Any]]]:
    """Return by kind a network of its own and what its ``fit`` is given."""
    rng = np.random.default_rng(0)
    x = rng.random((STEPS * size, 32, 32, 3), np.float32)
    y = rng.integers(0, 10, len(x))
    arrays = {"x": x, "y": y, "batch_size": size}
    found = {"plain": (trained([]), arrays)}
    for name, kind in kinds().items():
        if name not in chosen:
            continue
        if isinstance(kind, list):
            found[name] = trained(kind), arrays
        else:
            found[name] = trained([]), {"x": kind.flow(x, y, batch_size=size)}
    return found


def measured(size: int, seconds: float, chosen: list[str]) -> dict[str, tuple[float, float]]:
    """Return by kind the time of a step in microseconds an image, and what it adds in percent.

    Both are medians over turns; a turn is compared with that of the plain batches beside it, as a
    machine is faster at some times than at others.
    """
    found = networks(size, chosen)
    turns: dict[str, list[float]] = {name: [] for name in found}
    for model, data in found.values():
        model.fit(**data, epochs=2, verbose=0)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, (model, data) in found.items():
            begin = time.perf_counter()
            model.fit(**data, epochs=EPOCHS, verbose=0)
            images = EPOCHS * STEPS * size
            turns[name].append((time.perf_counter() - begin) / images * 1e6)
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
