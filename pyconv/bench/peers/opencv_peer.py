"""OpenCV: filters of images."""

from functools import partial
from typing import Any

import cv2
import numpy as np

from pyconv.bench.cases import Case
from pyconv.bench.filter_cases import SIGMAS, Filter
from pyconv.bench.peers import UnsupportedError, Variant, Variants


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        cv2.setNumThreads(threads)
        self.version = cv2.__version__

    def variants(self, case: Case) -> Variants:
        """Return the call, into an image that is kept."""
        if not isinstance(case, Filter):
            raise UnsupportedError(case.name)
        x = case.image()[..., 0].copy() if case.c == 1 else case.image()
        out, size = np.empty_like(x), (case.size, case.size)
        call: Any
        if case.kind == "filter2d":
            call = partial(cv2.filter2D, x, -1, case.kernel(), out)
        elif case.kind == "mean":
            call = partial(cv2.blur, x, size, out)
        elif case.kind == "Gaussian":
            call = partial(cv2.GaussianBlur, x, size, 0, out)
        elif case.kind == "median":
            call = partial(cv2.medianBlur, x, case.size, out)
        else:
            call = partial(cv2.bilateralFilter, x, case.size, SIGMAS, SIGMAS, out)
        return {"": lambda: Variant(call, lambda: [out.reshape(case.shape)])}
