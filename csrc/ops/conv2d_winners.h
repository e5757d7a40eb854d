// Gradients of a convolution and the max pooling of 2x2 windows that follows it, from the cells
// that won: three cells in four have no gradient, nor has a window that ReLU cut off, and neither
// is multiplied.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

// Whether winners_backward takes these shapes, and is the fastest way.
bool winners_pay(const Conv2dShape& conv, const WindowShape& pool);

// As conv2d_maxpool2d_backward.
void winners_backward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                      const float* w, Activation activation, const float* y, const float* winners,
                      const float* dy, float* dx, float* dw, float* db);

}  // namespace pyconv
