// Dropout of a recorded step, which has another part of the random stream at each launch.
#pragma once

#include <cstdint>

namespace pyconv {

// As dropout(), with the offset in memory of the device.
void dropout_at(int64_t n, const float* x, double rate, uint64_t seed, const uint64_t* place,
                float* y);

}  // namespace pyconv
