// Average pooling: the mean of a window's cells, those of the padding not counted.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

// x (n, h, w, c) -> y (n, oh, ow, c)
void avgpool2d_forward(const WindowShape& s, const float* x, float* y);
// dy (n, oh, ow, c) -> dx (n, h, w, c)
void avgpool2d_backward(const WindowShape& s, const float* dy, float* dx);

}  // namespace pyconv
