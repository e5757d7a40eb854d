"""Training steps as graphs: the operations of a step are recorded, and launched as a whole.

On a GPU that is a CUDA graph; on the CPU it leaves out what Python does between operations, whose
code and objects a step's arrays drive from the caches. Forward, loss and backward of a shape are
recorded at its second step, when all buffers are there, and on the CPU the optimizer's update. What
changes from step to step is written before each launch: the labels on a device, where dropout is in
its random stream, the learning rate.
First layers that work on the host, such as those that change images at random, are no part of it.
"""

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import _spans, backend
from pyconv._recordable import can_be_recorded
from pyconv._registry import kind_of
from pyconv._types import Array
from pyconv.batches import Batch
from pyconv.layers import _memory
from pyconv.layers._memory import Buffers
from pyconv.layers.dense import Dense
from pyconv.layers.dropout import Dropout

if TYPE_CHECKING:
    from pyconv.trainable import Trainable

_NOT_RECORDED = object()
_MOST = 8  # shapes of batches


class GraphSteps:
    """The graphs of one model."""

    def __init__(self) -> None:
        # Of each shape the arrays that its last batch was in, and their step once it is recorded.
        self._steps: dict[tuple[Any, ...], tuple[tuple[int, ...], Any]] = {}
        self._last: _Step | None = None
        self._arrays = (0, 0)  # that the steps were recorded with
        self._buffers = Buffers("fit")  # for batches that are in other arrays each time

    def __reduce__(self) -> Any:
        # A graph works on the arrays of one model.
        return GraphSteps, ()

    def run(self, model: "Trainable", batch: Batch, logits: bool) -> bool:
        """Make a step by a graph; return whether it was made."""
        step = self._last
        if step is None or not step.fits(model, batch, logits):
            step = self._last = self._step(model, batch, logits)
        if step is None:
            return False
        step.launch(model, batch)
        return True

    def standing(self, model: "Trainable") -> "_Step | None":
        """Return the last step, where it still is what the model would do."""
        logits = model.objective.takes_logits(model._ends_in_softmax)
        step = self._last
        return step if step is not None and step.stands(model, logits) else None

    def _step(self, model: "Trainable", batch: Batch, logits: bool) -> "_Step | None":
        if not can_be_recorded(model, batch, logits):
            return None
        arrays = _arrays()
        if arrays != self._arrays:
            self._steps.clear()
            self._arrays = arrays
        key = _key(model, batch, logits)
        placed = self._placed(batch)
        addresses = _addresses(model, placed)
        before, step = self._steps.get(key, ((), None))
        if before != addresses:
            if len(self._steps) >= _MOST:
                self._steps.clear()
            self._steps[key] = addresses, None  # all buffers are there after this step
            return None
        if step is None or (step is not _NOT_RECORDED and not step.holds()):
            _fill(placed, batch)  # the labels are checked
            step = _recorded(model, placed, logits)
            self._steps[key] = addresses, step
        return None if step is _NOT_RECORDED else step.of(placed)

    def _placed(self, batch: Batch) -> Batch:
        """Return the batch in arrays that are the same for the next one of its shape."""
        if batch.in_buffers or backend.active is not backend.cpu:
            return batch
        assert batch.y is not None
        kind = batch.y.dtype
        return batch._replace(
            x=self._buffers.get("x", batch.x.shape),
            y=self._buffers.get(f"y {kind}", batch.y.shape, kind),
        )


class _Step:
    """A recorded step, and what each launch of it has to write before and to take up after.

    Without the optimizer's update where the numbers of that are not known before.
    """

    def __init__(self, model: "Trainable", batch: Batch, logits: bool) -> None:
        """Record the step; RuntimeError where it is not of operations alone."""
        native: Any = backend.active
        assert model.optimizer is not None
        self._optimizer = model.optimizer
        self._graph = native.Graph()
        self._batch = batch
        self._depends = _depends(model, logits)
        self._watched = _watched(model)
        self._dropouts = [layer for layer in model.running_layers if _drops(layer)]
        self._places = backend.empty((len(self._dropouts),), np.int64)
        self._rate = np.zeros(2) if _records_update(model) else None
        self._stage(model, batch)
        before = [layer.get_state() for layer in self._dropouts]
        for i, layer in enumerate(self._dropouts):
            layer.place = self._places[i : i + 1]
        try:
            self._begin(model, batch)
            with self._spans(), model.objective.measures.recording() as self._numbers:
                model._pass(batch, logits)
                self._updates = model._grads(), model._params()
                if self._rate is not None:
                    with _spans.span("optimizer"):
                        self._optimizer._record(*self._updates, self._rate)
            # How much of its stream each took.
            now = [layer.get_state() for layer in self._dropouts]
            self._drawn = [a["next"] - b["next"] for a, b in zip(now, before, strict=True)]
            if backend.active is backend.cpu:
                native.advance(self._places, self._drawn)
            self._graph.end()
        except BaseException:
            # While a graph is being recorded nothing runs.
            self._graph.abandon()
            raise
        finally:
            # Nothing has been dropped yet.
            for layer, state in zip(self._dropouts, before, strict=True):
                layer.place = None
                layer.set_state(state)
        dense = [layer for layer in model.running_layers if kind_of(layer) is Dense]
        self._factors = [(layer, layer._factors) for layer in dense]

    def of(self, batch: Batch) -> "_Step":
        """Return the step, which takes up that other views of its arrays are given now."""
        self._batch = batch
        return self

    def fits(self, model: "Trainable", batch: Batch, logits: bool) -> bool:
        """Whether the step is what ``model._pass`` would do with the batch."""
        return self.takes(batch) and self.stands(model, logits)

    def takes(self, batch: Batch) -> bool:
        """Whether the batch is where the step reads it, or can be copied to there."""
        own = self._batch
        return (
            batch.sample_weight is None
            and batch.augmented == own.augmented
            and batch.in_buffers == own.in_buffers
            and (
                (batch.x is own.x and batch.y is own.y)
                if own.in_buffers or backend.active is not backend.cpu
                else (_shapes(batch) == _shapes(own))
            )
        )

    def stands(self, model: "Trainable", logits: bool) -> bool:
        """Whether nothing that the step depends on has changed."""
        return (
            (backend.active is backend.cpu or not _spans.recorded())
            and not model._penalized
            and self._depends == _depends(model, logits)
            and self.holds()
        )

    def holds(self) -> bool:
        """Whether the layers are as they were."""
        return backend.cpu.unchanged(self._watched)

    def launch(self, model: "Trainable", batch: Batch) -> None:
        """Make the step on what the arrays hold now."""
        self._stage(model, batch)
        _fill(self._batch, batch)
        self._begin_launch(model, 0)
        self._graph.launch()
        self._end_launch(model)
        model.objective.measures.take_again(self._numbers)

    @property
    def samples(self) -> int:
        """Rows of its batch."""
        return len(self._batch.x)

    @property
    def updates(self) -> bool:
        """Whether it updates the parameters."""
        return self._rate is not None

    def results(self, steps: int) -> list[Array]:
        """Return arrays for the results of some launches: losses and hits, a row each."""
        return [np.empty((steps, *rows.shape), np.float32) for rows, _ in self._numbers]

    def launch_within(self, model: "Trainable", at: int, results: list[Array]) -> None:
        """Become number ``at`` of the steps of a graph that is being recorded."""
        self._begin_launch(model, at)
        self._graph.launch()
        for (rows, _), to in zip(self._numbers, results, strict=True):
            backend.cpu.copied(rows, to[at])
        self._end_launch(model)

    def take_results(self, model: "Trainable", results: list[Array], steps: int) -> None:
        """Take up what that many launches gave."""
        model.objective.measures.take_rows(self._numbers, [rows[:steps] for rows in results])

    def _begin_launch(self, model: "Trainable", at: int) -> None:
        if self._dropouts:
            drawn = zip(self._dropouts, self._drawn, strict=True)
            places = [layer.advance(count) for layer, count in drawn]
            if at == 0:  # they move on by themselves
                _write(self._places, np.array(places, np.uint64).view(np.int64))
        if self._rate is not None:
            backend.cpu.assign(self._rate, self._optimizer._step_numbers)

    def _end_launch(self, model: "Trainable") -> None:
        for layer, factors in self._factors:
            layer._factors = factors
        if self._rate is None:
            model._update_params(*self._updates)
        else:
            self._optimizer._note_update(self._updates[1])

    def _stage(self, model: "Trainable", batch: Batch) -> None:
        assert batch.y is not None
        if backend.active is not backend.cpu:
            model.objective.measures.stage(batch.y, len(model.output_shape))

    def _spans(self) -> Any:
        return _spans.noted() if backend.active is backend.cpu else contextlib.nullcontext()

    def _begin(self, model: "Trainable", batch: Batch) -> None:
        if backend.active is not backend.cpu:
            self._graph.begin()
            return
        known = [batch.x, batch.y, self._places, *_weights(model), *model.objective.scales]
        self._graph.begin(known)


def _records_update(model: "Trainable") -> bool:
    optimizer = model.optimizer
    assert optimizer is not None
    return backend.active is backend.cpu and optimizer.built and optimizer.is_native


def _write(array: Any, values: Any) -> None:
    if backend.active is backend.cpu:
        array[...] = values
    else:
        array.take(values)


def _recorded(model: "Trainable", batch: Batch, logits: bool) -> Any:
    try:
        return _Step(model, batch, logits)
    except RuntimeError:
        return _NOT_RECORDED


def _weights(model: "Trainable") -> list[Any]:
    return [weight for layer in model.running_layers for weight in layer.weights]


def _drops(layer: Any) -> bool:
    return kind_of(layer) is Dropout and layer.rate != 0


def _arrays() -> tuple[int, int]:
    """Return what changes where buffers do."""
    return backend.generation, _memory.outgrown


def _depends(model: "Trainable", logits: bool) -> tuple[Any, ...]:
    """Return what a recorded step depends on beside its arrays and its layers."""
    optimizer = model.optimizer
    assert optimizer is not None
    return (
        *_arrays(),
        _precision(),
        model.objective,
        logits,
        optimizer,
        optimizer.loss_scale_factor,
        optimizer.takes_products,
        optimizer.is_native,
        *model.running_layers,
    )


def _precision() -> str | None:
    if backend.active is backend.cpu:
        return None
    from pyconv import _devices  # not on the CPU: it brings the device's arrays

    return _devices.get_float32_precision()


def _watched(model: "Trainable") -> list[tuple[dict[str, Any], str, Any]]:
    """Return (dict, key, value) of the attributes and weights of layers and optimizer."""
    found = []
    for layer in model.running_layers:
        own = vars(layer)
        names = [name for name in own if not name.startswith("_")]
        names += ["_weights", "_stream"] if _drops(layer) else ["_weights"]
        found += [(own, name, own[name]) for name in names]
        found += [(own["_weights"], name, weight) for name, weight in own["_weights"].items()]
    own = vars(model.optimizer)
    names = [name for name in own if not name.startswith("_")]
    return found + [(own, name, own[name]) for name in [*names, "_slots"]]


def _key(model: "Trainable", batch: Batch, logits: bool) -> tuple[Any, ...]:
    """Return what a recorded step depends on beside the addresses of its arrays."""
    return (
        *_depends(model, logits),
        *_shapes(batch),
        batch.augmented,
        batch.in_buffers,
    )


def _fill(own: Batch, batch: Batch) -> None:
    if batch.x is not own.x and backend.active is backend.cpu:
        np.copyto(own.x, batch.x)
        np.copyto(own.y, batch.y)  # type: ignore[arg-type]


def _shapes(batch: Batch) -> tuple[Any, ...]:
    assert batch.y is not None
    return batch.x.shape, batch.y.shape, batch.y.dtype


def _addresses(model: "Trainable", batch: Batch) -> tuple[int, ...]:
    """Return where the arrays lie that a recorded step works on."""
    arrays: list[Any] = [batch.x, *_weights(model)]
    if backend.active is backend.cpu:
        arrays.append(batch.y)  # a device has a copy
    return tuple(a.ctypes.data if isinstance(a, np.ndarray) else a.address for a in arrays)
