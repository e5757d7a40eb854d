"""What became of the networks of a comparison."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from pyconv import _files
from pyconv.model import Sequential


@dataclass(eq=False)
class Entry:
    """What became of one network.

    ``history`` has the values of each finished epoch by metric, ``seconds`` how long each took
    with its validation. ``model`` has the weights of the best epoch, that of the least loss on
    the validation images; ``checkpoint`` is the file they were kept in. ``test_accuracy`` is
    None where no epoch was finished.

    Example:
        >>> from pyconv import comparison, zoo
        >>> entry = comparison.Entry("CNN", zoo.deck_cnn())
        >>> entry.history.update(val_loss=[1.4, 1.2, 1.3], val_accuracy=[0.5, 0.6, 0.62])
        >>> entry.parameters, entry.best_epoch, entry.best("val_accuracy")
        (528054, 2, 0.6)
    """

    name: str
    model: Sequential
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    checkpoint: str | None = None
    test_accuracy: float | None = None

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        return self.model.count_params()

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.history.get("val_loss", ()))

    @property
    def epoch_seconds(self) -> float | None:
        """Seconds an epoch, the mean; None where none was finished."""
        return sum(self.seconds) / len(self.seconds) if self.seconds else None

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 1, of the least loss on the validation images; None without one."""
        losses = self.history.get("val_loss", ())
        known = [(loss, i) for i, loss in enumerate(losses, 1) if not math.isnan(loss)]
        return min(known)[1] if known else None

    def best(self, metric: str) -> float | None:
        """Return the value of a metric of ``history`` in the best epoch; None without one."""
        epoch, values = self.best_epoch, self.history.get(metric, ())
        return None if epoch is None or epoch > len(values) else values[epoch - 1]


@dataclass(eq=False)
class Comparison:
    """Networks that were trained on the same data, in their order.

    ``interrupted`` says whether Ctrl-C cut it short: then the last entry has the epochs that it
    finished, and the networks behind it are left out.

    Example:
        >>> from pyconv import comparison, zoo
        >>> result = comparison.Comparison("cifar10", 10, [comparison.Entry("CNN", zoo.deck_cnn())])
        >>> print(result.table())
        network  parameters  s/epoch  best epoch  training  validation  test
        CNN      528,054     -        -           -         -           -
    """

    dataset: str
    classes: int
    entries: list[Entry]
    settings: dict[str, Any] = field(default_factory=dict)
    interrupted: bool = False

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of a network."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def table(self) -> str:
        """Return the table of all networks as text.

        The accuracies are those of the best epoch. That on the training images is the mean over
        the epoch, with dropout, as the progress line has it; validation and test are without.
        """
        from pyconv.comparison.report import table

        return table(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the table."""
        from pyconv.viz._html import comparison_html

        return comparison_html(self)

    def figure(self) -> Any:
        """Return a figure of the curves of all networks side by side, and the table.

        Raises:
            ImportError: matplotlib is not installed.
        """
        from pyconv.comparison.figure import figure

        return figure(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain data, None for what is no number, such as a loss of NaN."""
        from pyconv.comparison.report import plain

        return plain(self)

    def save_json(self, filepath: Any) -> None:
        """Write ``to_dict`` as a JSON file, as a whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"
        with _files.replacing(_files.place("save_json", filepath)) as file:
            file.write(text.encode())
