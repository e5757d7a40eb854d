// Means whose weights fall with the distance and with the difference of colours.
// Part of kernels.cpp.
#pragma once

#include "simd/filters.h"

namespace pyconv::simd {
namespace {

// 2^x for x <= 0, within 2e-7 of it; x below -126 as -126.
PYCONV_INLINE Floats exp2_down(Floats x) {
    const Floats least = Floats{} - 126.f;
    x = x > least ? x : least;
    const Floats shifted = x + 12582912.f;  // ends in the nearest integer (see `rounded`)
    const Floats f = x - (shifted - 12582912.f);
    // Taylor's series of 2^f for |f| <= 1/2
    Floats p = Floats{} + 1.5403530e-4f;
    p = p * f + 1.3333558e-3f;
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.f;
    const Ints bits = load_of<Ints>(&p) + (load_of<Ints>(&shifted) << 23);
    return load_of<Floats>(&bits);
}

template <int kChannels>
void bilateral_row(int64_t n, int count, const float* const* x, const int64_t* offsets,
                   const float* space, float colour, float* const* y) {
    for (int64_t j = 0; j < n; j += kLanes) {
        Floats centre[kChannels], sum[kChannels], weights = {};
        PYCONV_UNROLL
        for (int k = 0; k < kChannels; ++k) {
            centre[k] = load_of<Floats>(x[k] + j);
            sum[k] = Floats{};
        }
        for (int t = 0; t < count; ++t) {
            Floats value[kChannels], distance = {};
            PYCONV_UNROLL
            for (int k = 0; k < kChannels; ++k) {
                value[k] = load_of<Floats>(x[k] + j + offsets[t]);
                const Floats d = value[k] - centre[k];
                distance += d > -d ? d : -d;
            }
            const Floats weight = exp2_down(distance * distance * colour + space[t]);
            weights += weight;
            PYCONV_UNROLL
            for (int k = 0; k < kChannels; ++k) sum[k] += weight * value[k];
        }
        PYCONV_UNROLL
        for (int k = 0; k < kChannels; ++k) {
            const Floats mean = sum[k] / weights;
            __builtin_memcpy(y[k] + j, &mean, sizeof mean);
        }
    }
}

void any_bilateral_row(int channels, int64_t n, int count, const float* const* x,
                       const int64_t* offsets, const float* space, float colour, float* const* y) {
    if (channels == 1) return bilateral_row<1>(n, count, x, offsets, space, colour, y);
    bilateral_row<3>(n, count, x, offsets, space, colour, y);
}

}  // namespace
}  // namespace pyconv::simd
