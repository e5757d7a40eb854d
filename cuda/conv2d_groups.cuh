// Convolutions of many small groups, depthwise ones among them. As products their tiles would be
// mostly empty; here a thread has one value of the result, and a warp 32 neighbouring channels.
#pragma once

#include "ops/shapes.h"

namespace pyconv::cuda {

// Whether the tile of a product would be half empty.
inline bool has_small_groups(const Conv2dShape& s) {
    return s.groups > 1 && (s.group_c() < 16 || s.group_oc() < 16);
}

void grouped_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                     Activation activation, float* y);
void grouped_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx);
void grouped_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv::cuda
