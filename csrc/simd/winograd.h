// Transforms of Winograd's F(2x2, RxR) for filters of R = 2 and 3: y = A' [(G w G') * (B' x B)] A
// (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015), and their adjoints.
// Part of kernels.cpp.
#pragma once

#include "simd/pooling.h"

namespace pyconv::simd {
namespace {

// One-dimensional transforms: kOut values from kIn.
template <int R>
struct FilterTransform;  // G
template <int R>
struct FilterAdjoint;  // G'
template <int R>
struct InputTransform;  // B'
template <int R>
struct OutputTransform;  // A'
template <int R>
struct OutputAdjoint;  // A

template <>
struct FilterTransform<2> {
    static constexpr int kIn = 2, kOut = 3;
    static PYCONV_INLINE void apply(const Vec (&g)[2], Vec (&out)[3]) {
        out[0] = g[0];
        out[1] = g[0] + g[1];
        out[2] = g[1];
    }
};

template <>
struct FilterAdjoint<2> {
    static constexpr int kIn = 3, kOut = 2;
    static PYCONV_INLINE void apply(const Vec (&z)[3], Vec (&out)[2]) {
        out[0] = z[0] + z[1];
        out[1] = z[1] + z[2];
    }
};

template <>
struct InputTransform<2> {
    static constexpr int kIn = 3, kOut = 3;
    static PYCONV_INLINE void apply(const Vec (&d)[3], Vec (&out)[3]) {
        out[0] = d[0] - d[1];
        out[1] = d[1];
        out[2] = d[2] - d[1];
    }
};

template <>
struct OutputTransform<2> {
    static constexpr int kIn = 3, kOut = 2;
    static PYCONV_INLINE void apply(const Vec (&m)[3], Vec (&out)[2]) {
        out[0] = m[0] + m[1];
        out[1] = m[1] + m[2];
    }
};

template <>
struct OutputAdjoint<2> {
    static constexpr int kIn = 2, kOut = 3;
    static PYCONV_INLINE void apply(const Vec (&y)[2], Vec (&out)[3]) {
        out[0] = y[0];
        out[1] = y[0] + y[1];
        out[2] = y[1];
    }
};

template <>
struct FilterTransform<3> {
    static constexpr int kIn = 3, kOut = 4;
    static PYCONV_INLINE void apply(const Vec (&g)[3], Vec (&out)[4]) {
        const Vec half = Vec::set1(0.5f), sum = half * (g[0] + g[2]), middle = half * g[1];
        out[0] = g[0];
        out[1] = sum + middle;
        out[2] = sum - middle;
        out[3] = g[2];
    }
};

template <>
struct FilterAdjoint<3> {
    static constexpr int kIn = 4, kOut = 3;
    static PYCONV_INLINE void apply(const Vec (&z)[4], Vec (&out)[3]) {
        const Vec half = Vec::set1(0.5f), sum = half * (z[1] + z[2]);
        out[0] = z[0] + sum;
        out[1] = half * (z[1] - z[2]);
        out[2] = sum + z[3];
    }
};

template <>
struct InputTransform<3> {
    static constexpr int kIn = 4, kOut = 4;
    static PYCONV_INLINE void apply(const Vec (&d)[4], Vec (&out)[4]) {
        out[0] = d[0] - d[2];
        out[1] = d[1] + d[2];
        out[2] = d[2] - d[1];
        out[3] = d[1] - d[3];
    }
};

template <>
struct OutputTransform<3> {
    static constexpr int kIn = 4, kOut = 2;
    static PYCONV_INLINE void apply(const Vec (&m)[4], Vec (&out)[2]) {
        out[0] = m[0] + m[1] + m[2];
        out[1] = m[1] - m[2] - m[3];
    }
};

template <>
struct OutputAdjoint<3> {
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

// Calls visit(tile, whole) for the tiles of a row; `whole` is a constant that says that all
// `size` columns and rows of the tile lie in the image.
struct Yes {
    static constexpr bool value = true;
};
struct No {
    static constexpr bool value = false;
};

template <int size, class Pointer, class Visit>
void each_tile(const TileRow& row, Pointer const* rows, const Visit& visit) {
    bool all_rows = true;
    for (int i = 0; i < size; ++i) all_rows = all_rows && rows[i];
    for (int64_t t = 0; t < row.tiles; ++t) {
        const int64_t col = row.col + 2 * t;
        if (all_rows && col >= 0 && col + size <= row.width) {
            visit(t, Yes{});
        } else {
            visit(t, No{});
        }
    }
}

// Image values to planes: T is the input's transform, or the adjoint of the output's. Copies of
// what a loop reads stay in registers, where a store might be to the originals.
template <class T>
void transform_tiles(const TileRow& row, int64_t c, const float* const* rows, float* planes,
                     int64_t tile_step, int64_t plane_step, int64_t group_step) {
    each_tile<T::kIn>(row, rows, [&](int64_t t, auto whole) {
        const int64_t col = row.col + 2 * t, width = row.width, ld = row.ld;
        const int64_t size = c, plane = plane_step, group = group_step;
        float* const tile = planes + t * tile_step;
        const float* from[T::kIn];
        PYCONV_UNROLL
        for (int i = 0; i < T::kIn; ++i) from[i] = rows[i] ? rows[i] + col * ld : nullptr;
        each_vector(size, [&](int64_t k, auto at) {
            float* out = tile + k / 16 * group + k % 16;
            transform_2d<T>(
                [&](int i, int j) {
                    if constexpr (!whole.value) {
                        if (!from[i] || col + j < 0 || col + j >= width) return Vec::zero();
                    }
                    return at.load(from[i] + j * ld + k);
                },
                [&](int i, int j, Vec v) { at.store(v, out + (i * T::kOut + j) * plane); });
        });
    });
}

template <int R>
void winograd_output(const TileRow& row, int64_t c, const float* m, int64_t tile_step,
                     int64_t plane_step, const float* bias, float* const* rows, int flags) {
    using T = OutputTransform<R>;
    each_tile<2>(row, rows, [&](int64_t t, auto whole) {
        const int64_t col = row.col + 2 * t, width = row.width, ld = row.ld, plane = plane_step;
        const float* const tile = m + t * tile_step;
        const float* const added = bias;
        const bool relu = flags & kRelu;
        float* to[2];
        PYCONV_UNROLL
        for (int i = 0; i < 2; ++i) to[i] = rows[i] ? rows[i] + col * ld : nullptr;
        each_vector(c, [&](int64_t k, auto at) {
            const Vec start = added ? at.load(added + k) : Vec::zero();
            transform_2d<T>(
                [&](int i, int j) { return Vec::load(tile + (i * T::kIn + j) * plane + k); },
                [&](int i, int j, Vec value) {
                    if constexpr (!whole.value) {
                        if (!to[i] || col + j < 0 || col + j >= width) return;
                    }
                    value = value + start;
                    at.store(relu ? Vec::relu(value) : value, to[i] + j * ld + k);
                });
        });
    });
}

// The tiles as windows of max pooling: y and winners (tiles, y_step).
template <int R>
void winograd_output_pooled(int64_t tiles, int64_t c, const float* m, int64_t tile_step,
                            int64_t plane_step, const float* bias, float* y, float* winners,
                            int64_t y_step, int flags) {
    using T = OutputTransform<R>;
    each_vector(c, [&](int64_t k, auto at) {
        const Vec start = bias ? at.load(bias + k) : Vec::zero();
        const int n = static_cast<int>(c - k);
        const float* tile = m + k;
        float *to = y + k, *won = winners ? winners + k : nullptr;
        for (int64_t t = 0; t < tiles; ++t, tile += tile_step, to += y_step) {
            Vec cells[4];
            transform_2d<T>(
                [&](int i, int j) { return Vec::load(tile + (i * T::kIn + j) * plane_step); },
                [&](int i, int j, Vec value) { cells[2 * i + j] = value; });
            store_largest(cells[0], cells[1], cells[2], cells[3], bias ? &start : nullptr, n, to,
                          won, flags);
            if (won) won += y_step;
        }
    });
}

template <int R>
constexpr WinogradKernels winograd_kernels() {
    return {R + 1,
            transform_planes<FilterTransform<R>>,
            transform_planes<FilterAdjoint<R>>,
            transform_tiles<InputTransform<R>>,
            winograd_output<R>,
            winograd_output_pooled<R>,
            transform_tiles<OutputAdjoint<R>>};
}

}  // namespace
}  // namespace pyconv::simd
