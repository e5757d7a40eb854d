"""The metrics of each epoch as a CSV file."""

import os
import warnings
from typing import IO

from pyconv._args import bool_arg, path_arg
from pyconv.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of metrics after each epoch: ``epoch`` (from 0), then the keys in order.

    Each line is flushed, so that it stays where the process dies. A metric that an epoch lacks
    is ``NA``.

    Args:
        filename: name of the file.
        separator: what is between the values.
        append: whether to go on with a file that exists, by its header's columns.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: ``separator`` is not one character.

    Example:
        >>> import pyconv
        >>> pyconv.callbacks.CSVLogger("history.csv").separator
        ','
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = path_arg("CSVLogger", "filename", filename)
        if not isinstance(separator, str):
            raise TypeError(f"CSVLogger: separator must be a str, got {separator!r}")
        if len(separator) != 1 or separator in '\r\n"':
            raise ValueError(f"CSVLogger: separator must be one character, got {separator!r}")
        self.separator = separator
        self.append = bool_arg("CSVLogger", "append", append)
        self._file: IO[str] | None = None
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self._keys = self._header() if self.append else None
        ragged = self._keys is not None and not _ends_with_newline(self.filename)
        self._file = open(  # noqa: SIM115 - closed by on_train_end
            self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
        )
        if ragged:
            self._file.write("\n")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's line."""
        logs = logs or {}
        if self._keys is None:
            self._keys = self._columns(logs)
            self._write(["epoch", *self._keys])
        left_out = sorted(set(logs) - set(self._keys))
        if left_out:
            warnings.warn(
                f"CSVLogger: {self.filename} has no column for {', '.join(left_out)}", stacklevel=2
            )
        self._write([epoch, *(logs.get(key, "NA") for key in self._keys)])

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _columns(self, logs: Logs) -> list[str]:
        keys = sorted(logs)
        if self.params.get("do_validation") and not any(key.startswith("val_") for key in keys):
            # validation_freq: the metrics of validation come in a later epoch.
            keys += ["val_" + key for key in keys if key != "learning_rate"]
        return keys

    def _header(self) -> list[str] | None:
        import csv

        if not os.path.exists(self.filename):
            return None
        with open(self.filename, newline="", encoding="utf-8", errors="replace") as file:
            header = next(csv.reader(file, delimiter=self.separator), None)
        if header is not None and header[:1] != ["epoch"]:
            raise ValueError(
                f"CSVLogger: {self.filename} must begin with a column 'epoch' to be appended to, "
                f"got {header}"
            )
        return None if header is None else header[1:]

    def _write(self, row: list[float | str]) -> None:
        import csv

        if self._file is None:
            raise RuntimeError("CSVLogger: the file is open only while fit runs")
        csv.writer(self._file, delimiter=self.separator, lineterminator="\n").writerow(row)
        self._file.flush()


def _ends_with_newline(filename: str) -> bool:
    with open(filename, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"
