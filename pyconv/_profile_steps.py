"""Steps that are made to be measured, and what a trace of them says."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyconv import _spans
from pyconv._types import Array, Shape
from pyconv.batches import ArrayBatches, Batch
from pyconv.layers._container import Container
from pyconv.layers._factored import factorable
from pyconv.layers.layer import Layer
from pyconv.trace import Recording

if TYPE_CHECKING:
    from pyconv.model import Sequential

PHASES = ("batch", "loss", "metrics", "optimizer")
_WHOLE = "step of a profile"


def trains(model: "Sequential") -> bool:
    """Whether the steps of a model train; those of one without a loss predict."""
    return model.compiled and model.loss is not None


@dataclass
class Step:
    """A step of the model: what is known of its passes beside their times."""

    name: str
    layers: tuple[str, ...]
    flops: tuple[int, int]
    copied: tuple[int, int]  # bytes, if no native operation does the work
    memory: Callable[[], int]
    of_update: int = 0  # flops of its gradient that the optimizer makes


def prepared(model: "Sequential", shape: tuple[int, ...]) -> tuple[Callable[[], None], list[Step]]:
    """Return a function that makes a step, after having made some, and what it consists of."""
    random = np.random.default_rng(0)
    x = random.random((4 * shape[0], *shape[1:]), np.float32)
    steps, output = _passed(model, x[: shape[0]])
    y = None
    if trains(model):
        y = _targets(model, (len(x), *output.shape[1:]), random)
        model.objective.resolve(y, output.shape)
    batches = _endless(ArrayBatches((x, y, None), shape[0], shuffle=True))

    def run() -> None:
        batch = next(batches)
        if y is None:
            model._forward(batch.x, training=False)
        else:
            model._train_step(batch)

    for _ in range(3):
        run()
    return run, steps


def steps_of_a_turn(run: Callable[[], None]) -> int:
    """Return how many steps there are in about 20 ms, up to 16."""
    return int(np.clip(0.02 / min(timed(run) for _ in range(3)), 1, 16))


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


def _passed(model: "Sequential", x: Array) -> tuple[list[Step], Array]:
    """Send a batch through the steps of the model; return what they are, and the output."""
    training = trains(model)
    steps = model._steps()
    first = next((i for i, step in enumerate(steps) if step.learns), len(steps))
    if not (training and model.trainable):
        first = len(steps)
    takes_products = training and model.optimizer is not None and model.optimizer.takes_products
    found = []
    for i, step in enumerate(steps):
        y = step.forward(x, training)
        found += _described(step, x.shape, (x, y), (i >= first, i > first))
        if takes_products and i >= first and step.trainable and factorable(step):
            own = found[-1]
            own.of_update = own.flops[0]
            own.flops = own.flops[0], own.flops[1] - own.of_update
        x = y
    return found, x


def _described(
    step: Any,
    shape: Shape,
    arrays: tuple[Array, Array] | None,
    goes_back: tuple[bool, bool],
    within: str = "",
) -> list[Step]:
    """Return what is known of a step, and of the steps that it holds.

    Args:
        step: the step, after a pass.
        shape: of its input.
        arrays: its input and its result, where they are at hand.
        goes_back: whether the backward pass comes to it, and whether it asks for its input's
            gradient.
        within: of a step that a layer holds, what the names of its spans begin with.
    """
    layers = [step] if isinstance(step, Layer) else step.layers
    container = layers[-1] if isinstance(layers[-1], Container) else None
    flops, at = 0, shape
    for layer in layers:
        flops += 0 if container else layer.flops(at)
        at = layer.compute_output_shape(at)
    learns = bool(goes_back[0] and step.learns)
    copied = output = 0
    if arrays is not None and not np.may_share_memory(*arrays):
        copied, output = arrays[0].nbytes + arrays[1].nbytes, arrays[1].nbytes
    names = [layer.name for layer in layers]
    names[0] = ("└ " if within else "") + names[0]
    own = Step(
        within + step.name,
        tuple(names),
        (flops, flops * (learns + goes_back[1])),
        (copied, copied * goes_back[1]),
        _memory([step, *layers], output),
    )
    return [own, *(_held(container, shape, goes_back) if container else [])]


def _held(container: Container, shape: Shape, goes_back: tuple[bool, bool]) -> list[Step]:
    """Return what is known of the steps that a layer holds."""
    found = []
    for path, at in container.inputs_of_paths(shape):
        asked = goes_back[1]
        for step in path.steps:
            learns = bool(goes_back[0] and step.learns)
            inner = (goes_back[0] and (asked or learns), asked)
            found += _described(step, at, None, inner, f"{container.name}/")
            asked = asked or learns
            for layer in [step] if isinstance(step, Layer) else step.layers:
                at = layer.compute_output_shape(at)
    return found


def _memory(owners: list[Any], output: int) -> Callable[[], int]:
    kept = [owner._buffers for owner in owners if hasattr(owner, "_buffers")]
    buffers = {id(own): own for own in kept}.values()
    return lambda: sum(b.nbytes for b in buffers) or output


@dataclass
class Record:
    """Nanoseconds of a step, and of its parts by the names of their spans."""

    total: int
    spent: dict[str, int]


def middle_half(ordered: list[Any]) -> list[Any]:
    """Return what lies between the quartiles of an ordered list."""
    return ordered[len(ordered) // 4 : len(ordered) - len(ordered) // 4]


def mean_of_middle(values: list[float]) -> float:
    """Return the mean of the values between the quartiles."""
    return float(np.mean(middle_half(sorted(values))))


def timed(run: Callable[[], None]) -> float:
    """Return the seconds of a call."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def records_of(run: Callable[[], None], count: int, cost: tuple[int, int]) -> list[Record]:
    """Make some steps and return their times, less the cost of recording them."""

    def steps() -> None:
        for _ in range(count):
            with _spans.span(_WHOLE):
                run()

    within, around = cost
    records, overhead, spent = [], 0, dict[str, int]()
    ended: list[tuple[int, int]] = []  # (begin, nanoseconds) of parts that are in no other so far
    for _, name, begin, end, _, _ in _recorded(steps, operations=False):
        length = end - begin - within
        if name == _WHOLE:
            records.append(Record(length - overhead, spent))
            overhead, spent, ended = 0, {}, []
            continue
        overhead += around
        if _is_part(name):
            # What it spent itself, without the parts within it.
            ended.append((begin, length + around))
            while len(ended) > 1 and ended[-2][0] >= begin:
                length -= ended.pop(-2)[1]
            spent[name] = spent.get(name, 0) + max(length, 0)
    return records


def cost_of_spans() -> tuple[int, int]:
    """Return the nanoseconds that recording a pass takes: within its span, and in all."""

    class Nothing:
        name = ""

        def forward(self, x: None, training: bool) -> None:
            pass

    def passes(step: Any) -> None:
        for _ in range(1000):
            step.forward(None, True)

    bare = 1e9 * min(timed(lambda: passes(Nothing())) for _ in range(5)) / 1000
    events = _recorded(lambda: passes(_spans.SpannedStep(Nothing())), operations=False)
    within = np.median([end - begin for _, _, begin, end, _, _ in events]) - bare
    around = np.median(np.diff([end for _, _, _, end, _, _ in events])) - bare
    return max(round(within), 0), max(round(around), 0)


def moved_by(run: Callable[[], None]) -> dict[str, int]:
    """Return the bytes that native operations move in a step, by the names of spans."""
    events = _recorded(run, operations=True)
    spans = [(e[1], e[2], e[3]) for e in events if e[0] == "span" and _is_part(e[1])]
    moved: dict[str, int] = {}
    for kind, _, at, _, size, _ in events:
        if kind == "operation":
            owner = next((name for name, begin, end in spans if begin <= at < end), "rest")
            moved[owner] = moved.get(owner, 0) + size
    return moved


def _recorded(run: Callable[[], None], operations: bool) -> list[Any]:
    """Return the events of this thread while it runs."""
    recording = Recording("profile")
    recording.start(operations)
    events: list[Any] = []
    try:
        run()
    finally:
        with recording.stopped() as threads:
            own = threading.get_native_id()
            for number, (thread, _, _) in enumerate(threads or []):
                if thread == own:
                    events = recording.events(number)
    return events


def _is_part(name: str) -> bool:
    return name in PHASES or name.endswith((" forward", " backward"))
