"""Where the time of a step goes, layer by layer, beside what the machine could do."""

import contextlib
import copy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import _random, _roofline, _spans, backend
from pyconv._args import float_arg, int_arg
from pyconv._types import Array
from pyconv.batches import ArrayBatches, Batch
from pyconv.layers._arguments import known_sizes
from pyconv.layers.layer import Layer
from pyconv.trace import Recording

if TYPE_CHECKING:
    from pyconv.model import Sequential

__all__ = ["Part", "Profile", "measure"]

_PHASES = ("batch", "loss", "metrics", "optimizer")
_LEAST_ROUNDS = 10


@dataclass(frozen=True)
class Part:
    """A layer, or two that are computed in one pass, or what else a step consists of.

    Args:
        name: of the layer, ``"conv2d + max_pooling2d"`` of two; ``"batch"``, ``"loss"``,
            ``"metrics"``, ``"optimizer"`` or ``"rest"``.
        layers: the names of the layers.
        forward: seconds of the forward pass; of what is no layer, all of them.
        backward: seconds of the backward pass.
        flops: multiplications and additions of both passes, as the direct algorithms have them.
        moved: bytes of the arrays that both passes read and write.
        least: seconds that both passes would take at the machine's limits.
        memory: bytes of activations and their gradients that the layer keeps.

    Example:
        >>> from pyconv.profiling import Part
        >>> Part("dense", ("dense",), 0.001, 0.003, 10**8, 10**6, 0.002, 4096).roof
        0.5
    """

    name: str
    layers: tuple[str, ...]
    forward: float
    backward: float
    flops: int
    moved: int
    least: float
    memory: int

    @property
    def seconds(self) -> float:
        """Seconds of both passes."""
        return self.forward + self.backward

    @property
    def roof(self) -> float:
        """Share of the speed that the machine's limits allow."""
        return self.least / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Profile:
    """What ``measure`` found; times are medians.

    Args:
        model: its name.
        training: whether the step trained, or only predicted.
        batch_size: rows of a step.
        threads: how many there were.
        isa: the instruction set.
        step: seconds of a step while nothing was recorded.
        parts: what it consists of, in order.
        peak_flops: float operations a second that the machine reached.
        bandwidth: bytes a second that its main memory reached.

    Example:
        >>> from pyconv.profiling import Profile
        >>> Profile("m", True, 32, 2, "avx2", 0.002, [], 1.9e11, 2e10).total
        0
    """

    model: str
    training: bool
    batch_size: int
    threads: int
    isa: str
    step: float
    parts: list[Part]
    peak_flops: float
    bandwidth: float

    @property
    def total(self) -> float:
        """Seconds of all parts, which is close to ``step``."""
        return sum(part.seconds for part in self.parts)

    def text(self, width: int | None = None) -> str:
        """Return a table of ``width`` characters, by default those of the terminal, 80 to 120."""
        from pyconv._profile_table import table

        return table(self, width)


def measure(model: "Sequential", batch_size: int = 32, seconds: float = 2.0) -> Profile:
    """Measure where the time of a step goes, on random data.

    A step is what ``fit`` does for a batch: it is fetched, goes forward and backward through the
    layers, and the optimizer updates the weights. A model without a loss predicts instead.
    Steps that are recorded take turns with steps that are not; what it costs to record, measured
    on passes that do nothing, is taken off.

    The weights, the optimizer, the metrics, the layers' states and the random generator are
    afterwards as before, also after an exception.

    Args:
        model: a model that is built; compiled with a loss, if it is to be measured training.
        batch_size: rows of a step.
        seconds: how long to measure, at the least; 20 steps are made in any case.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of range, the model is not built, or a size of its input
            is not known.
        RuntimeError: a trace is being taken.

    Example:
        >>> import pyconv
        >>> from pyconv.profiling import measure
        >>> model = pyconv.Sequential([pyconv.Input((4,)), pyconv.layers.Dense(2, name="d")])
        >>> model.compile("sgd", "mse")
        >>> [part.name for part in measure(model, batch_size=8, seconds=0).parts]
        ['batch', 'd', 'loss', 'optimizer', 'rest']
    """
    rows = int_arg("profile", "batch_size", batch_size)
    least = float_arg("profile", "seconds", seconds)
    if not model.built:
        raise ValueError(f"{model.label}: a profile needs a built model; call build(input_shape)")
    shape = known_sizes(f"{model.label}: profile", (rows, *model.input_shape[1:]))
    cost = _cost_of_spans()
    with _untouched(model):
        run, steps = _prepared(model, shape)
        moved = _moved(run)
        plain: list[float] = []
        recorded: list[_Record] = []
        begin = time.perf_counter()
        while len(plain) < _LEAST_ROUNDS or time.perf_counter() - begin < least:
            run()  # what is done between the rounds lets threads fall asleep and caches forget
            plain.append(_timed(run))
            recorded.append(_record(run, cost))
        parts = _parts(steps, recorded, moved)
    return Profile(
        model.name,
        _trains(model),
        rows,
        backend.active.get_num_threads(),
        backend.active.isa(),
        float(np.median(plain)),
        parts,
        _roofline.peak_flops(),
        _roofline.bandwidth(2**27),
    )


def _trains(model: "Sequential") -> bool:
    return model.compiled and model.loss is not None


@contextlib.contextmanager
def _untouched(model: "Sequential") -> Iterator[None]:
    """Leave the model as it was; within, optimizer and metrics are copies that change no weight."""
    weights = model.get_weights()
    states = [layer.get_state() for layer in model.layers]
    generator = _random.generator().bit_generator
    drawn = copy.deepcopy(generator.state)
    optimizer, objective = model.optimizer, model._objective
    try:
        model.optimizer, model._objective = copy.deepcopy((optimizer, objective))
        if model.optimizer is not None:
            # Random labels would drive the weights to where arithmetic is not what it was.
            model.optimizer.learning_rate = 0.0
        yield
    finally:
        model.optimizer, model._objective = optimizer, objective
        model.set_weights(weights)
        for layer, state in zip(model.layers, states, strict=True):
            layer.set_state(state)
        generator.state = drawn


@dataclass
class _Step:
    """A step of the model: what is known of its passes beside their times."""

    name: str
    layers: tuple[str, ...]
    flops: tuple[int, int]
    copied: tuple[int, int]  # bytes, if no native operation does the work
    memory: Callable[[], int]


def _prepared(
    model: "Sequential", shape: tuple[int, ...]
) -> tuple[Callable[[], None], list[_Step]]:
    """Return a function that makes a step, after having made some, and what it consists of."""
    random = np.random.default_rng(0)
    x = random.random((4 * shape[0], *shape[1:]), np.float32)
    steps, output = _passed(model, x[: shape[0]])
    y = None
    if _trains(model):
        y = _targets(model, (len(x), *output.shape[1:]), random)
        model.objective.resolve(y, output.shape)
    batches = _endless(ArrayBatches((x, y, None), shape[0]))

    def run() -> None:
        batch = next(batches)
        if y is None:
            model._forward(batch.x, training=False)
        else:
            model._train_step(batch)

    for _ in range(3):
        run()
    return run, steps


def _endless(batches: ArrayBatches) -> Iterator[Batch]:
    while True:
        yield from batches


def _targets(model: "Sequential", shape: tuple[int, ...], random: np.random.Generator) -> Any:
    """Return targets that the loss takes: one-hot or binary, or class numbers."""
    classes = shape[-1]
    numbers = random.integers(0, max(classes, 2), shape[:-1])
    rows = numbers[..., None] if classes == 1 else np.eye(classes)[numbers]
    check = model.objective.loss.check_targets
    try:
        return check(rows.astype(np.float32), shape, "profile")
    except ValueError:
        return check(numbers, shape, "profile")


def _passed(model: "Sequential", x: Array) -> tuple[list[_Step], Array]:
    """Send a batch through the steps of the model; return what they are, and the output."""
    training = _trains(model)
    steps = model._steps()
    first = next((i for i, step in enumerate(steps) if step.trainable and step.params), len(steps))
    if not (training and model.trainable):
        first = len(steps)
    found = []
    for i, step in enumerate(steps):
        y = step.forward(x, training)
        layers = [step] if isinstance(step, Layer) else step.layers
        flops, shape = 0, x.shape
        for layer in layers:
            flops += layer.flops(shape)
            shape = layer.compute_output_shape(shape)
        learns = bool(i >= first and step.trainable and step.params)
        copied = 0 if np.may_share_memory(x, y) else x.nbytes + y.nbytes
        found.append(
            _Step(
                step.name,
                tuple(layer.name for layer in layers),
                (flops, flops * (learns + (i > first))),
                (copied, copied * (i > first)),
                _memory([step, *layers], y.nbytes if copied else 0),
            )
        )
        x = y
    return found, x


def _memory(owners: list[Any], output: int) -> Callable[[], int]:
    buffers = {id(owner._buffers): owner._buffers for owner in owners}.values()
    return lambda: sum(b.nbytes for b in buffers) or output


@dataclass
class _Record:
    """Nanoseconds of a step, and of its parts by the names of their spans."""

    total: int
    spent: dict[str, int]


def _timed(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _record(run: Callable[[], None], cost: tuple[int, int]) -> _Record:
    total, events = _recorded(run, operations=False)
    within, around = cost
    record = _Record(round(1e9 * total) - around * len(events), {})
    for name, begin, end in _spans_of(events):
        record.spent[name] = record.spent.get(name, 0) + max(end - begin - within, 0)
    return record


def _cost_of_spans() -> tuple[int, int]:
    """Return the nanoseconds that recording a pass takes: within its span, and in all."""

    class Nothing:
        name = ""

        def forward(self, x: None, training: bool) -> None:
            pass

    def passes(step: Any) -> None:
        for _ in range(1000):
            step.forward(None, True)

    bare = min(_timed(lambda: passes(Nothing())) for _ in range(5)) / 1000
    spanned, events = _recorded(lambda: passes(_spans.SpannedStep(Nothing())), operations=False)
    within = float(np.median([end - begin for _, _, begin, end, _, _ in events])) - 1e9 * bare
    return max(round(within), 0), max(round(1e9 * (spanned / 1000 - bare)), 0)


def _moved(run: Callable[[], None]) -> dict[str, int]:
    """Return the bytes that native operations move in a step, by the names of spans."""
    _, events = _recorded(run, operations=True)
    spans = _spans_of(events)
    moved: dict[str, int] = {}
    for kind, _, at, _, size, _ in events:
        if kind == "operation":
            owner = next((name for name, begin, end in spans if begin <= at < end), "rest")
            moved[owner] = moved.get(owner, 0) + size
    return moved


def _recorded(run: Callable[[], None], operations: bool) -> tuple[float, list[Any]]:
    """Return the seconds of a step, and the events of this thread."""
    recording = Recording("profile")
    recording.start(operations)
    total = 0.0
    try:
        total = _timed(run)
    finally:
        with recording.stopped() as threads:
            ids = [thread for thread, _, _ in threads or []]
            events = backend.active.trace_events(ids.index(threading.get_native_id()))
    return total, events


def _spans_of(events: list[Any]) -> list[tuple[str, int, int]]:
    """Return name, begin and end of the parts of a step."""
    return [
        (name, begin, end)
        for kind, name, begin, end, _, _ in events
        if kind == "span" and (name in _PHASES or name.endswith((" forward", " backward")))
    ]


def _parts(steps: list[_Step], records: list[_Record], moved: dict[str, int]) -> list[Part]:
    def seconds(name: str) -> float:
        return float(np.median([record.spent.get(name, 0) for record in records])) / 1e9

    layers = []
    for step in steps:
        passes = []
        for name, flops, copied in zip(_spans.names_of(step), step.flops, step.copied, strict=True):
            spent = seconds(name)
            traffic = moved.get(name, copied) if spent else 0
            passes.append((spent, flops, traffic, _roofline.least_seconds(flops, traffic)))
        (forward, *_), (backward, *_) = passes
        flops, traffic, least = (sum(column) for column in list(zip(*passes, strict=True))[1:])
        memory = step.memory()
        layers.append(
            Part(step.name, step.layers, forward, backward, flops, traffic, least, memory)
        )

    def other(name: str, spent: float) -> Part:
        traffic = moved.get(name, 0)
        return Part(name, (), spent, 0.0, 0, traffic, _roofline.least_seconds(0, traffic), 0)

    batch, *phases = (
        other(name, seconds(name)) for name in _PHASES if any(name in r.spent for r in records)
    )
    rest = float(np.median([r.total - sum(r.spent.values()) for r in records])) / 1e9
    return [batch, *layers, *phases, other("rest", rest)]
