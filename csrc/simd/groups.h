// Convolution of many small groups: inputs are spread so that each lane holds what its output
// channel meets, and vectors run over the outputs of several groups.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

void spread(int64_t pixels, const float* src, int64_t step, int64_t span, int64_t readable,
            int count, const int* index, float* dst) {
    if (span > kLanes) {
        for (int64_t p = 0; p < pixels; ++p, src += step)
            for (int i = 0; i < count * kLanes; ++i) *dst++ = src[index[i]];
        return;
    }
    const auto run = [&](auto at) {
        for (int64_t p = 0; p < pixels; ++p, src += step) {
            const Vec values = at.load(src);
            if (!index) {
                values.store(dst);
                dst += kLanes;
                continue;
            }
            for (int i = 0; i < count; ++i, dst += kLanes)
                Vec::permute(values, index + i * kLanes).store(dst);
        }
    };
    if (readable >= kLanes) {
        run(Whole{});
    } else {
        run(Part{readable});
    }
}

// kWindows windows side by side share each vector of weights.
template <int kWindows, class Access>
void spread_windows(Access at, int count, const float* x, int64_t x_step, const int64_t* offsets,
                    const float* weights, const float* bias, float* y, int64_t y_step, int flags) {
    Vec sum[kWindows];
    PYCONV_UNROLL
    for (int i = 0; i < kWindows; ++i) sum[i] = bias ? at.load(bias) : Vec::zero();
    for (int t = 0; t < count; ++t) {
        const Vec weight = Vec::load(weights + t * kLanes);
        const float* from = x + offsets[t];
        PYCONV_UNROLL
        for (int i = 0; i < kWindows; ++i)
            sum[i] = Vec::fmadd(Vec::load(from + i * x_step), weight, sum[i]);
    }
    PYCONV_UNROLL
    for (int i = 0; i < kWindows; ++i)
        at.store(flags & kRelu ? Vec::relu(sum[i]) : sum[i], y + i * y_step);
}

constexpr int kMostWindows = 8;

template <int kWindows, class Access>
void windows_of(int wanted, Access at, int64_t windows, int count, const float* x, int64_t x_step,
                const int64_t* offsets, const float* weights, const float* bias, float* y,
                int64_t y_step, int flags) {
    if constexpr (kWindows > 1) {
        if (wanted < kWindows)
            return windows_of<kWindows - 1>(wanted, at, windows, count, x, x_step, offsets, weights,
                                            bias, y, y_step, flags);
    }
    // The last block begins earlier where windows do not fill it: some are computed twice.
    for (int64_t done = 0; done < windows; done += kWindows) {
        const int64_t p = done + kWindows <= windows ? done : windows - kWindows;
        spread_windows<kWindows>(at, count, x + p * x_step, x_step, offsets, weights, bias,
                                 y + p * y_step, y_step, flags);
    }
}

void any_spread_windows(int64_t windows, int n, int count, const float* x, int64_t x_step,
                        const int64_t* offsets, const float* weights, const float* bias, float* y,
                        int64_t y_step, int flags) {
    const int64_t blocks = (windows + kMostWindows - 1) / kMostWindows;
    const int each = static_cast<int>((windows + blocks - 1) / blocks);
    const auto run = [&](auto at) {
        windows_of<kMostWindows>(each, at, windows, count, x, x_step, offsets, weights, bias, y,
                                 y_step, flags);
    };
    if (n == kLanes) {
        run(Whole{});
    } else {
        run(Part{n});
    }
}

// Channels innermost: a few pixels' lines are read one after the other, and all in a cache.
template <int kWindows>
void depthwise_of(int wanted, int64_t windows, int64_t c, int count, const float* x, int64_t x_step,
                  const int64_t* offsets, const float* weights, int64_t stride, const float* bias,
                  float* y, int64_t y_step, int flags) {
    if constexpr (kWindows > 1) {
        if (wanted < kWindows)
            return depthwise_of<kWindows - 1>(wanted, windows, c, count, x, x_step, offsets,
                                              weights, stride, bias, y, y_step, flags);
    }
    for (int64_t done = 0; done < windows; done += kWindows) {
        const int64_t p = done + kWindows <= windows ? done : windows - kWindows;
        for (int64_t i = 0; i < c; i += kLanes)
            spread_windows<kWindows>(Whole{}, count, x + p * x_step + i, x_step, offsets,
                                     weights + i * stride, bias ? bias + i : nullptr,
                                     y + p * y_step + i, y_step, flags);
    }
}

void depthwise_windows(int64_t windows, int64_t c, int count, const float* x, int64_t x_step,
                       const int64_t* offsets, const float* weights, int64_t stride,
                       const float* bias, float* y, int64_t y_step, int flags) {
    const int64_t blocks = (windows + kMostWindows - 1) / kMostWindows;
    const int each = static_cast<int>((windows + blocks - 1) / blocks);
    depthwise_of<kMostWindows>(each, windows, c, count, x, x_step, offsets, weights, stride, bias,
                               y, y_step, flags);
}

template <int kTerms, class Access>
void spread_backward(Access at, const PixelWalk& walk, const float* a, const int64_t* offsets,
                     const float* b, float* sums) {
    Vec sum[kTerms];
    PYCONV_UNROLL
    for (int t = 0; t < kTerms; ++t) sum[t] = Vec::load(sums + t * kLanes);
    for (int64_t row = 0; row < walk.rows; ++row) {
        const float* from[kTerms];
        PYCONV_UNROLL
        for (int t = 0; t < kTerms; ++t) from[t] = a + row * walk.a_row + offsets[t];
        const float* grads = b + row * walk.b_row;
        for (int64_t col = 0, at_a = 0; col < walk.cols; ++col, at_a += walk.a_col) {
            const Vec grad = at.load(grads + col * walk.b_col);
            PYCONV_UNROLL
            for (int t = 0; t < kTerms; ++t)
                sum[t] = Vec::fmadd(Vec::load(from[t] + at_a), grad, sum[t]);
        }
    }
    PYCONV_UNROLL
    for (int t = 0; t < kTerms; ++t) sum[t].store(sums + t * kLanes);
}

// As many as have their pointers in registers, and the taps of a 3x3 filter.
constexpr int kMostTerms = 9;

template <int kTerms, class Access>
void terms_of(int wanted, Access at, int count, const PixelWalk& walk, const float* a,
              const int64_t* offsets, const float* b, float* sums) {
    if constexpr (kTerms > 1) {
        if (wanted < kTerms)
            return terms_of<kTerms - 1>(wanted, at, count, walk, a, offsets, b, sums);
    }
    int t = 0;
    for (; t + kTerms <= count; t += kTerms)
        spread_backward<kTerms>(at, walk, a, offsets + t, b, sums + t * kLanes);
    if constexpr (kTerms > 1) {
        if (t < count)
            terms_of<kTerms - 1>(count - t, at, count - t, walk, a, offsets + t, b,
                                 sums + t * kLanes);
    }
}

void any_spread_backward(int n, int count, const PixelWalk& walk, const float* a,
                         const int64_t* offsets, const float* b, float* sums) {
    const int blocks = (count + kMostTerms - 1) / kMostTerms;
    const int each = (count + blocks - 1) / blocks;
    if (n == kLanes) {
        terms_of<kMostTerms>(each, Whole{}, count, walk, a, offsets, b, sums);
    } else {
        terms_of<kMostTerms>(each, Part{n}, count, walk, a, offsets, b, sums);
    }
}

}  // namespace
}  // namespace pyconv::simd
