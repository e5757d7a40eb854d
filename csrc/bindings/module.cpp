// The Python module of a backend: one function an operation, declared in pyconv/_cpu.pyi.

#include "bindings/bindings.h"

namespace pyconv {

PYBIND11_MODULE(PYCONV_MODULE, m) {
    bind_runtime(m);
    bind_conv2d(m);
    bind_pool2d(m);
    bind_dense(m);
    bind_elementwise(m);
    bind_softmax(m);
    bind_optimizers(m);
    bind_data(m);
}

}  // namespace pyconv
