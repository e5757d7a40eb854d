#pragma once

#include "ops/filter_shape.h"

namespace pyconv {

// x (h, w, c) -> y (oh, ow, c): the sum over each window of its values times rows (kh,) times
// cols (kw,). The columns' sums are taken first, then the rows'.
void gaussian_blur(const FilterShape& s, const float* x, const float* rows, const float* cols,
                   float* y);

// Weights are symmetric, of odd numbers, and add up to 256: the sums are exact, and rounded once.
void gaussian_blur(const FilterShape& s, const uint8_t* x, const uint16_t* rows,
                   const uint16_t* cols, uint8_t* y);

}  // namespace pyconv
