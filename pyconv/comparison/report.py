"""A comparison as a table and as plain data."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyconv.comparison.result import Comparison, Entry

HEADINGS = ("network", "parameters", "s/epoch", "best epoch", "training", "validation", "test")
NONE = "-"


def table(comparison: "Comparison") -> str:
    """Return the table with a line for each network, its columns aligned."""
    rows = [HEADINGS, *(cells(entry) for entry in comparison.entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def cells(entry: "Entry") -> tuple[str, ...]:
    """Return the cells of a network's line."""
    return (
        entry.name,
        f"{entry.parameters:,}",
        _number(entry.epoch_seconds, 1),
        NONE if entry.best_epoch is None else f"{entry.best_epoch} of {entry.epochs}",
        _number(entry.best("accuracy")),
        _number(entry.best("val_accuracy")),
        _number(entry.test_accuracy),
    )


def plain(comparison: "Comparison") -> dict[str, Any]:
    """Return all numbers of a comparison as what JSON has."""
    return {
        "dataset": comparison.dataset,
        "settings": comparison.settings,
        "interrupted": comparison.interrupted,
        "networks": [_plain_entry(entry) for entry in comparison.entries],
    }


def _plain_entry(entry: "Entry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "parameters": entry.parameters,
        "epoch_seconds": _rounded(entry.epoch_seconds),
        "best_epoch": entry.best_epoch,
        "accuracy": {
            "training": _rounded(entry.best("accuracy")),
            "validation": _rounded(entry.best("val_accuracy")),
            "test": _rounded(entry.test_accuracy),
        },
        "seconds": [_rounded(value) for value in entry.seconds],
        "history": {
            key: [_rounded(v) for v in entry.history[key]] for key in sorted(entry.history)
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _number(value: float | None, digits: int = 4) -> str:
    return NONE if value is None else f"{value:.{digits}f}"
