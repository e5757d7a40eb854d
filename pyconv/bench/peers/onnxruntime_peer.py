"""ONNX Runtime: forward passes. It has no switch for the instruction set."""

import numpy as np
import onnxruntime

from pyconv._types import Array
from pyconv.bench.cases import Case
from pyconv.bench.peers import Variant, Variants, onnx_models


class Peer:
    """See ``pyconv.bench.peers.Peer``."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.version = onnxruntime.__version__

    def variants(self, case: Case) -> Variants:
        """Return plain runs, and runs whose input and output are bound to buffers."""
        model, x = onnx_models.model(case), onnx_models.inputs(case)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        source, target = session.get_inputs()[0].name, session.get_outputs()[0]

        def run() -> list[Array]:
            found: list[Array] = session.run(None, {source: x})
            return found

        y = np.empty(target.shape, np.float32)
        binding = session.io_binding()
        held = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in (x, y)]
        binding.bind_ortvalue_input(source, held[0])
        binding.bind_ortvalue_output(target.name, held[1])

        def run_bound() -> None:
            session.run_with_iobinding(binding)

        def bound() -> list[Array]:
            run_bound()
            return onnx_models.outputs(case, held[1].numpy())

        return {
            "": lambda: Variant(run, lambda: onnx_models.outputs(case, run()[0])),
            "bound buffers": lambda: Variant(run_bound, bound),
        }
