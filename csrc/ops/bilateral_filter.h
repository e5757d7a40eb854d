#pragma once

#include "ops/filter_shape.h"

namespace pyconv {

struct BilateralParams {
    int64_t radius;
    double sigma_colour, sigma_space;  // above 0
};

// x (h, w, c) -> y, c 1 or 3: the mean of the pixels within `radius`, each with the weight
// exp(-r^2 / (2 sigma_space^2) - d^2 / (2 sigma_colour^2)), r the distance, d the sum of the
// channels' differences. s has windows of 2 radius + 1 cells. y has x's type.
void bilateral_filter(const FilterShape& s, const BilateralParams& p, const void* x, PixelType type,
                      void* y);

}  // namespace pyconv
