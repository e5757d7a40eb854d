"""Trainings with recorded steps and without, for the tests of graphs."""

import pyconv


def with_and_without(monkeypatch, native, run):
    """Return what ``run`` returns with graphs of a backend and without, and how many launched."""
    launched = []

    class Counted(getattr(native, "Graph", object)):
        def launch(self):
            launched.append(1)
            super().launch()

    results = []
    for graphs in (True, False):
        pyconv.utils.set_random_seed(2)
        with monkeypatch.context() as patch:
            if graphs:
                patch.setattr(native, "Graph", Counted)
            else:
                patch.delattr(native, "Graph")
            results.append(run())
        pyconv.set_float32_precision("highest")
    return *results, len(launched)
