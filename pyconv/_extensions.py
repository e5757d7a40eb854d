"""What packages above the core add to it: ``pyconv.compat`` registers its functions here.

The core asks for them by name and never imports such a package.
"""

from collections.abc import Callable
from typing import Any

_functions: dict[str, Callable[..., Any]] = {}


def extend(name: str, function: Callable[..., Any]) -> None:
    """Have the core use a function where it asks for ``name``."""
    _functions[name] = function


def extension(name: str) -> Callable[..., Any] | None:
    """Return the function that was registered, None where no package has one."""
    return _functions.get(name)
