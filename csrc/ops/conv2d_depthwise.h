// Convolution in which each channel has one filter of its own (groups = channels = filters):
// memory-bound, so that vectors run over channels and nothing is packed.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

bool is_depthwise(const Conv2dShape& s);
// Whether the input gradient is a convolution of dy with the filters turned by half a turn.
bool turned_depthwise(const Conv2dShape& s);

// As in conv2d.h, where is_depthwise(s): w and dw are (kh, kw, 1, c).
void depthwise_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                       Activation activation, float* y);
void depthwise_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx);
void depthwise_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
