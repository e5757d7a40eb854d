// Input gradient for few input channels, which would leave most of a tile's columns empty: one
// product gives each pixel's contributions to all cells of its window, which are then added up.
#pragma once

#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

bool scatter_pays(const Conv2dShape& s);

// As in conv2d.h, for s.groups = 1. The filters are packed first, into `workspace`.
const float* scatter_filters(const Conv2dShape& s, const float* w, Workspace& workspace);
void scatter_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                            const float* filters, float* dx);

}  // namespace pyconv
