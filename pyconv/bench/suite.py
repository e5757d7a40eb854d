"""The cases of ``pyconv bench``, by group."""

from collections.abc import Sequence
from typing import Literal

from pyconv.bench.cases import Case, Conv, Dense, MaxPool, Predict, Relu, Train, Update
from pyconv.bench.filter_cases import Filter, Kind

TRAINING = "training steps"
PREDICTION = "prediction"
CONVOLUTIONS = "convolutions"
OTHERS = "other kernels"
FILTERS = "filters"

# Speed of all threads against one, and memory, are taken of these.
SCALING = (Train("deck CNN", 32), Train("deck CNN", 128), Train("VGG-like", 32))
MEMORY = Train("deck CNN", 32)


def suite(quick: bool, filters: Sequence[str] = ()) -> dict[str, list[Case]]:
    """Return the cases of each group.

    Args:
        quick: whether to leave out those that are slow or like another one.
        filters: keep the cases whose names hold one of these texts; all if there is none.
    """
    steps = [("deck CNN", 32), ("deck CNN", 128), ("deck MLP", 32), ("VGG-like", 32)]
    steps += [("ResNet-20", 32), ("ResNet-20", 128)]
    predictions = [("deck CNN", 1), ("deck CNN", 32), ("deck CNN", 128)]
    convolutions = [
        Conv(32, 32, 32, 64, 64),
        Conv(32, 8, 8, 256, 256),
        Conv(32, 32, 32, 3, 64),
        Conv(32, 16, 16, 16, 32, (2, 2)),
    ]
    dense = [Dense(32, 3072, 1000)]
    updates = [Update("RMSprop", "deck MLP")]
    if not quick:
        predictions += [("VGG-like", 1), ("VGG-like", 128)]
        convolutions[1:1] = [Conv(32, 16, 16, 64, 128), Conv(32, 16, 16, 128, 128)]
        convolutions += [
            Conv(32, 32, 32, 3, 16, (2, 2)),
            Conv(32, 8, 8, 32, 64, (2, 2)),
            Conv(32, 32, 32, 64, 64, (1, 1)),
            Conv(32, 32, 32, 64, 64, stride=2),
            Conv(32, 32, 32, 64, 64, groups=64),
        ]
        dense += [Dense(1, 3072, 1000), Dense(32, 1000, 512), Dense(128, 1024, 500)]
        updates += [Update("Adam", "deck MLP"), Update("SGD momentum", "deck MLP")]
    small: list[Case] = [
        *(MaxPool(32, 32, 32, 64), MaxPool(32, 32, 32, 64, "input")),
        *(Relu(2**21), Relu(2**21, "input")),
    ]
    filtered = [
        *(Filter("filter2d", 3, 3, "uint8"), Filter("mean", 5, 3, "uint8")),
        *(Filter("Gaussian", 7, 3, "uint8"), Filter("Gaussian", 5, 1, "float32")),
        *(Filter("median", 5, 1, "uint8"), Filter("bilateral", 9, 1, "uint8")),
    ]
    if not quick:
        filtered = _all_filters()
    groups: dict[str, list[Case]] = {
        TRAINING: [Train(*step) for step in steps],
        PREDICTION: [Predict(*prediction) for prediction in predictions],
        CONVOLUTIONS: [case for shape in convolutions for case in shape.passes()],
        OTHERS: [*(case for shape in dense for case in shape.passes()), *small, *updates],
        FILTERS: [*filtered],
    }
    return {name: [c for c in cases if wanted(c.name, filters)] for name, cases in groups.items()}


def _all_filters() -> list[Filter]:
    images: list[tuple[int, Literal["uint8", "float32"]]] = [
        *((1, "uint8"), (3, "uint8"), (1, "float32"), (3, "float32")),
    ]
    sizes: list[tuple[Kind, tuple[int, ...]]] = [
        *(("filter2d", (3, 5, 7)), ("mean", (3, 5, 15)), ("Gaussian", (3, 5, 7, 15))),
        *(("median", (3, 5)), ("bilateral", (9,))),
    ]
    cases = [
        Filter(kind, size, c, dtype)
        for kind, all_of_kind in sizes
        for size in all_of_kind
        for c, dtype in images
    ]
    return [*cases, Filter("median", 7, 1, "uint8"), Filter("median", 15, 1, "uint8")]


def wanted(name: str, filters: Sequence[str]) -> bool:
    """Whether a name passes the filters; '->' may be typed for '→'."""
    plain = name.lower().replace("→", "->")
    return not filters or any(f.lower().replace("→", "->") in plain for f in filters)
