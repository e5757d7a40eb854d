"""Metrics by name, old names and new."""

from typing import Any

_OTHER = {
    "acc": "accuracy",
    "accuracy": "acc",
    "val_acc": "val_accuracy",
    "val_accuracy": "val_acc",
    "lr": "learning_rate",
    "learning_rate": "lr",
}


class Logs(dict[str, Any]):
    """A dict in which 'acc' and 'accuracy', 'lr' and 'learning_rate' find the same value."""

    def __missing__(self, key: str) -> Any:
        other = _OTHER.get(key)
        if other is None or not super().__contains__(other):
            raise KeyError(key)
        return self[other]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(_OTHER.get(str(key)))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under this name or its other one."""
        try:
            return self[key]
        except KeyError:
            return default

    def with_both_names(self) -> dict[str, Any]:
        """Return a plain dict that has each value under both names."""
        return {**{_OTHER[key]: self[key] for key in self if key in _OTHER}, **self}
