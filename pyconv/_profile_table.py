"""The table of a profile."""

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyconv._args import int_arg

if TYPE_CHECKING:
    from pyconv.profiling import Part, Profile

# Name, unit, and most decimals; fewer where the largest number has four digits without them.
_COLUMNS = (
    ("Forward", "ms", 3),
    ("Backward", "ms", 3),
    ("Time", "ms", 3),
    ("Share", "%", 0),
    ("Work", "GFLOP", 3),
    ("Speed", "GFLOP/s", 1),
    ("Moved", "MB", 2),
    ("Roof", "%", 0),
    ("Memory", "MB", 2),
)
_OF_TRAINING, _OF_WORK = (0, 1), (4, 5, 6, 7, 8)
_LEAST_BAR, _MOST_BAR = 8, 24
_EIGHTHS = "▏▎▍▌▋▊▉"

_Row = list[float | None]


def table(profile: "Profile", width: int | None) -> str:
    """Return the table of a profile; see ``Profile.text``."""
    if width is None:
        width = min(max(shutil.get_terminal_size().columns, 80), 120)
    width = int_arg("profile", "width", width, 80, 1000)
    parts = profile.parts
    rows = [_row(part, profile.total) for part in parts] + [_sums(profile)]
    columns = [
        _cells(column, [row[i] for row in rows], i in _OF_WORK)
        for i, column in enumerate(_COLUMNS)
        if profile.training or i not in _OF_TRAINING
    ]
    room = width - 1 - sum(1 + len(column[0]) for column in columns)
    names = [["", "Layer"]] + [_lines(part, room) for part in parts] + [["sum"]]
    size = max(len(line) for name in names for line in name)
    bar = min(room - size - 2, _MOST_BAR)
    bars = ["", "", *_bars([part.seconds for part in parts], bar), ""]

    lines = []
    for i, cells in enumerate(zip(*columns, strict=True)):
        name = names[0][i : i + 1] if i < 2 else names[i - 1]
        lines.append(f" {name[0]:{size}}{''.join(' ' + cell for cell in cells)}  {bars[i]}")
        lines += [f" {more}" for more in name[1:]]
        if i == 1 or i == len(parts) + 1 or (i > 1 and _changes(parts, i - 2)):
            lines.append(" " + "─" * (width - 1 - max(room - size - max(bar, 0) - 2, 0)))
    text = "\n".join(
        line.rstrip() for line in [_title(profile), *lines, "", *_notes(profile, width)]
    )
    return text + "\n"


def _row(part: "Part", total: float) -> _Row:
    is_layer = bool(part.layers)
    return [
        1e3 * part.forward if is_layer else None,
        1e3 * part.backward if is_layer else None,
        1e3 * part.seconds,
        100 * part.seconds / total,
        part.flops / 1e9,
        part.flops / 1e9 / part.seconds if part.flops else None,
        part.moved / 1e6,
        100 * part.roof,
        part.memory / 1e6,
    ]


def _sums(profile: "Profile") -> _Row:
    parts, total = profile.parts, profile.total
    layers = [part for part in parts if part.layers]
    flops = sum(part.flops for part in parts)
    return [
        1e3 * sum(part.forward for part in layers),
        1e3 * sum(part.backward for part in layers),
        1e3 * total,
        100,
        flops / 1e9,
        flops / 1e9 / total,
        sum(part.moved for part in parts) / 1e6,
        100 * sum(part.least for part in parts) / total,
        sum(part.memory for part in parts) / 1e6,
    ]


def _cells(column: tuple[str, str, int], values: Sequence[float | None], blank: bool) -> list[str]:
    """Return name, unit and numbers, all of one width; ``blank`` leaves zeros out."""
    name, unit, decimals = column
    largest = max((value for value in values if value is not None), default=0)
    while decimals and largest >= 10 ** (4 - decimals):
        decimals -= 1
    least = 0.5 * 10**-decimals if blank else 0.0
    shown = [name, unit]
    shown += ["" if v is None or v < least else f"{v:,.{decimals}f}" for v in values]
    size = max(map(len, shown))
    return [cell.rjust(size) for cell in shown]


def _lines(part: "Part", room: int) -> list[str]:
    """Return a name in lines of ``room``: of two layers one below the other."""
    lines = part.layers or (part.name,)
    lines = (lines[0], *(f"+ {layer}" for layer in lines[1:]))
    return [piece for line in lines for piece in textwrap.wrap(line, max(room, 8)) or [line]]


def _bars(seconds: Sequence[float], width: int) -> list[str]:
    longest = max(seconds)
    if width < _LEAST_BAR or not longest:
        return [""] * len(seconds)
    eighths = [round(8 * width * s / longest) for s in seconds]
    return ["█" * (n // 8) + (_EIGHTHS[n % 8 - 1] if n % 8 else "") for n in eighths]


def _changes(parts: Sequence["Part"], i: int) -> bool:
    """Whether a part is a layer, and the next one something else, or the reverse."""
    return i + 1 < len(parts) and bool(parts[i].layers) != bool(parts[i + 1].layers)


def _title(profile: "Profile") -> str:
    how = "training" if profile.training else "predicting"
    threads = f"{profile.threads} thread{'s' * (profile.threads != 1)}"
    return (
        f'Profile of "{profile.model}": {how}, batch {profile.batch_size}, {threads}, {profile.isa}'
    )


def _notes(profile: "Profile", width: int) -> list[str]:
    step, total = profile.step, profile.total
    notes = [
        f"A step takes {1e3 * step:.3f} ms ({profile.batch_size / step:,.0f} samples/s) when "
        f"nothing is recorded; the sum of the parts is {100 * abs(total / step - 1):.1f} % "
        f"{'more' if total >= step else 'less'}.",
        f"This machine reaches {profile.peak_flops / 1e9:,.0f} GFLOP/s, and "
        f"{profile.bandwidth / 1e9:,.0f} GB/s from memory. Roof: the speed as a share of what the "
        "limits allow for this work and these arrays; algorithms that multiply less may "
        "pass 100 %. Memory: activations and their gradients, kept from step to step.",
    ]
    return [
        line
        for note in notes
        for line in textwrap.wrap(note, width - 2, initial_indent=" ", subsequent_indent=" ")
    ]
