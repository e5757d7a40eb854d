// Filters of images in float32: weighted sums over rows of interleaved channels.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// Rows of outputs that share each vector of inputs, and vectors of each: AVX-512 has registers for
// 16 accumulators, the others for 8.
constexpr int kFilterRows = kLanes == 16 ? 4 : 2;
constexpr int kFilterVecs = 4;
static_assert(kFilterRows <= kMaxFilterRows);

// Adds one row of inputs, times row i - r of the filter, to each row r of outputs. kAll: every r
// has such a row.
template <int R, int V, bool kAll>
PYCONV_INLINE void correlate_row(Vec (&acc)[R][V], int i, int kh, int kw, int64_t step,
                                 const float* x, const float* w) {
    for (int b = 0; b < kw; ++b, x += step) {
        Vec in[V];
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) in[v] = Vec::load(x + v * kLanes);
        PYCONV_UNROLL
        for (int r = 0; r < R; ++r) {
            if (!kAll && (i < r || i - r >= kh)) continue;
            const Vec weight = Vec::set1(w[(i - r) * kw + b]);
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[r][v] = Vec::fmadd(in[v], weight, acc[r][v]);
        }
    }
}

// kHeight: of the filter where it is known, else 0.
template <int R, int V, int kHeight, class Access>
PYCONV_INLINE void correlate_block(Access at, int64_t j, int kh, int kw, int64_t step,
                                   const float* const* x, const float* w, float start,
                                   float* const* y, int flags) {
    Vec acc[R][V];
    PYCONV_UNROLL
    for (int r = 0; r < R; ++r) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[r][v] = Vec::set1(start);
    }
    if constexpr (kHeight > 0) {
        PYCONV_UNROLL
        for (int i = 0; i < kHeight + R - 1; ++i)
            correlate_row<R, V, false>(acc, i, kHeight, kw, step, x[i] + j, w);
    } else {
        for (int i = 0; i < kh + R - 1; ++i) {
            if (i >= R - 1 && i < kh) {
                correlate_row<R, V, true>(acc, i, kh, kw, step, x[i] + j, w);
            } else {
                correlate_row<R, V, false>(acc, i, kh, kw, step, x[i] + j, w);
            }
        }
    }
    PYCONV_UNROLL
    for (int r = 0; r < R; ++r) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            float* to = y[r] + j + v * kLanes;
            at.store(flags & kAccumulate ? at.load(to) + acc[r][v] : acc[r][v], to);
        }
    }
}

template <int R, int kHeight>
void correlate(int64_t n, int kh, int kw, int64_t step, const float* const* x, const float* w,
               float start, float* const* y, int flags) {
    constexpr int V = kFilterVecs;
    int64_t j = 0;
    for (; j + V * kLanes <= n; j += V * kLanes)
        correlate_block<R, V, kHeight>(Whole{}, j, kh, kw, step, x, w, start, y, flags);
    for (; j + kLanes <= n; j += kLanes)
        correlate_block<R, 1, kHeight>(Whole{}, j, kh, kw, step, x, w, start, y, flags);
    if (j < n) correlate_block<R, 1, kHeight>(Part{n - j}, j, kh, kw, step, x, w, start, y, flags);
}

template <int R>
void correlate_of_rows(int rows, int64_t n, int kh, int kw, int64_t step, const float* const* x,
                       const float* w, float start, float* const* y, int flags) {
    if constexpr (R > 1) {
        if (rows < R) return correlate_of_rows<R - 1>(rows, n, kh, kw, step, x, w, start, y, flags);
    }
    if constexpr (R == kFilterRows) {
        if (kh == 3) return correlate<R, 3>(n, kh, kw, step, x, w, start, y, flags);
        if (kh == 5) return correlate<R, 5>(n, kh, kw, step, x, w, start, y, flags);
        if (kh == 7) return correlate<R, 7>(n, kh, kw, step, x, w, start, y, flags);
    }
    correlate<R, 0>(n, kh, kw, step, x, w, start, y, flags);
}

void any_correlate(int rows, int64_t n, int kh, int kw, int64_t step, const float* const* x,
                   const float* w, float start, float* const* y, int flags) {
    correlate_of_rows<kFilterRows>(rows, n, kh, kw, step, x, w, start, y, flags);
}

template <int V, class Access>
PYCONV_INLINE void sum_block(Access at, int count, const float* const* x, int64_t j, const float* w,
                             float divisor, float* y) {
    Vec acc[V];
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) acc[v] = Vec::zero();
    for (int t = 0; t < count; ++t) {
        const Vec weight = Vec::set1(w[t]);
        const float* from = x[t] + j;
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = Vec::fmadd(at.load(from + v * kLanes), weight, acc[v]);
    }
    if (divisor != 1.f) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = acc[v] / Vec::set1(divisor);
    }
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) at.store(acc[v], y + j + v * kLanes);
}

void weighted_sum(int count, int64_t n, const float* const* x, const float* w, float divisor,
                  float* y) {
    int64_t j = 0;
    for (; j + kFilterVecs * kLanes <= n; j += kFilterVecs * kLanes)
        sum_block<kFilterVecs>(Whole{}, count, x, j, w, divisor, y);
    for (; j + kLanes <= n; j += kLanes) sum_block<1>(Whole{}, count, x, j, w, divisor, y);
    if (j < n) sum_block<1>(Part{n - j}, count, x, j, w, divisor, y);
}

typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));

// The bits of x + 1.5 * 2^23 end in x, rounded to the nearest integer, ties to even. For Floats and
// for one float; NaN gives low.
template <class F, class I>
PYCONV_INLINE I rounded(F x, F low, F high) {
    x = x > low ? x : low;
    x = x < high ? x : high;
    x = x + 12582912.f;
    I bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

// y[i] = load(i) rounded; load gives Floats at i, or one float. Vectors by way of a buffer: the
// compiler knows how to make integers narrow, and not how to round.
template <class T, class Many, class One>
PYCONV_INLINE void round_all(int64_t n, float low, float high, T* __restrict y, const Many& many,
                             const One& one) {
    constexpr int kBlock = 4 * kLanes;
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
        int32_t bits[kBlock];
        PYCONV_UNROLL
        for (int v = 0; v < kBlock; v += kLanes) {
            const Ints in = rounded<Floats, Ints>(many(i + v), Floats{} + low, Floats{} + high);
            __builtin_memcpy(bits + v, &in, sizeof in);
        }
        for (int k = 0; k < kBlock; ++k) y[i + k] = static_cast<T>(bits[k]);
    }
    for (; i < n; ++i) y[i] = static_cast<T>(rounded<float, int32_t>(one(i), low, high));
}

template <class F, class T>
PYCONV_INLINE F load_of(const T* p) {
    F v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

void round_u8(int64_t n, const float* x, uint8_t* y) {
    round_all(
        n, 0.f, 255.f, y, [&](int64_t i) { return load_of<Floats>(x + i); },
        [&](int64_t i) { return x[i]; });
}

void round_i16(int64_t n, const float* x, int16_t* y) {
    round_all(
        n, -32768.f, 32767.f, y, [&](int64_t i) { return load_of<Floats>(x + i); },
        [&](int64_t i) { return x[i]; });
}

void scale_i32(int64_t n, const int32_t* x, float scale, uint8_t* y) {
    round_all(
        n, 0.f, 255.f, y,
        [&](int64_t i) { return __builtin_convertvector(load_of<Ints>(x + i), Floats) * scale; },
        [&](int64_t i) { return static_cast<float>(x[i]) * scale; });
}

}  // namespace
}  // namespace pyconv::simd
