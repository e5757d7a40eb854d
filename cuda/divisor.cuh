// Division by a number that is known before the launch, as a multiplication (Granlund and
// Montgomery, "Division by invariant integers using multiplication", 1994).
#pragma once

#include <cstdint>

#include "launch.cuh"

namespace pyconv::cuda {

struct Divisor {
    uint32_t divisor = 1, factor = 1, shift = 0;

    Divisor() = default;
    explicit Divisor(int64_t d) : divisor(static_cast<uint32_t>(d)) {
        while ((uint64_t{1} << shift) < divisor) ++shift;
        factor = static_cast<uint32_t>((((uint64_t{1} << shift) - divisor) << 32) / divisor + 1);
    }

    // n / divisor, for n from 0 to 2^31 - 1
    __device__ __forceinline__ int quotient(int n) const {
        const auto value = static_cast<uint32_t>(n);
        return static_cast<int>((__umulhi(value, factor) + value) >> shift);
    }
    // The rest too.
    __device__ __forceinline__ int divide(int n, int& rest) const {
        const int q = quotient(n);
        rest = n - q * static_cast<int>(divisor);
        return q;
    }
};

}  // namespace pyconv::cuda
