// Sums of a few rows, and products of rows.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

template <int kRows>
void combine_rows(int64_t n, const float* a, int64_t a_ld, const float* b, int64_t b_ld, float* y) {
    Vec factor[kRows];
    PYCONV_UNROLL
    for (int k = 0; k < kRows; ++k) factor[k] = Vec::set1(a[k * a_ld]);
    each_vector(n, [&](int64_t j, auto at) {
        Vec sum = factor[0] * at.load(b + j);
        PYCONV_UNROLL
        for (int k = 1; k < kRows; ++k) sum = Vec::fmadd(factor[k], at.load(b + k * b_ld + j), sum);
        at.store(sum, y + j);
    });
}

void any_combine_rows(int rows, int64_t n, const float* a, int64_t a_ld, const float* b,
                      int64_t b_ld, float* y) {
    if (rows == 1) return combine_rows<1>(n, a, a_ld, b, b_ld, y);
    if (rows == 2) return combine_rows<2>(n, a, a_ld, b, b_ld, y);
    if (rows == 3) return combine_rows<3>(n, a, a_ld, b, b_ld, y);
    combine_rows<kMaxCombinedRows>(n, a, a_ld, b, b_ld, y);
}

template <class Access>
PYCONV_INLINE void sum_parts(int64_t begin, int64_t end, int count, const float* const* x,
                             int64_t x_step, float* y, int64_t y_step, Access at) {
    for (int64_t i = begin; i < end; ++i) {
        Vec sum = count > 0 ? Vec::load(x[0] + i * x_step) : Vec::zero();
        for (int t = 1; t < count; ++t) sum = sum + Vec::load(x[t] + i * x_step);
        at.store(sum, y + i * y_step);
    }
}

void any_sum_parts(int64_t cells, int c, int count, const float* const* x, int64_t x_step, float* y,
                   int64_t y_step) {
    // What a vector writes beyond its cell the next cells overwrite.
    const int64_t whole = y_step == c && cells * c > kLanes ? cells - (kLanes + c - 1) / c : 0;
    sum_parts(0, whole, count, x, x_step, y, y_step, Whole{});
    sum_parts(whole, cells, count, x, x_step, y, y_step, Part{c});
}

// y (M, n) += R rows of b, times R columns of a (M, R).
template <int M, int R>
PYCONV_INLINE void stream_group(int64_t n, const float* a, int64_t a_ld, const float* b,
                                int64_t b_ld, float* y) {
    Vec factor[M][R];
    PYCONV_UNROLL
    for (int m = 0; m < M; ++m) {
        PYCONV_UNROLL
        for (int r = 0; r < R; ++r) factor[m][r] = Vec::set1(a[m * a_ld + r]);
    }
    each_vector(n, [&](int64_t j, auto at) {
        Vec sum[M];
        PYCONV_UNROLL
        for (int m = 0; m < M; ++m) sum[m] = at.load(y + m * n + j);
        PYCONV_UNROLL
        for (int r = 0; r < R; ++r) {
            const Vec row = at.load(b + r * b_ld + j);
            PYCONV_UNROLL
            for (int m = 0; m < M; ++m) sum[m] = Vec::fmadd(factor[m][r], row, sum[m]);
        }
        PYCONV_UNROLL
        for (int m = 0; m < M; ++m) at.store(sum[m], y + m * n + j);
    });
}

template <int M>
void stream_rows(int64_t rows, int64_t n, const float* a, int64_t a_ld, const float* b,
                 int64_t b_ld, float* y) {
    constexpr int R = 8 / M;  // streams that a core reads ahead, factors that registers hold
    for (; rows >= R; rows -= R, a += R, b += R * b_ld) stream_group<M, R>(n, a, a_ld, b, b_ld, y);
    for (; rows > 0; --rows, ++a, b += b_ld) stream_group<M, 1>(n, a, a_ld, b, b_ld, y);
}

void any_stream_rows(int m, int64_t rows, int64_t n, const float* a, int64_t a_ld, const float* b,
                     int64_t b_ld, float* y) {
    if (m == 1) return stream_rows<1>(rows, n, a, a_ld, b, b_ld, y);
    if (m == 2) return stream_rows<2>(rows, n, a, a_ld, b, b_ld, y);
    stream_rows<kMaxStreamedRows>(rows, n, a, a_ld, b, b_ld, y);
}

// R rows of w against M rows of x, in M * R sums of a vector each.
template <int M, int R>
PYCONV_INLINE void dot_tile(int64_t n, const float* w, int64_t w_ld, const float* x, int64_t x_ld,
                            float* y, int64_t y_ld) {
    Vec acc[M][R];
    PYCONV_UNROLL
    for (int m = 0; m < M; ++m) {
        PYCONV_UNROLL
        for (int r = 0; r < R; ++r) acc[m][r] = Vec::zero();
    }
    each_vector(n, [&](int64_t i, auto at) {
        Vec row[R];
        PYCONV_UNROLL
        for (int r = 0; r < R; ++r) row[r] = at.load(w + r * w_ld + i);
        PYCONV_UNROLL
        for (int m = 0; m < M; ++m) {
            const Vec values = at.load(x + m * x_ld + i);
            PYCONV_UNROLL
            for (int r = 0; r < R; ++r) acc[m][r] = Vec::fmadd(row[r], values, acc[m][r]);
        }
    });
    for (int m = 0; m < M; ++m) {
        for (int r = 0; r < R; ++r) {
            float lanes[kLanes];
            acc[m][r].store(lanes);
            for (int width = kLanes / 2; width > 0; width /= 2)
                for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
            y[m * y_ld + r] = lanes[0];
        }
    }
}

template <int M>
void dot_rows(int64_t rows, int64_t n, const float* w, int64_t w_ld, const float* x, int64_t x_ld,
              float* y, int64_t y_ld) {
    constexpr int R = 8 / M;  // sums that hide the latency of FMA
    for (; rows >= R; rows -= R, w += R * w_ld, y += R)
        dot_tile<M, R>(n, w, w_ld, x, x_ld, y, y_ld);
    for (; rows > 0; --rows, w += w_ld, ++y) dot_tile<M, 1>(n, w, w_ld, x, x_ld, y, y_ld);
}

void any_dot_rows(int m, int64_t rows, int64_t n, const float* w, int64_t w_ld, const float* x,
                  int64_t x_ld, float* y, int64_t y_ld) {
    if (m == 1) return dot_rows<1>(rows, n, w, w_ld, x, x_ld, y, y_ld);
    for (; m >= 2; m -= 2, x += 2 * x_ld, y += 2 * y_ld)
        dot_rows<2>(rows, n, w, w_ld, x, x_ld, y, y_ld);
    if (m > 0) dot_rows<1>(rows, n, w, w_ld, x, x_ld, y, y_ld);
}

}  // namespace
}  // namespace pyconv::simd
