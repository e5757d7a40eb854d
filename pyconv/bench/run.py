"""A whole benchmark: start the peers, measure every case, and collect what is to be reported."""

import json
import platform
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from pyconv._files import place, replacing
from pyconv.bench.cases import Case
from pyconv.bench.limits import Limits
from pyconv.bench.measure import Measurement, measure
from pyconv.bench.processes import WITHOUT_SWITCH, Process, WorkerError
from pyconv.bench.suite import MEMORY, SCALING, suite, wanted

Report = dict[str, Any]
OURS = "pyconv"


@dataclass(frozen=True)
class Settings:
    """What ``pyconv bench`` was asked for.

    Args:
        peers: names of ``pyconv.bench.peers.MEASURED``.
        threads: of each peer.
        isa: the instruction set to hold the peers to; None for what each takes.
        quick: fewer cases and less time for each.
        filters: keep the cases whose names hold one of these texts.
        device: what pyconv and its peers run on.
        precision: of products of float32 on a GPU, "highest" or "high".
    """

    peers: Sequence[str]
    threads: int
    isa: str | None = None
    quick: bool = False
    filters: Sequence[str] = ()
    device: str = "cpu"
    precision: str = "highest"

    @property
    def rounds(self) -> int:
        """How often each peer's turn comes."""
        return 3 if self.quick else 7

    @property
    def seconds(self) -> float:
        """Length of a turn."""
        return 0.03 if self.quick else 0.08


def run(settings: Settings, progress: Callable[[str], None]) -> Report:
    """Measure; on Ctrl-C return what there is so far, with ``interrupted`` set.

    Args:
        settings: what to measure.
        progress: told what is done now.

    Raises:
        WorkerError: pyconv's own process does not start.
    """
    report: Report = {
        "machine": machine(),
        "threads": settings.threads,
        "isa": settings.isa,
        "device": settings.device,
        "precision": settings.precision,
        "quick": settings.quick,
        "versions": {},
        "missing": {},
        "unbound": unbound(settings),
        "cases": [],
        "scaling": [],
        "memory": {},
        "notes": [],
        "interrupted": False,
    }
    with ExitStack() as stack:
        try:
            _measure_all(settings, report, progress, stack)
        except KeyboardInterrupt:
            report["interrupted"] = True
    return report


def _measure_all(
    settings: Settings, report: Report, progress: Callable[[str], None], stack: ExitStack
) -> None:
    groups = suite(settings.quick, settings.filters)
    processes = []
    for name in (OURS, *settings.peers):
        progress(f"starting {name}")
        try:
            process = Process(
                name,
                settings.threads,
                settings.isa,
                device=settings.device,
                precision=settings.precision,
            )
        except WorkerError as error:
            if name == OURS:
                raise
            report["missing"][name] = str(error).removeprefix(f"{name}: ")
            continue
        stack.callback(process.close)
        processes.append(process)
        report["versions"][name] = process.version
    truth = Process("float64", settings.threads)
    stack.callback(truth.close)
    progress("measuring the machine's limits")
    limits: Limits = processes[0].ask("limits")
    report["limits"] = asdict(limits)

    total, done = sum(map(len, groups.values())), 0
    for group, cases in groups.items():
        for case in cases:
            done += 1
            progress(f"{done}/{total} {case.name}")
            truth.ask("prepare", case, None)
            exact = truth.ask("result")
            truth.ask("release")
            found = measure(case, processes, settings.rounds, settings.seconds, exact)
            report["cases"].append({"group": group, **as_row(found, limits, report["unbound"])})
            report["notes"] += [f"{case.name}: {note}" for note in found.notes.values()]
    if settings.device == "cpu":
        _measure_scaling(settings, report, progress, processes[0])
        _measure_memory(settings, report, progress)


def _measure_scaling(
    settings: Settings, report: Report, progress: Callable[[str], None], ours: Process
) -> None:
    cases = [case for case in SCALING if wanted(case.name, settings.filters)]
    if settings.threads == 1 or not cases or ours.closed:
        return
    single = Process(OURS, 1, settings.isa, label="one thread")
    try:
        for case in cases:
            progress(f"threads: {case.name}")
            found = measure(case, [ours, single], settings.rounds, settings.seconds)
            if len(found.timings) == 2:
                pair = found.timings[OURS].median, found.timings["one thread"].median
                report["scaling"].append({"name": case.name, "all": pair[0], "one": pair[1]})
    finally:
        single.close()


def _measure_memory(settings: Settings, report: Report, progress: Callable[[str], None]) -> None:
    if not wanted(MEMORY.name, settings.filters):
        return
    fastest = {
        name: timing["variant"]
        for row in report["cases"]
        if row["name"] == MEMORY.name
        for name, timing in row["timings"].items()
    }
    for name, variant in fastest.items():
        progress(f"memory: {MEMORY.name}, {name}")
        process = Process(name, settings.threads, settings.isa, keep_memory=False)
        try:
            report["memory"][name] = process.ask("memory", MEMORY, variant)
        except WorkerError as error:
            report["notes"].append(f"memory: {error}")
        finally:
            process.close()


def unbound(settings: Settings) -> list[str]:
    """Return the peers that use more than the instruction set that the others are held to."""
    from pyconv.backend import cpu

    lower = settings.isa is not None and settings.isa != cpu.available_isas()[0]
    return [name for name in settings.peers if lower and name in WITHOUT_SWITCH]


def as_row(found: Measurement, limits: Limits, unbound: Sequence[str] = ()) -> Report:
    """Return a measurement as plain data."""
    case: Case = found.case
    timings = {}
    for name, timing in found.timings.items():
        low, high = timing.quartiles
        timings[name] = {
            "variant": timing.variant,
            "median": timing.median,
            "quartiles": [low, high],
            "runs": len(timing.seconds),
            "error": timing.error,
            "bound": name not in unbound,
        }
    return {
        "name": case.name,
        "flops": case.flops,
        "bytes": case.bytes,
        "images": case.images,
        "limit": limits.seconds(case.flops, case.bytes, case.footprint),
        "timings": timings,
    }


def machine() -> Report:
    """Return what identifies this machine."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if "model name" in line]
        name = names[0] if names else name
    except OSError:
        pass
    return {"cpu": name, "system": platform.platform(), "python": platform.python_version()}


def write_json(report: Report, path: str) -> None:
    """Write a report."""
    with replacing(place("bench", path)) as file:
        file.write(f"{json.dumps(report, indent=1)}\n".encode())
