// The limits of this machine, on the active instruction set and all threads; for benchmarks.
#pragma once

#include <cstdint>

namespace pyconv {

// Multiplies and adds in registers; returns how many operations all threads did.
int64_t peak_arithmetic(int64_t rounds);

// y = a + 0.5 * b, each (n,).
void peak_triad(int64_t n, const float* a, const float* b, float* y);

}  // namespace pyconv
