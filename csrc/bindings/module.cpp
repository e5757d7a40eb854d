// The Python module of a backend: one function an operation, declared in pyconv/_cpu.pyi.

#include <exception>
#include <new>

#include "bindings/bindings.h"

namespace pyconv {

PYBIND11_MODULE(PYCONV_MODULE, m) {
    py::register_local_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::bad_alloc&) {
            PyErr_SetString(PyExc_MemoryError, "pyconv: not enough memory for the workspace");
        }
    });
    bind_runtime(m);
    bind_conv2d(m);
    bind_pool2d(m);
    bind_dense(m);
    bind_batchnorm(m);
    bind_elementwise(m);
    bind_merge(m);
    bind_lrn(m);
    bind_softmax(m);
    bind_optimizers(m);
    bind_data(m);
    bind_peak(m);
    bind_trace(m);
}

}  // namespace pyconv
