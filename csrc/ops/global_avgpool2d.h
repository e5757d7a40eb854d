// Mean over the pixels of each image.
#pragma once

#include <cstdint>

namespace pyconv {

// x (n, pixels, c) -> y (n, c)
void global_avgpool2d_forward(int64_t n, int64_t pixels, int64_t c, const float* x, float* y);
// dy (n, c) -> dx (n, pixels, c)
void global_avgpool2d_backward(int64_t n, int64_t pixels, int64_t c, const float* dy, float* dx);

}  // namespace pyconv
