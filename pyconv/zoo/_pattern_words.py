"""Reading a pattern of layers: from text to words in order, repetitions written out."""

import difflib
import re
from collections.abc import Mapping
from typing import NamedTuple

from pyconv._args import INT_MAX, int_arg

WORDS = ("INPUT", "CONV", "RELU", "POOL", "FC", "BN", "DO", "SOFTMAX")
_CLOSES = {"(": ")", "[": "]"}
_TOKEN = re.compile(r"\s*(?:(?P<join>->|→|-|,)|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<mark>.))")
_MOST = 1000  # words


class Word(NamedTuple):
    """A word and where in the pattern it is."""

    name: str
    at: int


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def words_of(pattern: str, counts: Mapping[str, int]) -> list[Word]:
    """Return the words of a pattern.

    Raises:
        ValueError: it cannot be read; the text shows where.
    """
    reader = _Reader(pattern, counts)
    words = reader.row("")
    if not words:
        raise error(pattern, 0, "there must be at least one layer")
    return words


def error(pattern: str, at: int, text: str) -> ValueError:
    """Return the error of what is at a character, which it points at."""
    # A line of its own for the pattern, cut around the place where it is long.
    start = max(0, at - 60)
    line = re.sub(r"\s", " ", pattern[start : at + 20])
    return ValueError(f"from_pattern: {text}\n  {line}\n  {' ' * (at - start)}^")


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, pattern: str, counts: Mapping[str, int]) -> None:
        self._pattern = pattern
        self._counts = counts
        self._tokens = []
        for found in _TOKEN.finditer(pattern.rstrip()):
            kind = found.lastgroup or "mark"
            self._tokens.append(_Token(kind, found[kind], found.start(kind)))
        self._tokens.append(_Token("end", "", len(pattern.rstrip())))
        self._next = 0
        self._depth = 0

    def row(self, opened: str) -> list[Word]:
        """Read parts up to the bracket that closes ``opened``, or to the end."""
        words: list[Word] = []
        self._depth += 1
        if self._depth > 50:
            raise self._wrong("brackets lie more than 50 deep")
        while True:
            words += self._part()
            if len(words) > _MOST:
                raise self._wrong(f"there are more than {_MOST} layers")
            token = self._token
            if token.kind == "join":
                self._next += 1
            elif token.text == _CLOSES.get(opened, ""):
                self._next += token.kind != "end"
                self._depth -= 1
                return words
            elif token.kind == "end":
                raise self._wrong(f"{opened!r} is never closed: {_CLOSES[opened]!r} is missing")
            elif token.text in _CLOSES.values():
                what = f"cannot close {opened!r}" if opened else "closes nothing"
                raise self._wrong(f"{token.text!r} {what}")
            else:
                raise self._wrong("'-' is missing between two parts")

    def _part(self) -> list[Word]:
        """Read a word or a part in brackets, and how often it is to be repeated."""
        token = self._token
        if token.text in _CLOSES:
            self._next += 1
            words = self.row(token.text)
        elif token.kind == "word":
            name = token.text.upper()
            if name not in WORDS:
                close = difflib.get_close_matches(name, WORDS, 1)
                hint = f"did you mean {close[0]}? " if close else ""
                raise self._wrong(
                    f"unknown word {token.text!r:.40}; {hint}known are {', '.join(WORDS)}"
                )
            self._next += 1
            words = [Word(name, token.at)]
        else:
            got = "the end" if token.kind == "end" else repr(token.text)
            raise self._wrong(f"a layer or a bracket was expected, got {got}")
        while self._token.text in ("*", "?"):
            mark = self._token.text
            self._next += 1
            if mark != "?":
                count = self._count()
                if count * len(words) > _MOST:
                    raise self._wrong(f"there are more than {_MOST} layers", -1)
                words = words * count
        return words

    def _count(self) -> int:
        token = self._token
        self._next += 1
        if token.kind == "number":
            return min(int(token.text[:12]), INT_MAX)
        if token.kind == "word" and len(token.text) == 1:
            if token.text not in self._counts:
                raise self._wrong(
                    f"a number must stand for {token.text!r}, in the pattern or as "
                    f"counts={{{token.text!r}: 2}}",
                    -1,
                )
            return int_arg("from_pattern", f"counts[{token.text!r}]", self._counts[token.text], 0)
        raise self._wrong("a number was expected after '*'", -1)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _wrong(self, text: str, step: int = 0) -> ValueError:
        return error(self._pattern, self._tokens[self._next + step].at, text)
