"""Networks of a pattern, as courses write them: [(CONV-RELU)*2-POOL]*3-(FC-RELU)*1-SOFTMAX."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyconv._args import int_arg, shown
from pyconv.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    MaxPooling2D,
    ReLU,
)
from pyconv.model import Sequential
from pyconv.zoo._pattern_words import Word, error, words_of

_OWNER = "from_pattern"


def from_pattern(
    pattern: str,
    input_shape: Any = (32, 32, 3),
    classes: int = 10,
    *,
    filters: Any = (16, 32, 64),
    kernel_size: Any = 3,
    pool_size: Any = 2,
    units: Any = 500,
    dropout: float = 0.5,
    counts: Mapping[str, int] | None = None,
) -> Sequential:
    """Return the network that a pattern of layers describes.

    Words are CONV, RELU, POOL, FC, BN, DO (dropout) and SOFTMAX, and INPUT at the beginning. They
    follow each other with ``-``, ``->`` or a comma. ``(...)`` and ``[...]`` hold a part, ``*3``
    after a part or a word repeats it. A letter in place of the number takes it from ``counts``;
    a ``?`` says that what is before it may be left out in other networks, and changes nothing.
    The course's pattern is ``[(CONV-RELU)*N-POOL?]*M-(FC-RELU)*K,SOFTMAX``, that of Stanford's
    CS231n ``INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC``.

    SOFTMAX is the classifier: a dense layer with an output a class, or the FC right before it. An
    FC that is the last word is a classifier too, which gives logits. Without one of them, the
    result is that of the last layer.

    Args:
        pattern: the pattern.
        input_shape: (H, W, C).
        classes: number of outputs.
        filters: filters of the CONVs, or a list: of those before the first POOL, between it and the
            second, and so on; its last number holds for all that follow.
        kernel_size: of all CONVs, which keep height and width.
        pool_size: of all POOLs, which take maxima.
        units: units of the FCs, or a list; its last number holds for all that follow.
        dropout: share of numbers that a DO drops.
        counts: numbers by the letters that the pattern has for them.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: the pattern cannot be read, which the error shows at the character, or its
            layers do not fit.

    Example:
        >>> import pyconv.zoo
        >>> model = pyconv.zoo.from_pattern("[(CONV-RELU)*2-POOL]*3-(FC-RELU)*1-SOFTMAX")
        >>> [type(layer).__name__ for layer in model.layers[:3]]
        ['Conv2D', 'Conv2D', 'MaxPooling2D']
        >>> model.count_params()
        589590
        >>> formula = "[(CONV-RELU)*N-POOL?]*M-(FC-RELU)*K,SOFTMAX"
        >>> counts = {"N": 2, "M": 3, "K": 1}
        >>> pyconv.zoo.from_pattern(formula, counts=counts).count_params()
        589590
    """
    if not isinstance(pattern, str):
        raise TypeError(f"{_OWNER}: pattern must be a string, got a {type(pattern).__name__}")
    words = words_of(pattern, counts or {})
    made = _Made(
        pattern,
        Input(input_shape),
        (_each("filters", filters), _each("units", units)),
        int_arg(_OWNER, "classes", classes),
        (kernel_size, pool_size, dropout),
    )
    for word, following in zip(words, [*words[1:], None], strict=True):
        made.add(word, following.name if following else "")
    return Sequential(made.layers)


class _Made:
    """The layers so far."""

    def __init__(
        self,
        pattern: str,
        first: Any,
        sizes: tuple[Sequence[int], Sequence[int]],
        classes: int,
        options: tuple[Any, Any, float],
    ) -> None:
        self.layers: list[Any] = [first]
        self._pattern = pattern
        self._filters, self._units = sizes
        self._classes = classes
        self._kernel_size, self._pool_size, self._dropout = options
        self._shape = first.batch_shape
        self._pools = self._dense = 0
        self._before = ""

    def add(self, word: Word, following: str) -> None:
        """Add the layers of a word; ``following`` is the one after it, or empty."""
        name, before, self._before = word.name, self._before, word.name
        if before == "SOFTMAX":
            raise self._error(word, f"nothing may follow SOFTMAX, got {name}")
        if name == "INPUT":
            if before:
                raise self._error(word, "INPUT must be the first word")
            return
        flat = len(self._shape) == 2
        if name in ("CONV", "POOL") and flat:
            raise self._error(word, f"{name} needs images, and FC before it has made rows of them")
        activation = "relu" if following == "RELU" else None
        if name == "CONV":
            filters = self._filters[min(self._pools, len(self._filters) - 1)]
            size = self._kernel_size
            self._put(word, Conv2D(filters, size, padding="same", activation=activation))
        elif name == "POOL":
            self._pools += 1
            self._put(word, MaxPooling2D(self._pool_size))
        elif name == "RELU":
            if before not in ("CONV", "FC"):  # else their layer has it
                self._put(word, ReLU())
        elif name == "BN":
            self._put(word, BatchNormalization())
        elif name == "DO":
            self._put(word, Dropout(self._dropout))
        elif not (name == "FC" and following == "SOFTMAX"):
            if not flat:
                self._put(word, Flatten())
            units = self._units[min(self._dense, len(self._units) - 1)]
            self._dense += 1
            if name == "SOFTMAX":
                self._put(word, Dense(self._classes, activation="softmax"))
            elif not following:
                self._put(word, Dense(self._classes))
            else:
                self._put(word, Dense(units, activation=activation))

    def _put(self, word: Word, layer: Layer) -> None:
        try:
            self._shape = layer.compute_output_shape(self._shape)
        except ValueError as problem:
            raise self._error(word, str(problem)) from None
        self.layers.append(layer)

    def _error(self, word: Word, text: str) -> ValueError:
        return error(self._pattern, word.at, text)


def _each(name: str, value: Any) -> list[int]:
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError(f"{_OWNER}: {name} must hold at least one number, got {shown(value)}")
    return [int_arg(_OWNER, name, one) for one in values]
