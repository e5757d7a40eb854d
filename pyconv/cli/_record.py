"""training.json: what a model was trained on and how, in the folder of its file."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from pyconv._files import replacing

_NAME = "training.json"


@dataclass(frozen=True)
class Record:
    """What ``evaluate`` and ``predict`` need to know of a training, and its settings."""

    dataset: str
    class_names: list[str]
    settings: dict[str, Any]


def write_record(folder: str, record: Record) -> None:
    """Write ``record`` into the folder of a training."""
    with replacing(os.path.join(folder, _NAME)) as file:
        file.write(f"{json.dumps(asdict(record), indent=1)}\n".encode())


def read_record(model: str) -> Record | None:
    """Return the record beside the file ``model``, None where there is none.

    Raises:
        ValueError: it is damaged.
    """
    path = os.path.join(os.path.dirname(model), _NAME)
    try:
        with open(path, encoding="utf-8") as file:
            record = Record(**json.load(file))
    except FileNotFoundError:
        return None
    except (RecursionError, TypeError, ValueError):
        raise ValueError(f"{path} is damaged; remove it to go on without it") from None
    names = record.class_names
    if not isinstance(record.dataset, str) or not isinstance(names, list):
        raise ValueError(f"{path} is damaged; remove it to go on without it")
    return Record(record.dataset, [str(name) for name in names], record.settings)
