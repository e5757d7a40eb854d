// Transforms of Winograd's F(2x2, 3x3): y = A' [(G w G') * (B' x B)] A
// (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015), and their adjoints.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

// One-dimensional transforms: kOut values from kIn.
struct FilterTransform {  // G
    static constexpr int kIn = 3, kOut = 4;
    static PYCONV_INLINE void apply(const Vec (&g)[3], Vec (&out)[4]) {
        const Vec half = Vec::set1(0.5f), sum = half * (g[0] + g[2]), middle = half * g[1];
        out[0] = g[0];
        out[1] = sum + middle;
        out[2] = sum - middle;
        out[3] = g[2];
    }
};

struct FilterAdjoint {  // G'
    static constexpr int kIn = 4, kOut = 3;
    static PYCONV_INLINE void apply(const Vec (&z)[4], Vec (&out)[3]) {
        const Vec half = Vec::set1(0.5f), sum = half * (z[1] + z[2]);
        out[0] = z[0] + sum;
        out[1] = half * (z[1] - z[2]);
        out[2] = sum + z[3];
    }
};

struct InputTransform {  // B'
    static constexpr int kIn = 4, kOut = 4;
    static PYCONV_INLINE void apply(const Vec (&d)[4], Vec (&out)[4]) {
        out[0] = d[0] - d[2];
        out[1] = d[1] + d[2];
        out[2] = d[2] - d[1];
        out[3] = d[1] - d[3];
    }
};

struct OutputTransform {  // A'
    static constexpr int kIn = 4, kOut = 2;
    static PYCONV_INLINE void apply(const Vec (&m)[4], Vec (&out)[2]) {
        out[0] = m[0] + m[1] + m[2];
        out[1] = m[1] - m[2] - m[3];
    }
};

struct OutputAdjoint {  // A
    static constexpr int kIn = 2, kOut = 4;
    static PYCONV_INLINE void apply(const Vec (&y)[2], Vec (&out)[4]) {
        out[0] = y[0];
        out[1] = y[0] + y[1];
        out[2] = y[0] - y[1];
        out[3] = Vec::zero() - y[1];
    }
};

// The transform of columns, then of rows: load(i, j) gives value (i, j), store(i, j, v) takes one.
template <class T, class Load, class Store>
PYCONV_INLINE void transform_2d(const Load& load, const Store& store) {
    Vec half[T::kOut][T::kIn];
    PYCONV_UNROLL
    for (int j = 0; j < T::kIn; ++j) {
        Vec column[T::kIn], out[T::kOut];
        PYCONV_UNROLL
        for (int i = 0; i < T::kIn; ++i) column[i] = load(i, j);
        T::apply(column, out);
        PYCONV_UNROLL
        for (int i = 0; i < T::kOut; ++i) half[i][j] = out[i];
    }
    PYCONV_UNROLL
    for (int i = 0; i < T::kOut; ++i) {
        Vec out[T::kOut];
        T::apply(half[i], out);
        PYCONV_UNROLL
        for (int j = 0; j < T::kOut; ++j) store(i, j, out[j]);
    }
}

// Between matrices of values whose (i, j) are `step` floats apart, for each of n positions.
template <class T>
void transform_planes(int64_t n, const float* x, int64_t x_step, float* y, int64_t y_step) {
    each_vector(n, [&](int64_t k, auto at) {
        transform_2d<T>(
            [&](int i, int j) { return at.load(x + (i * T::kIn + j) * x_step + k); },
            [&](int i, int j, Vec v) { at.store(v, y + (i * T::kOut + j) * y_step + k); });
    });
}

void winograd_filter(int64_t n, const float* w, int64_t w_step, float* u, int64_t u_step) {
    transform_planes<FilterTransform>(n, w, w_step, u, u_step);
}

void winograd_filter_backward(int64_t n, const float* du, int64_t du_step, float* dw,
                              int64_t dw_step) {
    transform_planes<FilterAdjoint>(n, du, du_step, dw, dw_step);
}

void winograd_input(int64_t c, const float* const* x, float* v, int64_t v_step, int64_t v_group) {
    each_vector(c, [&](int64_t k, auto at) {
        float* out = v + k / 16 * v_group + k % 16;
        transform_2d<InputTransform>(
            [&](int i, int j) { return at.load(x[i * 4 + j] + k); },
            [&](int i, int j, Vec value) { at.store(value, out + (i * 4 + j) * v_step); });
    });
}

void winograd_output(int64_t c, const float* m, int64_t m_step, const float* bias, float* const* y,
                     int flags) {
    each_vector(c, [&](int64_t k, auto at) {
        const Vec start = bias ? at.load(bias + k) : Vec::zero();
        transform_2d<OutputTransform>(
            [&](int i, int j) { return at.load(m + (i * 4 + j) * m_step + k); },
            [&](int i, int j, Vec value) {
                value = value + start;
                at.store(flags & kRelu ? Vec::relu(value) : value, y[i * 2 + j] + k);
            });
    });
}

void winograd_output_backward(int64_t c, const float* const* dy, float* dm, int64_t dm_step) {
    each_vector(c, [&](int64_t k, auto at) {
        transform_2d<OutputAdjoint>(
            [&](int i, int j) { return at.load(dy[i * 2 + j] + k); },
            [&](int i, int j, Vec value) { at.store(value, dm + (i * 4 + j) * dm_step + k); });
    });
}

}  // namespace
}  // namespace pyconv::simd
