"""Runs of random cases: the values, and the same bits for any number of threads.

PYCONV_RANDOM_CASES is the number of cases of each operation, PYCONV_RANDOM_SEED where they start.
"""

import contextlib
import functools
import os

import numpy as np
import reference
import torch
from random_cases import upto

import pyconv
from pyconv import backend

SEED = int(os.environ.get("PYCONV_RANDOM_SEED", "1"))
CASES = int(os.environ.get("PYCONV_RANDOM_CASES", "200"))
ON_CPU = backend.active is backend.cpu
ISAS = backend.cpu.available_isas()
DTYPES = (torch.float64, torch.float32)


def seeds(salt, make):
    """Yield (seed, generator, case)."""
    for seed in range(SEED, SEED + CASES):
        rng = np.random.default_rng((salt, seed))
        yield seed, rng, make(rng)


def cases(salt, make):
    """Make a test of a function of (generator, case)."""

    def decorate(run):
        @functools.wraps(run)
        def test():
            isa, threads = backend.cpu.isa(), pyconv.get_num_threads()
            try:
                for seed, rng, case in seeds(salt, make):
                    with named(f"seed {seed}: {case}"):
                        run(rng, case)
            finally:
                backend.cpu.set_isa(isa)
                pyconv.set_num_threads(threads)
                pyconv.set_conv_algorithm("auto")

        del test.__wrapped__  # pytest would take run's arguments for fixtures
        return test

    return decorate


@contextlib.contextmanager
def named(text):
    """Say in a failure which case it was."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{text}: {type(error).__name__}: {error}") from error


def on_all(rng, operation, check, algorithms=("auto",)):
    """Run on each instruction set and algorithm; the bits are those of one thread.

    On a device run twice, for the same bits.
    """
    if not ON_CPU:
        first = operation()
        for a, b in zip(first, operation(), strict=True):
            assert a.tobytes() == b.tobytes(), "the bits change from run to run"
        check(first, "device")
        return
    for isa in ISAS:
        backend.cpu.set_isa(isa)
        for algorithm in algorithms:
            pyconv.set_conv_algorithm(algorithm)
            pyconv.set_num_threads(1)
            alone = operation()
            threads = upto(rng, 4, 2)
            pyconv.set_num_threads(threads)
            together = operation()
            with named(f"{isa} {algorithm} {threads} threads"):
                for a, b in zip(alone, together, strict=True):
                    assert a.tobytes() == b.tobytes(), "the bits depend on the threads"
                check(alone, algorithm)


def draws_of(kind, *shapes):
    """Return how many draws make a case: one, of a small result, says little of the largest error.

    The rule compares the largest errors of two sums, which vary from draw to draw.
    """
    smallest, largest = (f(np.prod(s) for s in shapes) for f in (min, max))
    wanted, most = max(4, 1000 // smallest), max(1, 400_000 // largest)
    return int(min(wanted, most, 50)) if kind == "normal" else 1


def stacked(draws):
    """Return one array of each result of several draws."""
    return [np.stack(results) for results in zip(*draws, strict=True)]


def by_rule(results):
    """Return a check of the values: all within the rule of reference.py."""

    def check(got, _algorithm):
        for name, ours, exact, approximate in zip("0123", got, *results, strict=False):
            with named(f"result {name}"):
                reference.check(ours, exact, approximate)

    return check


def equal(got, wanted):
    assert got.dtype == np.float32
    assert got.shape == wanted.shape
    assert np.array_equal(got, wanted, equal_nan=True)
