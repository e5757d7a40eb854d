// Input gradient for few input channels, which would leave most of a tile's columns empty: one
// product gives each pixel's contributions to all cells of its window, which are then added up.
#pragma once

#include "ops/shapes.h"

namespace pyconv {

bool scatter_pays(const Conv2dShape& s);

// As in conv2d.h, for s.groups = 1.
void scatter_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx);

}  // namespace pyconv
