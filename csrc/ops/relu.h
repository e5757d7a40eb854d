// max(x, 0); NaN stays NaN.
#pragma once

#include <cstdint>

namespace pyconv {

void relu_forward(int64_t n, const float* x, float* y);
// dx = dy where y > 0 (or NaN), else 0. dx may be dy.
void relu_backward(int64_t n, const float* y, const float* dy, float* dx);

}  // namespace pyconv
