#include "ops/dense.h"

#include "ops/gemm.h"
#include "ops/gemm_outer.h"

namespace pyconv {

void dense_forward(const DenseShape& s, const float* x, const float* w, const float* b,
                   Activation activation, float* y) {
    gemm({s.n, s.units, s.in, x, s.in, w, s.units, false, b, activation, y, s.units});
}

void dense_backward_input(const DenseShape& s, const float* dy, const float* w, float* dx) {
    gemm({s.n, s.in, s.units, dy, s.units, w, s.units, true, nullptr, Activation::kLinear, dx,
          s.in});
}

void dense_backward_weights(const DenseShape& s, const float* x, const float* dy, float* dw) {
    gemm_outer(s.in, s.units, s.n, x, dy, dw);
}

}  // namespace pyconv
