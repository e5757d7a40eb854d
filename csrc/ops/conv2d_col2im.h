// Input gradient for few input channels, which would leave most of a tile's columns empty: one
// product gives what each result adds to the cells of its window; each cell is the sum of these.
#pragma once

#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

bool col2im_pays(const Conv2dShape& s);

// As in conv2d.h, for s.groups = 1. The filters are packed first, into `workspace`.
const float* col2im_filters(const Conv2dShape& s, const float* w, Workspace& workspace);
void col2im_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                           const float* filters, float* dx);

}  // namespace pyconv
