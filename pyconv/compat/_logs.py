"""Metrics by name, old names and new."""

from typing import Any

_PAIRS = (("acc", "accuracy"), ("lr", "learning_rate"))


def _other(key: object) -> str | None:
    """Return the other name of a metric, with what the output and ``val_`` put before it."""
    for pair in _PAIRS:
        for name, other in (pair, pair[::-1]):
            if key == name or str(key).endswith(f"_{name}"):
                return str(key)[: -len(name)] + other
    return None


class Logs(dict[str, Any]):
    """A dict in which 'acc' and 'accuracy', 'lr' and 'learning_rate' find the same value."""

    def __missing__(self, key: str) -> Any:
        other = _other(key)
        if other is None or not super().__contains__(other):
            raise KeyError(key)
        return self[other]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(_other(key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under this name or its other one."""
        try:
            return self[key]
        except KeyError:
            return default

    def with_both_names(self) -> dict[str, Any]:
        """Return a plain dict that has each value under both names."""
        return {**{other: self[key] for key in self if (other := _other(key))}, **self}
