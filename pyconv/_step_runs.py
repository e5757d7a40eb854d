"""Runs of training steps: Python's part of them all comes first, and then they are launched.

A step's arrays drive Python's code and objects from the caches: what takes 60 us where steps follow
each other at once takes 180 us between them. So the operations of some 20 ms of steps are recorded,
with all that differs from one step to the next (rows, learning rates, what is drawn at random), and
launched as a whole. Steps whose numbers Python must see before the next begins are made one by one.
"""

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pyconv import backend
from pyconv._spans import span
from pyconv.batches import Batch

if TYPE_CHECKING:
    from pyconv.trainable import Trainable

# Ctrl-C and the progress bar wait for the end of a run.
_SECONDS = 0.02
_MOST = 32


class Run(NamedTuple):
    """The steps that were made, their images, and a batch that is still to be trained on."""

    steps: int
    images: int
    left: Batch | None


NO_RUN = Run(0, 0, None)


class StepRuns:
    """The runs of an epoch.

    Args:
        model: the model.
        batches: the epoch's batches.
        are_native: whether operations that can be recorded make all of each batch.
    """

    def __init__(self, model: "Trainable", batches: Iterator[Batch], are_native: bool) -> None:
        self._model = model
        self._batches = batches
        native = are_native and backend.active is backend.cpu and hasattr(backend.cpu, "Graph")
        self._most = 1 if native else 0

    def make(self) -> Run:
        """Make as many steps as the next run has: none where they must be made one by one."""
        model = self._model
        if not self._most or not model._can_run_ahead():
            return NO_RUN
        assert model._graph_steps is not None
        step = model._graph_steps.standing(model)
        if step is None or not step.updates:
            return NO_RUN
        began = time.perf_counter()
        with span("steps"):
            run = self._recorded(step)
        if run.steps:
            each = (time.perf_counter() - began) / run.steps
            self._most = min(int(_SECONDS / each), _MOST)
        return run

    def _recorded(self, step: Any) -> Run:
        """Record a run, and launch what is whole of it, also where an error ends it."""
        made, left, results = 0, None, step.results(self._most)
        graph = backend.cpu.Graph()
        graph.begin()
        try:
            for batch in islice(self._batches, self._most):
                if not step.takes(batch):
                    left = batch
                    graph.mark()
                    break
                with span("step"):
                    step.launch_within(self._model, made, results)
                graph.mark()
                made += 1
        finally:
            graph.cut()
            graph.launch()
            if made:
                step.take_results(self._model, results, made)
        return Run(made, made * step.samples, left)
