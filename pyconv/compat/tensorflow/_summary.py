"""``tf.summary``: numbers and histograms in files for TensorBoard."""

import contextlib
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyconv.callbacks._event_file import EventFile
from pyconv.compat._autodiff import unwrapped

_default: list["Writer"] = []


class Writer:
    """Writes to a file of a folder."""

    def __init__(self, logdir: Any, *args: Any, **kwargs: Any) -> None:
        self._file = EventFile(os.fsdecode(logdir))
        self.flush, self.close = self._file.flush, self._file.close

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator["Writer"]:
        """Have what is written go here."""
        _default.append(self)
        try:
            yield self
        finally:
            _default.remove(self)

    def scalar(self, name: str, value: Any, step: Any) -> None:
        """Write a number."""
        self._file.scalar(name, float(np.asarray(unwrapped(value))), int(step or 0))

    def histogram(self, name: str, values: Any, step: Any) -> None:
        """Write how values are spread."""
        self._file.histogram(name, np.asarray(unwrapped(values)), int(step or 0))


def _scalar(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    for writer in _default[-1:]:
        writer.scalar(name, data, step)
    return bool(_default)


def _histogram(name: str, data: Any, step: Any = None, *args: Any, **kwargs: Any) -> bool:
    for writer in _default[-1:]:
        writer.histogram(name, data, step)
    return bool(_default)


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


SUMMARY = SimpleNamespace(
    create_file_writer=Writer,
    scalar=_scalar,
    histogram=_histogram,
    image=_nothing,
    text=_nothing,
    trace_on=_nothing,
    trace_export=_nothing,
)
