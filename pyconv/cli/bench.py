"""``pyconv bench``."""

import argparse
import os
import sys

from rich.console import Console

import pyconv


def run(arguments: argparse.Namespace) -> int:
    """Measure pyconv beside the peers that are installed, and report."""
    from pyconv.bench import roofline, table
    from pyconv.bench.run import Settings, run, write_json
    from pyconv.bench.suite import suite

    groups = suite(arguments.quick, arguments.filter)
    names = [case.name for cases in groups.values() for case in cases]
    if not names:
        raise ValueError(f"--filter: no case holds {' or '.join(map(repr, arguments.filter))}")
    if arguments.list:
        print(*names, sep="\n")
        return 0
    device = arguments.device or "cpu"
    if device != "cpu":
        with pyconv.device(device):
            device = pyconv.get_device()  # where it is not there, that is said at once
    settings = Settings(
        _peers(arguments.peers, arguments.quick, device),
        arguments.threads or len(os.sched_getaffinity(0)),
        arguments.isa,
        arguments.quick,
        arguments.filter,
        device,
        arguments.precision,
    )
    console = Console(width=None if sys.stdout.isatty() else 180)
    messages = Console(stderr=True)
    with messages.status("starting") as status:
        if messages.is_terminal:
            report = run(settings, lambda text: status.update(text))
        else:
            report = run(settings, lambda text: print(text, file=sys.stderr, flush=True))
    table.show(report, console)
    if arguments.json:
        write_json(report, arguments.json)
    if arguments.write_readme and not report["interrupted"]:
        table.write_readme(report, arguments.write_readme)
    if arguments.plot:
        roofline.figure(report).savefig(arguments.plot, dpi=120)
    return 130 if report["interrupted"] else 0


def _peers(given: str | None, quick: bool, device: str) -> list[str]:
    from pyconv.bench.peers import MEASURED, ON_GPU

    if device != "cpu":
        wrong = [name for name in (given or "").split(",") if name not in ("", *ON_GPU)]
        if wrong:
            raise ValueError(
                f"--peers: on {device} must be of {', '.join(ON_GPU)}, got {wrong[0]!r}"
            )
        return [name for name in (given or ",".join(ON_GPU)).split(",") if name]
    if given is None:
        # JAX compiles each network for seconds.
        return [name for name in MEASURED if not (quick and name == "keras")]
    peers = [name for name in given.split(",") if name]
    for name in peers:
        if name not in MEASURED:
            raise ValueError(f"--peers: must be of {', '.join(MEASURED)}, got {name!r}")
    return peers
