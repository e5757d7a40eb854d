"""Names of layers and models."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

_names_given: Counter[str] = Counter()


def snake_case(class_name: str) -> str:
    """Return the name of a class as names of layers begin: MaxPooling2D is max_pooling2d."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", class_name).lower()


def auto_name(class_name: str) -> str:
    """Return the next name of a class, as Keras counts them: conv2d, conv2d_1, ..."""
    words = snake_case(class_name)
    count = _names_given[words]
    _names_given[words] += 1
    return f"{words}_{count}" if count else words


def reset_names() -> None:
    """Count names anew."""
    _names_given.clear()


def did_you_mean(wanted: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return what an error says of a name that is not known: the nearest, where one is near."""
    from difflib import get_close_matches

    near = get_close_matches(wanted, known, 1, cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def check_name(owner: str, name: Any) -> str:
    """Return ``name`` where a layer or a model may have it."""
    if not isinstance(name, str):
        raise TypeError(f"{owner}: name must be a string, got a {type(name).__name__}")
    if not name or "/" in name:
        raise ValueError(f"{owner}: name must be a string without '/', got {name!r}")
    return name


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it where it is taken."""
    number = 0
    found = name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
