"""``keras.utils.Progbar``."""

import numpy as np
import pytest

import pyconv.compat.keras as keras


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "1.2500"),
        ({"stateful_metrics": ["loss"]}, "2.0000"),
        ({"stateless_metrics": ["loss"]}, "1.2500"),
        ({"stateless_metrics": []}, "2.0000"),
    ],
)
def test_means_and_last_values(capsys, options, shown):
    bar = keras.utils.Progbar(4, interval=0.0, **options)
    bar.update(1, [("loss", 0.5)])
    bar.update(2, [("loss", 0.5)])
    bar.add(2, [("loss", np.array([1.0, 3.0]))])
    line = last_line(capsys)
    assert line.startswith("4/4 ")
    assert line.endswith(f"- loss: {shown}")


def test_verbosity_and_ends(capsys):
    keras.utils.Progbar(3, verbose=0).update(3, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    bar = keras.utils.Progbar(3, verbose=2)
    bar.update(1)
    assert capsys.readouterr().out == ""
    bar.update(3)
    assert last_line(capsys).startswith("3/3 - 0s - ")
    keras.utils.Progbar(0).update(0, finalize=True)
    keras.utils.Progbar(None).update(5, finalize=True)
    assert "5/5" in last_line(capsys)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keras.utils.Progbar("a"), "Progbar: target must be an integer"),
        (lambda: keras.utils.Progbar(3, verbose=7), "Progbar: verbose must be 'auto', 0, 1 or 2"),
        (lambda: keras.utils.Progbar(3, interval=None), "Progbar: interval must be a number"),
        (lambda: keras.utils.Progbar(3, stateful_metrics=[], stateless_metrics=[]), "Only one of"),
        (lambda: keras.utils.Progbar(3).update(-1), "Progbar: current must be from 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
