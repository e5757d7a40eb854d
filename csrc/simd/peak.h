// What the machine can do at most: loops that do nothing but arithmetic or memory traffic.
// Compiled once for each instruction set, as kernels.h says.
#pragma once

#include <stdint.h>

namespace pyconv::simd {

struct Peak {
    const char* isa;
    int64_t flops_per_round;
    // Independent chains of multiplications and additions in registers.
    void (*arithmetic)(int64_t rounds, float* sink);
    // y = a + 0.5 * b: two streams in, one out.
    void (*triad)(int64_t n, const float* a, const float* b, float* y);
};

}  // namespace pyconv::simd
