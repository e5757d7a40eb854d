"""Where the library's messages to the user go: standard output, or Python's logging."""

import logging
import sys

_LOG = logging.getLogger("pyconv")
_interactive = True


def enable_interactive_logging() -> None:
    """Write messages and the lines of progress to standard output, as at first.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.enable_interactive_logging()
        >>> keras.config.is_interactive_logging_enabled()
        True
    """
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Give messages and the lines of progress to the logger ``pyconv``, at level INFO.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.disable_interactive_logging()
        >>> keras.config.is_interactive_logging_enabled()
        False
        >>> keras.config.enable_interactive_logging()
    """
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Return whether messages go to standard output.

    Example:
        >>> import pyconv.compat.keras as keras
        >>> keras.config.is_interactive_logging_enabled()
        True
    """
    return _interactive


def say(text: str, end: str = "\n") -> None:
    """Write a message, or log it."""
    if not _interactive:
        _LOG.info("%s", text)
    elif sys.stdout is not None:
        line = text + end
        try:
            sys.stdout.write(line)
        except UnicodeEncodeError:  # a terminal that has not all signs
            encoding = sys.stdout.encoding or "ascii"
            sys.stdout.write(line.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
