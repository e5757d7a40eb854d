// How branches of a network come together: sums, and channels side by side.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/shapes.h"

namespace pyconv {

// y = act(a + b); y may be a or b.
void add_forward(int64_t n, const float* a, const float* b, Activation activation, float* y);

// An array (rows, c).
template <class T>
struct Columns {
    T* data;
    int64_t c;
};

// y (rows, sum of c) = all xs side by side
void concat_forward(int64_t rows, const std::vector<Columns<const float>>& xs, float* y);
// The reverse.
void concat_backward(int64_t rows, const float* dy, const std::vector<Columns<float>>& dxs);

}  // namespace pyconv
