// Convolution of windows of 2x2 cells, of which only the largest is stored: tiles.h's products,
// with the cells of a window in registers.
// Part of kernels.cpp.
#pragma once

#include "simd/pooling.h"
#include "simd/tiles.h"

namespace pyconv::simd {
namespace {

// P windows side by side, of V vectors of channels: 4 P V accumulators.
template <int P, int V>
PYCONV_INLINE void pooled_tile(const PooledRow& r, int n, const float* a, const int64_t* offsets,
                               const float* b, const float* bias, float* y, float* winners,
                               int flags) {
    Vec acc[4 * P][V];
    begin_tile(acc, n, bias);
    for (int64_t s = 0; s < r.segments; ++s) {
        const float* upper = a + offsets[s];
        const float* lower = upper + r.a_row;
        PYCONV_UNROLL_BY_2
        for (int64_t k = 0; k < r.length; ++k, ++upper, ++lower, b += kTileCols) {
            Vec row[V];
            load_row(row, b);
            PYCONV_UNROLL
            for (int i = 0; i < 4 * P; ++i) {
                const int64_t col = (i / 4 * 2 + i % 2) * r.a_col;
                const Vec x = Vec::set1(i % 4 < 2 ? upper[col] : lower[col]);
                PYCONV_UNROLL
                for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
            }
        }
    }
    PYCONV_UNROLL
    for (int p = 0; p < P; ++p) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            store_largest(acc[4 * p][v], acc[4 * p + 1][v], acc[4 * p + 2][v], acc[4 * p + 3][v],
                          nullptr, n - v * kLanes, y + p * r.y_step + v * kLanes,
                          winners ? winners + p * r.y_step + v * kLanes : nullptr, flags);
        }
    }
}

// One vector of channels leaves registers for two windows: chains of FMA that hide its latency.
template <int V>
void pooled_row(const PooledRow& r, int n, const float* a, const int64_t* offsets, const float* b,
                const float* bias, float* y, float* winners, int flags) {
    constexpr int P = V == 1 ? 2 : 1;
    const int64_t a_step = 2 * r.a_col;
    int64_t p = 0;
    for (; p + P <= r.windows; p += P, a += P * a_step, y += P * r.y_step) {
        pooled_tile<P, V>(r, n, a, offsets, b, bias, y, winners, flags);
        if (winners) winners += P * r.y_step;
    }
    if (p < r.windows) pooled_tile<1, V>(r, n, a, offsets, b, bias, y, winners, flags);
}

void any_pooled_row(const PooledRow& r, int n, const float* a, const int64_t* offsets,
                    const float* b, const float* bias, float* y, float* winners, int flags) {
    with_tile_size<1, kTileVecs>(1, vectors(n), [&]<int, int V>() {
        pooled_row<V>(r, n, a, offsets, b, bias, y, winners, flags);
    });
}

}  // namespace
}  // namespace pyconv::simd
