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

template <int kNumber>
struct Vecs {
    static constexpr int kCount = kNumber;
};

void column_moments(int64_t rows, int64_t cols, const float* x, int64_t ld, float* mean,
                    float* m2) {
    int64_t j = 0;
    for (; j + kMomentVecs * kLanes <= cols; j += kMomentVecs * kLanes)
        moments_of<kMomentVecs>(Whole{}, rows, x + j, ld, mean + j, m2 + j);
    for (; j + kLanes <= cols; j += kLanes)
        moments_of<1>(Whole{}, rows, x + j, ld, mean + j, m2 + j);
    if (j < cols) moments_of<1>(Part{cols - j}, rows, x + j, ld, mean + j, m2 + j);
}

template <bool kAdd, bool kRectify>
void normalize(int64_t rows, int64_t cols, const float* x, const float* mean, const float* scale,
               const float* shift, const float* addend, float* y) {
    for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
        each_vector(cols, [&](int64_t j, auto at) {
            Vec value = Vec::fmadd(at.load(x + j) - at.load(mean + j), at.load(scale + j),
                                   at.load(shift + j));
            if constexpr (kAdd) value = value + at.load(addend + j);
            if constexpr (kRectify) value = Vec::relu(value);
            at.store(value, y + j);
        });
        if constexpr (kAdd) addend += cols;
    }
}

void normalize_rows(int64_t rows, int64_t cols, const float* x, const float* mean,
                    const float* scale, const float* shift, const float* addend, float* y,
                    int flags) {
    const bool rectify = flags & kRelu;
    const auto run = addend ? (rectify ? normalize<true, true> : normalize<true, false>)
                            : (rectify ? normalize<false, true> : normalize<false, false>);
    run(rows, cols, x, mean, scale, shift, addend, y);
}

template <int kVecs, bool kRectified, class Access>
PYCONV_INLINE void products_of(Access at, int64_t rows, int64_t ld, const float* x,
                               const float* mean, const float* y, float* dy, float* sums,
                               float* products) {
    Vec sum[kVecs], product[kVecs], center[kVecs];
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        sum[v] = product[v] = Vec::zero();
        center[v] = at.load(mean + v * kLanes);
    }
    for (int64_t r = 0; r < rows; ++r, x += ld, dy += ld) {
        PYCONV_UNROLL
        for (int v = 0; v < kVecs; ++v) {
            Vec grad = at.load(dy + v * kLanes);
            if constexpr (kRectified) {
                const auto off = Vec::not_positive(at.load(y + v * kLanes));
                grad = Vec::select(off, Vec::zero(), grad);
                at.store(grad, dy + v * kLanes);
            }
            sum[v] = sum[v] + grad;
            product[v] = Vec::fmadd(grad, at.load(x + v * kLanes) - center[v], product[v]);
        }
        if constexpr (kRectified) y += ld;
    }
    PYCONV_UNROLL
    for (int v = 0; v < kVecs; ++v) {
        at.store(sum[v], sums + v * kLanes);
        at.store(product[v], products + v * kLanes);
    }
}

template <bool kRectified>
void all_column_products(int64_t rows, int64_t cols, const float* x, const float* mean,
                         const float* y, float* dy, float* sums, float* products) {
    const auto run = [&](auto vecs, auto at, int64_t j) {
        products_of<decltype(vecs)::kCount, kRectified>(at, rows, cols, x + j, mean + j,
                                                        kRectified ? y + j : nullptr, dy + j,
                                                        sums + j, products + j);
    };
    int64_t j = 0;
    for (; j + kMomentVecs * kLanes <= cols; j += kMomentVecs * kLanes)
        run(Vecs<kMomentVecs>{}, Whole{}, j);
    for (; j + kLanes <= cols; j += kLanes) run(Vecs<1>{}, Whole{}, j);
    if (j < cols) run(Vecs<1>{}, Part{cols - j}, j);
}

void column_products(int64_t rows, int64_t cols, const float* x, const float* mean, const float* y,
                     float* dy, float* sums, float* products) {
    const auto run = y ? all_column_products<true> : all_column_products<false>;
    run(rows, cols, x, mean, y, dy, sums, products);
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
