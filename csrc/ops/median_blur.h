#pragma once

#include "ops/filter_shape.h"

namespace pyconv {

// x (h, w, c) -> y (h, w, c): the median of each window of k x k values, k odd; beyond the edges
// their values go on.
void median_blur(int64_t h, int64_t w, int64_t c, int64_t k, const uint8_t* x, uint8_t* y);
void median_blur(int64_t h, int64_t w, int64_t c, int64_t k, const float* x, float* y);

}  // namespace pyconv
