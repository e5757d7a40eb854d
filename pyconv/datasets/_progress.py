"""The progress of a download: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, size: int, done: int) -> Iterator[Callable[[int], None]]:
    """Show ``done`` of ``size`` bytes on stderr; yields the function to call with a new count."""
    if sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=size, completed=done)
            yield lambda count: bar.update(task, completed=count)
    else:
        yield _lines(label, size, done)


def _lines(label: str, size: int, done: int) -> Callable[[int], None]:
    shown = done * 10 // size

    def update(count: int) -> None:
        nonlocal shown
        if count * 10 // size > shown:
            shown = count * 10 // size
            _say(f"  {shown * 10} % of {size / 1e6:.1f} MB")

    _say(label if done == 0 else f"{label} (going on from {done / 1e6:.1f} MB)")
    return update


def _say(line: str) -> None:
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)
