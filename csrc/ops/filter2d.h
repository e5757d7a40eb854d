#pragma once

#include "ops/filter_shape.h"

namespace pyconv {

// x (h, w, c) of uint8 or float32 -> y (oh, ow, c) of any type: delta plus the sum over each window
// of its values times kernel (kh, kw). In float32 one product after the other is added, as the
// convolution of one channel does.
void filter2d(const FilterShape& s, const void* x, PixelType x_type, const float* kernel,
              float delta, void* y, PixelType y_type);

}  // namespace pyconv
