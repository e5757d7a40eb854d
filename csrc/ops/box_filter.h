#pragma once

#include "ops/filter_shape.h"

namespace pyconv {

// x (h, w, c) -> y (oh, ow, c): the sum of each window, over its number of cells where `mean`.
void box_filter(const FilterShape& s, const float* x, bool mean, float* y);

// The sums are exact; a mean is rounded as OpenCV does it, half up for at most 256 cells, a power
// of two excepted; a sum above 255 gives 255. At most 2^23 cells.
void box_filter(const FilterShape& s, const uint8_t* x, bool mean, uint8_t* y);

}  // namespace pyconv
