"""Trainings with recorded steps and without, for the tests of graphs."""

import pyconv


def with_and_without(monkeypatch, native, run):
    """Return what ``run`` returns with graphs of a backend and without, and how many launched.

    Runs of steps are not counted, but their steps are.
    """
    launched = []

    class Counted(getattr(native, "Graph", object)):
        def begin(self, *known):
            self.is_run = not known and native is pyconv.backend.cpu
            super().begin(*known)

        def launch(self):
            launched.extend([] if self.is_run else [1])
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
