// Rows of windows whose cells are weighted channel by channel and added up.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// With the number of taps as a constant the pointers, and weights or sums, stay in registers.
template <int kTaps>
void weighted_windows(const WindowRow& w, const float* const* taps, const float* const* weights,
                      const float* bias, float* y, int flags) {
    each_vector(w.c, [&](int64_t i, auto at) {
        const Vec start = bias ? at.load(bias + i) : Vec::zero();
        const float* x[kTaps];
        Vec weight[kTaps];
        PYCONV_UNROLL
        for (int t = 0; t < kTaps; ++t) {
            x[t] = taps[t] + i;
            weight[t] = at.load(weights[t] + i);
        }
        for (int64_t p = 0, offset = 0; p < w.windows; ++p, offset += w.step) {
            Vec sum = start;
            PYCONV_UNROLL
            for (int t = 0; t < kTaps; ++t)
                sum = Vec::fmadd(at.load(x[t] + offset), weight[t], sum);
            at.store(flags & kRelu ? Vec::relu(sum) : sum, y + p * w.c + i);
        }
    });
}

void any_weighted_windows(const WindowRow& w, const float* const* taps, const float* const* weights,
                          const float* bias, float* y, int flags) {
    if (w.count == 9) return weighted_windows<9>(w, taps, weights, bias, y, flags);
    each_vector(w.c, [&](int64_t i, auto at) {
        const Vec start = bias ? at.load(bias + i) : Vec::zero();
        for (int64_t p = 0; p < w.windows; ++p) {
            Vec sum = start;
            for (int t = 0; t < w.count; ++t)
                sum = Vec::fmadd(at.load(taps[t] + p * w.step + i), at.load(weights[t] + i), sum);
            at.store(flags & kRelu ? Vec::relu(sum) : sum, y + p * w.c + i);
        }
    });
}

}  // namespace
}  // namespace pyconv::simd
