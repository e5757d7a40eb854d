// Convolution with few output channels, which would fill a small part of a vector. The products
// of one pixel with all taps, side by side, fill whole ones: a 1x1 convolution with kh * kw * oc
// outputs, whose parts are moved and added (kn2row: Vasudevan et al., "Parallel multi channel
// convolution using general matrix multiplication", 2017).
#pragma once

#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

// Whether this convolution and its filter gradient take fewer vectors so.
bool uses_kn2row(const Conv2dShape& s);

// As in conv2d.h, where uses_kn2row(s). The filters are rearranged first, into `workspace`.
const float* kn2row_filters(const Conv2dShape& s, const float* w, Workspace& workspace);
void kn2row_forward(const Conv2dShape& s, int64_t images, const float* x, const float* filters,
                    const float* b, Activation activation, float* y);
void kn2row_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
