// 2-D convolution (cross-correlation, as deep-learning libraries have it) and its gradients.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

// x (n, h, w, c), w (kh, kw, c / groups, oc), b (oc,) or null -> y (n, oh, ow, oc)
void conv2d_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                    Activation activation, float* y);

// dy (n, oh, ow, oc), w -> dx (n, h, w, c)
void conv2d_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx);

// x, dy -> dw (kh, kw, c / groups, oc)
void conv2d_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
