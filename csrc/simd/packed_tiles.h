// Tiles of a product whose left rows lie in a copy: each step reads M numbers side by side, where
// a tile of tiles.h reads one from each of M rows.
// Part of kernels.cpp.
#pragma once

#include "simd/tiles.h"

namespace pyconv::simd {
namespace {

template <int M, int V>
PYCONV_INLINE void packed_step(Vec (&acc)[M][V], const float* a, const Vec (&row)[V]) {
    PYCONV_UNROLL
    for (int i = 0; i < M; ++i) {
        const Vec x = Vec::set1(a[i]);
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
    }
}

template <int M, int V>
PYCONV_INLINE void packed_tile(int n, int64_t length, const float* a, const float* b, int64_t b_ld,
                               float* copy, const float* bias, float* y, int64_t y_ld, int flags) {
    Vec acc[M][V], row[V];
    begin_tile(acc, n, bias);
    if (copy) {
        for (int64_t k = 0; k < length; ++k, a += M, b += b_ld, copy += kTileCols) {
            load_row(row, b);
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) row[v].store(copy + v * kLanes);
            packed_step(acc, a, row);
        }
    } else {
        PYCONV_UNROLL_BY_4
        for (int64_t k = 0; k < length; ++k, a += M, b += b_ld) {
            load_row(row, b);
            packed_step(acc, a, row);
        }
    }
    end_tile(acc, n, [&](int i) { return y + i * y_ld; }, flags);
}

void any_packed_tile(int m, int n, int64_t length, const float* a, const float* b, int64_t b_ld,
                     float* copy, const float* bias, float* y, int64_t y_ld, int flags) {
    with_tile_size<kPackedRows, kTileVecs>(m, vectors(n), [&]<int M, int V>() {
        packed_tile<M, V>(n, length, a, b, b_ld, copy, bias, y, y_ld, flags);
    });
}

// Tile after tile of a row of them.
template <int M>
void packed_row_of(int64_t n, int64_t length, const float* a, const float* b, int64_t b_step,
                   float* y, int64_t y_ld, int flags) {
    for (; n >= kTileCols; n -= kTileCols, b += b_step, y += kTileCols)
        packed_tile<M, kTileVecs>(kTileCols, length, a, b, kTileCols, nullptr, nullptr, y, y_ld,
                                  flags);
    if (n > 0)
        with_tile_size<1, kTileVecs>(1, vectors(static_cast<int>(n)), [&]<int, int V>() {
            packed_tile<M, V>(static_cast<int>(n), length, a, b, kTileCols, nullptr, nullptr, y,
                              y_ld, flags);
        });
}

void packed_row(int m, int64_t n, int64_t length, const float* a, const float* b, int64_t b_step,
                float* y, int64_t y_ld, int flags) {
    with_tile_size<kPackedRows, 1>(
        m, 1, [&]<int M, int>() { packed_row_of<M>(n, length, a, b, b_step, y, y_ld, flags); });
}

// Whole vectors are written in ascending order: what one has too much the next overwrites.
void pack_rows(int m, int64_t length, const float* a, int64_t lda, float* dst) {
    constexpr int kBlocks = (kPackedRows + kLanes - 1) / kLanes;
    int64_t k = 0;
    for (; k + kLanes <= length; k += kLanes) {
        Vec block[kBlocks][kLanes];
        PYCONV_UNROLL
        for (int j = 0; j < kBlocks; ++j) {
            PYCONV_UNROLL
            for (int r = 0; r < kLanes; ++r) {
                const int row = j * kLanes + r;
                block[j][r] = row < m ? Vec::load(a + row * lda + k) : Vec::zero();
            }
            Vec::transpose(block[j]);
        }
        PYCONV_UNROLL
        for (int r = 0; r < kLanes; ++r) {
            PYCONV_UNROLL
            for (int j = 0; j < kBlocks; ++j)
                if (j * kLanes < m) block[j][r].store(dst + (k + r) * m + j * kLanes);
        }
    }
    for (; k < length; ++k)
        for (int row = 0; row < m; ++row) dst[k * m + row] = a[row * lda + k];
}

void pack_columns(const PackedTiles& tiles, int64_t length, const float* a, int64_t lda,
                  float* dst) {
    constexpr int kVecs = (kPackedRows + kLanes - 1) / kLanes;
    const int64_t columns = tiles.count * tiles.rows + tiles.longer;
    const float* const end = a + (length - 1) * lda + columns;
    for (int64_t k = 0; k < length; ++k, a += lda) {
        const float* from = a;
        float* tile = dst;
        const auto copy = [&](int64_t count, int64_t m, const auto& load) {
            float* to = tile + k * m;
            for (const int64_t step = m * tiles.depth + kPackedSlack; count > 0; --count) {
                PYCONV_UNROLL
                for (int v = 0; v < kVecs; ++v) load(from + v * kLanes).store(to + v * kLanes);
                from += m;
                to += step;
                tile += step;
            }
        };
        const auto all = [&](const auto& load) {
            copy(tiles.longer, tiles.rows + 1, load);
            copy(tiles.count - tiles.longer, tiles.rows, load);
        };
        if (a + columns + kVecs * kLanes <= end) {
            all([](const float* p) { return Vec::load(p); });
        } else {
            all([&](const float* p) {
                const int64_t left = end - p;
                return left >= kLanes ? Vec::load(p) : Part{left > 0 ? left : 0}.load(p);
            });
        }
    }
}

}  // namespace
}  // namespace pyconv::simd
