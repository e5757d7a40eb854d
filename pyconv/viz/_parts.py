"""The parts of a network's drawing as SVG: boxes, columns of them, and frames around columns."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

STEP = 22  # pixels between two boxes, for an arrow
_PAD = 12  # around a text, and around the columns in a frame
_HEAD, _BUS = 46, 16  # a frame's heading, and the lines that go to its columns and come from them
_MERGE = 24  # height of the box in which columns meet
_EMPTY = "identity"
_LINE = 'fill="none" stroke="#444444" stroke-width="1.5"'


class Part(Protocol):
    """What takes a place in a drawing."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def draw(self, x: int, y: int, width: int) -> Iterator[str]:
        """Give the SVG elements; (x, y) is the upper left corner, ``width`` the room."""


@dataclass
class Box:
    """A layer: name and what it is on the left, shape and number of parameters on the right."""

    name: str
    what: str
    shape: str
    count: str
    colour: str
    height: int = _HEAD

    @property
    def width(self) -> int:
        left = max(text_width(self.name, 13, bold=True), text_width(self.what, 11))
        return left + max(text_width(self.shape, 13), text_width(self.count, 11)) + 56

    def draw(self, x: int, y: int, width: int) -> Iterator[str]:
        yield rectangle(x, y, width, self.height, self.colour)
        yield text(x + _PAD, y + 19, 13, self.name, bold=True)
        yield text(x + _PAD, y + 36, 11, self.what)
        yield text(x + width - _PAD, y + 19, 13, self.shape, anchor="end")
        yield text(x + width - _PAD, y + 36, 11, self.count, anchor="end")


@dataclass
class Note:
    """A layer in a narrow place: its name above lines of text."""

    name: str
    lines: list[str]
    colour: str

    @property
    def width(self) -> int:
        texts = (text_width(line, 11) for line in self.lines)
        return max(text_width(self.name, 12, bold=True), *texts) + 2 * _PAD

    @property
    def height(self) -> int:
        return 28 + 15 * len(self.lines)

    def draw(self, x: int, y: int, width: int) -> Iterator[str]:
        yield rectangle(x, y, width, self.height, self.colour)
        yield text(x + _PAD, y + 18, 12, self.name, bold=True)
        for i, line in enumerate(self.lines):
            yield text(x + _PAD, y + 34 + 15 * i, 11, line)


@dataclass
class Column:
    """Parts below each other, with arrows between them; without parts a line that is labelled."""

    parts: list[Part]
    arrows: bool = True

    @property
    def width(self) -> int:
        label = 2 * text_width(_EMPTY, 11) + 2 * _PAD
        return max((part.width for part in self.parts), default=label)

    @property
    def height(self) -> int:
        return sum(part.height for part in self.parts) + STEP * max(len(self.parts) - 1, 0)

    def draw(self, x: int, y: int, width: int) -> Iterator[str]:
        for i, part in enumerate(self.parts):
            if i:
                if self.arrows:
                    yield arrow(x + width // 2, y, y + STEP)
                y += STEP
            yield from part.draw(x, y, width)
            y += part.height

    def draw_to(self, x: int, y: int, bottom: int) -> Iterator[str]:
        """Draw the column, and the line from it to ``bottom``."""
        middle = x + self.width // 2
        if self.parts:
            yield arrow(middle, y - _BUS, y)
            yield from self.draw(x, y, self.width)
            yield f'<path d="M{middle} {y + self.height} V{bottom}" {_LINE}/>'
        else:
            yield f'<path d="M{middle} {y - _BUS} V{bottom}" {_LINE}/>'
            yield text(middle + 6, (y + bottom) // 2, 11, _EMPTY)


@dataclass
class Frame:
    """A layer that holds layers: its columns side by side, and how they are brought together."""

    head: Box
    columns: list[Column]
    merge: str = ""
    _inner: int = field(init=False)

    def __post_init__(self) -> None:
        self._inner = sum(column.width for column in self.columns) + _PAD * (len(self.columns) - 1)

    @property
    def width(self) -> int:
        return max(self.head.width, self._inner + 2 * _PAD)

    @property
    def height(self) -> int:
        tallest = max(column.height for column in self.columns)
        around = 3 * _BUS + _MERGE + _PAD if self.merge else 2 * _PAD
        return _HEAD + tallest + around

    def draw(self, x: int, y: int, width: int) -> Iterator[str]:
        yield rectangle(x, y, width, self.height, "#fafafa")
        yield from self.head.draw(x, y, width)
        tallest = max(column.height for column in self.columns)
        if not self.merge:
            yield from self.columns[0].draw(x + _PAD, y + _HEAD + _PAD, width - 2 * _PAD)
            return
        left, top = x + (width - self._inner) // 2, y + _HEAD + 2 * _BUS
        bottom = top + tallest + _BUS
        axis, middles = x + width // 2, []
        for column in self.columns:
            middles.append(left + column.width // 2)
            yield from column.draw_to(left, top, bottom)
            left += column.width + _PAD
        first, last = min(*middles, axis), max(*middles, axis)
        yield f'<path d="M{axis} {top - 2 * _BUS} v{_BUS} M{first} {top - _BUS} H{last}" {_LINE}/>'
        yield f'<path d="M{first} {bottom} H{last}" {_LINE}/>'
        wide = text_width(self.merge, 12, bold=True) + 2 * _PAD
        yield rectangle(axis - wide // 2, bottom, wide, _MERGE, "#ffffff")
        yield text(axis, bottom + 16, 12, self.merge, bold=True, anchor="middle")
        yield f'<path d="M{axis} {bottom + _MERGE} V{y + self.height}" {_LINE}/>'


def rectangle(x: int, y: int, width: int, height: int, colour: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{colour}" '
        'stroke="#444444"/>'
    )


def arrow(x: int, start: int, end: int) -> str:
    return f'<path d="M{x} {start} V{end - 2} m-4 -6 l4 6 l4 -6" {_LINE}/>'


def text_width(text: str, size: int, bold: bool = False) -> int:
    """Return about as many pixels as the widest of the fonts takes."""
    wide = sum(1.0 if ord(c) > 0x2E80 else 0.9 if c in "mwMW@\u2026" else 0.66 for c in text)
    return round(wide * size * (1.08 if bold else 1))


def text(x: int, y: int, size: int, content: str, bold: bool = False, anchor: str = "start") -> str:
    more = ' font-weight="bold"' * bold
    more += f' text-anchor="{anchor}"' * (anchor != "start")
    return f'<text x="{x}" y="{y}" font-size="{size}"{more}>{escaped(content)}</text>'


def escaped(content: str) -> str:
    """Return text for XML, which has no control characters."""
    return html.escape("".join(c if c >= " " else "\ufffd" for c in content))
