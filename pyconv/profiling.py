"""Where the time of a step goes, layer by layer, beside what the machine could do."""

import contextlib
import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pyconv import _random, backend
from pyconv._args import float_arg, int_arg
from pyconv._profile_steps import (
    PHASES,
    Record,
    Step,
    cost_of_spans,
    mean_of_middle,
    middle_half,
    moved_by,
    prepared,
    records_of,
    steps_of_a_turn,
    timed,
    trains,
)
from pyconv._spans import names_of
from pyconv.bench.limits import FOOTPRINTS, Limits, measured
from pyconv.layers._arguments import known_sizes

if TYPE_CHECKING:
    from pyconv.model import Sequential

__all__ = ["Part", "Profile", "measure"]

_LEAST_STEPS = 10


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
            The optimizer's are those of large kernels' gradients, which it makes.
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
    """What ``measure`` found.

    Times are means over the middle half of the steps, from the first to the third quartile of their
    own times: as robust as medians, and the parts sum to the step, which medians do not where what
    disturbs hits now one part, now another.

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
    Steps that are recorded take turns with steps that are not. What it costs to record, measured on
    passes that do nothing, is taken off.

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
    if backend.active is not backend.cpu:
        raise ValueError(
            f"{model.label}: a profile is of the CPU, whose limits it measures; for a GPU take a "
            "trace with pyconv.profile"
        )
    if not model.built:
        raise ValueError(f"{model.label}: a profile needs a built model; call build(input_shape)")
    shape = known_sizes(f"{model.label}: profile", (rows, *model.input_shape[1:]))
    cost = cost_of_spans()
    with _untouched(model):
        run, steps = prepared(model, shape)
        moved = moved_by(run)
        count = steps_of_a_turn(run)
        plain: list[float] = []
        recorded: list[Record] = []
        begin = time.perf_counter()
        while len(plain) < _LEAST_STEPS or time.perf_counter() - begin < least:
            run()  # what is done between the turns lets threads fall asleep and caches forget
            plain += [timed(run) for _ in range(count)]
            run()
            recorded += records_of(run, count, cost)
        touched = {"optimizer": _state_of(model)}
    limits = machine_limits()
    parts = _parts(steps, recorded, moved, touched, limits)
    return Profile(
        model.name,
        trains(model),
        rows,
        backend.cpu.get_num_threads(),
        backend.cpu.isa(),
        mean_of_middle(plain),
        parts,
        limits.flops,
        limits.bandwidth[-1][1],
    )


@contextlib.contextmanager
def _untouched(model: "Sequential") -> Iterator[None]:
    """Leave the model as it was; within, optimizer and metrics are copies that change no weight."""
    weights = model.get_weights()
    states = [layer.get_state() for layer in model.running_layers]
    generator = _random.generator().bit_generator
    drawn = copy.deepcopy(generator.state)
    optimizer, objective = model.optimizer, model._objective
    try:
        model.optimizer, model._objective = copy.deepcopy((optimizer, objective))
        if model.optimizer is not None:
            # Random labels would drive the weights to where arithmetic is not what it was.
            model.optimizer.freeze()
        yield
    finally:
        model.optimizer, model._objective = optimizer, objective
        for weight, value in zip(model.weights, weights, strict=True):
            weight[...] = value
        for layer, state in zip(model.running_layers, states, strict=True):
            layer.set_state(state)
        generator.state = drawn


def machine_limits() -> Limits:
    """Return what this machine reaches at most, measured once for the setting that is active."""
    return _measured(backend.cpu.isa(), backend.cpu.get_num_threads())


@lru_cache(maxsize=16)
def _measured(isa: str, threads: int) -> Limits:
    # The largest arrays take more memory than most models; the next ones leave the caches too.
    return measured(FOOTPRINTS[:-1])


def _state_of(model: "Sequential") -> int:
    """Return the bytes of parameters, gradients and what the optimizer keeps beside them."""
    slots = model.optimizer._slots.values() if trains(model) and model.optimizer else ()
    kept = sum(array.nbytes for arrays in slots for array in arrays)
    return kept + 2 * sum(param.nbytes for param in model._params())


def _parts(
    steps: list[Step],
    records: list[Record],
    moved: dict[str, int],
    touched: dict[str, int],
    limits: Limits,
) -> list[Part]:
    middle = middle_half(sorted(records, key=lambda record: record.total))

    def seconds(name: str) -> float:
        return float(sum(record.spent.get(name, 0) for record in middle)) / len(middle) / 1e9

    layers = []
    for step in steps:
        passes = []
        for name, flops, copied in zip(names_of(step), step.flops, step.copied, strict=True):
            spent = seconds(name)
            traffic = moved.get(name, copied) if spent else 0
            passes.append((spent, flops, traffic, limits.seconds(flops, traffic, traffic)))
        (forward, *_), (backward, *_) = passes
        flops, traffic, least = (sum(column) for column in list(zip(*passes, strict=True))[1:])
        memory = step.memory()
        layers.append(
            Part(step.name, step.layers, forward, backward, flops, traffic, least, memory)
        )

    def other(name: str, spent: float) -> Part:
        traffic = moved.get(name, 0)
        flops = sum(step.of_update for step in steps) if name == "optimizer" else 0
        least = limits.seconds(flops, traffic, touched.get(name, traffic))
        return Part(name, (), spent, 0.0, flops, traffic, least, 0)

    batch, *phases = (
        other(name, seconds(name)) for name in PHASES if any(name in r.spent for r in records)
    )
    rest = sum(r.total - sum(r.spent.values()) for r in middle) / len(middle) / 1e9
    return [batch, *layers, *phases, other("rest", rest)]
