"""The folder that a command writes its results into."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def results_folder(name: str | None, what: str) -> Iterator[str]:
    """Yield a new or an empty folder to write into; one that was made and stays empty goes."""
    if name == "":
        raise ValueError("--out must name a folder, got ''")
    if name is None:
        folder, made = _new_run(what), True
    else:
        folder, made = name, not os.path.isdir(name)
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            raise ValueError(f"--out {folder} holds files already; name a new or an empty folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"--out {folder} cannot be written to")
    try:
        yield folder
    finally:
        if made:
            with suppress(OSError):  # it holds something
                os.rmdir(folder)


def _new_run(what: str) -> str:
    stem = os.path.join("runs", f"{time.strftime('%Y%m%d-%H%M%S')}-{what}")
    for i in range(1, 1000):
        folder = stem if i == 1 else f"{stem}-{i}"
        with suppress(FileExistsError):
            os.makedirs(folder)
            return folder
    raise FileExistsError(f"{stem} exists; name another folder with --out")
