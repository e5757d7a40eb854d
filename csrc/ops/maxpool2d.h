// Max pooling: the first maximum in scan order wins, NaN propagates, padding is -inf.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

// x (n, h, w, c) -> y (n, oh, ow, c)
void maxpool2d_forward(const WindowShape& s, const float* x, float* y);
// x, dy (n, oh, ow, c) -> dx (n, h, w, c)
void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx);

}  // namespace pyconv
