// Gradient of a bias.
#pragma once

#include <cstdint>

namespace pyconv {

// dy (rows, c) -> db (c,), the sum over rows
void bias_backward(int64_t rows, int64_t c, const float* dy, float* db);

}  // namespace pyconv
