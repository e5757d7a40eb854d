// Passes of batch normalization over rows of channels.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// kVecs vectors of columns side by side: a line of the cache is read once.
template <int kVecs, class Access>
PYCONV_INLINE void moments_of(Access at, int64_t rows, const float* x, int64_t ld, float* mean,
                              float* m2) {
    Vec first[kVecs], sum[kVecs], center[kVecs], left[kVecs], square[kVecs];
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        first[v] = at.load(x + v * kLanes);
        sum[v] = left[v] = square[v] = Vec::zero();
    }
    const float* p = x;
    for (int64_t r = 0; r < rows; ++r, p += ld) {
        PYCONV_UNROLL
        for (int v = 0; v < kVecs; ++v) sum[v] = sum[v] + (at.load(p + v * kLanes) - first[v]);
    }
    const Vec count = Vec::set1(static_cast<float>(rows));
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) center[v] = first[v] + sum[v] / count;
    p = x;
    for (int64_t r = 0; r < rows; ++r, p += ld) {
        PYCONV_UNROLL
        for (int v = 0; v < kVecs; ++v) {
            const Vec off = at.load(p + v * kLanes) - center[v];
            // What rounding left of the mean.
            left[v] = left[v] + off;
            square[v] = Vec::fmadd(off, off, square[v]);
        }
    }
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        at.store((center[v] - first[v]) + left[v] / count, mean + v * kLanes);
        at.store(square[v], m2 + v * kLanes);
    }
}

constexpr int kMomentVecs = 4;

void column_moments(int64_t rows, int64_t cols, const float* x, int64_t ld, float* mean,
                    float* m2) {
    int64_t j = 0;
    for (; j + kMomentVecs * kLanes <= cols; j += kMomentVecs * kLanes)
        moments_of<kMomentVecs>(Whole{}, rows, x + j, ld, mean + j, m2 + j);
    for (; j + kLanes <= cols; j += kLanes)
        moments_of<1>(Whole{}, rows, x + j, ld, mean + j, m2 + j);
    if (j < cols) moments_of<1>(Part{cols - j}, rows, x + j, ld, mean + j, m2 + j);
}

void normalize_rows(int64_t rows, int64_t cols, const float* x, const float* mean,
                    const float* scale, const float* shift, float* y) {
    for (int64_t r = 0; r < rows; ++r, x += cols, y += cols)
        each_vector(cols, [&](int64_t j, auto at) {
            at.store(Vec::fmadd(at.load(x + j) - at.load(mean + j), at.load(scale + j),
                                at.load(shift + j)),
                     y + j);
        });
}

template <int kVecs, class Access>
PYCONV_INLINE void products_of(Access at, int64_t rows, int64_t ld, const float* x,
                               const float* mean, const float* dy, float* sums, float* products) {
    Vec sum[kVecs], product[kVecs], center[kVecs];
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        sum[v] = product[v] = Vec::zero();
        center[v] = at.load(mean + v * kLanes);
    }
    for (int64_t r = 0; r < rows; ++r, x += ld, dy += ld) {
        PYCONV_UNROLL
        for (int v = 0; v < kVecs; ++v) {
            const Vec grad = at.load(dy + v * kLanes);
            sum[v] = sum[v] + grad;
            product[v] = Vec::fmadd(grad, at.load(x + v * kLanes) - center[v], product[v]);
        }
    }
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        at.store(sum[v], sums + v * kLanes);
        at.store(product[v], products + v * kLanes);
    }
}

void column_products(int64_t rows, int64_t cols, const float* x, const float* mean, const float* dy,
                     float* sums, float* products) {
    int64_t j = 0;
    for (; j + kMomentVecs * kLanes <= cols; j += kMomentVecs * kLanes)
        products_of<kMomentVecs>(Whole{}, rows, cols, x + j, mean + j, dy + j, sums + j,
                                 products + j);
    for (; j + kLanes <= cols; j += kLanes)
        products_of<1>(Whole{}, rows, cols, x + j, mean + j, dy + j, sums + j, products + j);
    if (j < cols)
        products_of<1>(Part{cols - j}, rows, cols, x + j, mean + j, dy + j, sums + j, products + j);
}

void normalize_backward(int64_t rows, int64_t cols, const float* x, const float* mean,
                        const float* dy, const float* of_dy, const float* of_x, const float* shift,
                        float* dx) {
    for (int64_t r = 0; r < rows; ++r, x += cols, dy += cols, dx += cols)
        each_vector(cols, [&](int64_t j, auto at) {
            const Vec centered = at.load(x + j) - at.load(mean + j);
            const Vec through = Vec::fmadd(centered, at.load(of_x + j), at.load(shift + j));
            at.store(Vec::fmadd(at.load(dy + j), at.load(of_dy + j), through), dx + j);
        });
}

}  // namespace
}  // namespace pyconv::simd
