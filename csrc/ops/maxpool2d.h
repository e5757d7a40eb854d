// Max pooling: the first maximum in scan order wins, NaN propagates, padding is -inf.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

// x (n, h, w, c) -> y (n, oh, ow, c), and, where winners (n, oh, ow, c) is not null, which cell of
// its window each result is, in scan order over the cells that lie in the image.
void maxpool2d_forward(const WindowShape& s, const float* x, float* y, float* winners = nullptr);
// The gradient of x from winners: dy (n, oh, ow, c) -> dx (n, h, w, c)
void maxpool2d_unpool(const WindowShape& s, const float* winners, const float* dy, float* dx);
// x, dy (n, oh, ow, c) -> dx (n, h, w, c)
void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx);

}  // namespace pyconv
