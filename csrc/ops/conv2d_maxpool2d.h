// Convolution and the max pooling that follows it, in one pass over memory.
#pragma once

#include "ops/conv2d.h"
#include "ops/shapes.h"

namespace pyconv {

// x, w, b as in conv2d.h -> y (n, ph, pw, oc), the pooled result; winners as in maxpool2d.h, or
// null. The result of the convolution itself is never written to memory as a whole.
void conv2d_maxpool2d_forward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                              const float* w, const float* b, Activation activation, float* y,
                              float* winners);

// The gradients of both from that of the pooled result, dy (n, ph, pw, oc), and what the forward
// pass left: y, read for ReLU, and winners. -> dx, dw as in conv2d.h, db (oc,); each may be null.
// The gradient of the maps between the two is never in memory as a whole, but for a few images.
void conv2d_maxpool2d_backward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                               const float* w, Activation activation, const float* y,
                               const float* winners, const float* dy, float* dx, float* dw,
                               float* db);

// The forward pass for conv.n images with filters that are packed already.
void pooled_forward(const Conv2dForward& forward, const Conv2dShape& conv, const WindowShape& pool,
                    const float* x, float* y, float* winners);

}  // namespace pyconv
