// Inverted dropout with a counter-based generator: forward and gradient are the same call.
#pragma once

#include <cstdint>

namespace pyconv {

// y = x / (1 - rate) where kept, else 0; element i is kept or not by (seed, offset + i) alone.
void dropout(int64_t n, const float* x, double rate, uint64_t seed, uint64_t offset, float* y);

}  // namespace pyconv
