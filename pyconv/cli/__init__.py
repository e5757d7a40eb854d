"""The command line: ``pyconv`` with its commands, each a module here."""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NO_READER = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status.

    0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C, 141 where the reader of the output went.

    Args:
        argv: the arguments, by default those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end a training.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(argv)
        finally:
            # A full disk or a closed pipe shows here, not in a traceback at exit.
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return NO_READER
    except OSError as error:
        _discard_output()
        print(f"pyconv: {_text(error)}", file=sys.stderr)
        return 1


def _run(argv: Sequence[str] | None) -> int:
    from pyconv.cli._arguments import parser

    arguments = parser().parse_args(argv)
    try:
        status: int = import_module(f"pyconv.cli.{arguments.command}").run(arguments)
        return status
    except BrokenPipeError:
        raise
    except (ImportError, MemoryError, OSError, OverflowError, TypeError, ValueError) as error:
        print(f"pyconv {arguments.command}: {_text(error)}", file=sys.stderr)
        return 1


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _discard_output() -> None:
    """Send what is still in stdout's buffer nowhere, so that nothing fails on it at exit."""
    try:
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return  # no stdout, or one that is no file
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
