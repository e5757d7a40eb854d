// Local response normalization across channels. x, y, dy, dx (rows, c).
#pragma once

#include <cstdint>

#include "simd/kernels.h"

namespace pyconv {

using LrnParams = simd::LrnParams;

// y[j] = x[j] * d[j]^-beta, d[j] = bias + alpha * the sum of squares of x[j - radius] to
// x[j + radius], of those that there are.
void lrn_forward(int64_t rows, int64_t c, const LrnParams& p, const float* x, float* y);

// dx may be dy.
void lrn_backward(int64_t rows, int64_t c, const LrnParams& p, const float* x, const float* dy,
                  float* dx);

}  // namespace pyconv
