// Results that the third cache does not hold: a store then waits for memory, and loads wait for
// stores that might be to their address, so that kernels ask for the lines before they write them.
#pragma once

#include <cstdint>

namespace pyconv {

constexpr int64_t kFarFloats = 1 << 22;  // below, asking costs more than it saves

inline bool is_far(int64_t floats) { return floats >= kFarFloats; }

}  // namespace pyconv
