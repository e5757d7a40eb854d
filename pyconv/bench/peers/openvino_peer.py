"""OpenVINO: forward passes, with its latency and its throughput hint."""

from typing import Any

import numpy as np
import openvino

from pyconv._types import Array
from pyconv.bench.cases import Case
from pyconv.bench.peers import Variant, Variants, onnx_models


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._core = openvino.Core()
        self._held: list[Any] = []
        self.version = openvino.__version__.split("-")[0]

    def variants(self, case: Case) -> Variants:
        """Return the whole batch as one request, and cut into one request a thread."""
        x = onnx_models.inputs(case)
        self._held.clear()
        found: Variants = {"latency": lambda: self._requests(case, [x], "LATENCY")}
        if len(x) % self._threads == 0 and self._threads > 1:
            parts = np.split(x, self._threads)
            found["throughput"] = lambda: self._requests(case, parts, "THROUGHPUT")
        return found

    def _requests(self, case: Case, parts: list[Array], hint: str) -> Variant:
        serialized = onnx_models.model(case)
        model = self._core.read_model(serialized)
        model.reshape([len(parts[0]), *parts[0].shape[1:]])
        compiled = self._core.compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": hint,
                "PERFORMANCE_HINT_NUM_REQUESTS": len(parts),
                "INFERENCE_NUM_THREADS": self._threads,
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        requests: list[Any] = [compiled.create_infer_request() for _ in parts]
        for request, part in zip(requests, parts, strict=True):
            request.set_input_tensor(openvino.Tensor(part, shared_memory=True))
        # Tensors and constants point into these.
        self._held += [serialized, *parts]

        def run_one() -> None:
            requests[0].infer()

        def run_all() -> None:
            for request in requests:
                request.start_async()
            for request in requests:
                request.wait()

        run = run_one if len(parts) == 1 else run_all

        def result() -> list[Array]:
            run()
            y = np.concatenate([request.get_output_tensor().data for request in requests])
            return onnx_models.outputs(case, y)

        return Variant(run, result)
