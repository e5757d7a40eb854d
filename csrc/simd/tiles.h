// Matrix tiles: accumulators in registers, and the packing of panels.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

template <int V>
PYCONV_INLINE Vec load_col(const float* p, int v, int n) {
    return (v + 1) * kLanes <= n ? Vec::load(p + v * kLanes)
                                 : Part{n - v * kLanes}.load(p + v * kLanes);
}

// The start of a tile: the bias, or 0 where the tile is added to y at its end. A new sum for
// each pass keeps the chains of additions short, and so the rounding error.
template <int M, int V>
PYCONV_INLINE void begin_tile(Vec (&acc)[M][V], int n, const float* bias) {
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) {
        const Vec start = bias ? load_col<V>(bias, v, n) : Vec::zero();
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) acc[i][v] = start;
    }
}

template <int V>
PYCONV_INLINE void load_row(Vec (&row)[V], const float* b) {
    PYCONV_UNROLL
    for (int v = 0; v < V; ++v) row[v] = Vec::load(b + v * kLanes);
}

// Adds p[i][0..length) x b (length, n).
template <int M, int V>
PYCONV_INLINE void multiply_tile(Vec (&acc)[M][V], const float* const (&p)[M], int64_t length,
                                 const float* b, int64_t b_ld) {
    for (int64_t k = 0; k < length; ++k, b += b_ld) {
        Vec row[V];
        load_row(row, b);
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            const Vec x = Vec::set1(p[i][k]);
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
        }
    }
}

// y(i) points at row i.
template <int M, int V, class Rows>
PYCONV_INLINE void end_tile(Vec (&acc)[M][V], int n, const Rows& y, int flags) {
    if (flags & kAccumulate) {
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = load_col<V>(y(i), v, n) + acc[i][v];
        }
    }
    if (flags & kRelu) {
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            PYCONV_UNROLL
            for (int v = 0; v < V; ++v) acc[i][v] = Vec::relu(acc[i][v]);
        }
    }
    const bool whole = n == V * kLanes;
    PYCONV_UNROLL
    for (int i = 0; i < M; ++i) {
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v) {
            if (v + 1 < V || whole) {
                acc[i][v].store(y(i) + v * kLanes);
            } else {
                Part{n - v * kLanes}.store(acc[i][v], y(i) + v * kLanes);
            }
        }
    }
}

template <int M, int V>
void tile(int n, int64_t segments, int64_t length, const float* const* a, int64_t a_offset,
          const int64_t* numbers, int64_t first, const float* b, int64_t b_ld, const float* bias,
          float* const* y, int flags) {
    Vec acc[M][V];
    begin_tile(acc, n, bias);
    for (int64_t s = 0; s < segments; ++s, a += kTileRows) {
        const int64_t number = numbers ? numbers[s] - first : s;
        const float* p[M];
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) p[i] = a[i] + a_offset;
        multiply_tile(acc, p, length, b + number * length * b_ld, b_ld);
    }
    end_tile(acc, n, [&](int i) { return y[i]; }, flags);
}

// A store waits for its line, and loads wait for a store that might be to their address.
void write_ahead(int64_t rows, int64_t n, const float* y, int64_t ld) {
    for (int64_t row = 0; row < rows; ++row, y += ld)
        for (int64_t j = 0; j < n; j += kLine) __builtin_prefetch(y + j, 1);
}

constexpr int kTilesAhead = 2;  // that tile_row asks for lines

// M rows, reached from a pointer for every third of them: more pointers would not leave registers.
template <int M, int V>
PYCONV_INLINE void tile_of_row(int n, int64_t segments, int64_t length, const float* a,
                               int64_t a_step, const int64_t* offsets, const float* b,
                               const float* bias, float* y, int64_t y_step, int flags) {
    constexpr int P = (M + 2) / 3;
    if (flags & kWriteAhead) {
        PYCONV_UNROLL
        for (int i = 0; i < M; ++i) {
            PYCONV_UNROLL
            for (int j = 0; j < V * kLanes; j += kLine)
                __builtin_prefetch(y + (i + kTilesAhead * M) * y_step + j, 1);
        }
    }
    Vec acc[M][V];
    begin_tile(acc, n, bias);
    for (int64_t s = 0; s < segments; ++s) {
        const float* p[P];
        PYCONV_UNROLL
        for (int i = 0; i < P; ++i) p[i] = a + 3 * i * a_step + offsets[s];
        PYCONV_UNROLL_BY_4
        for (int64_t k = 0; k < length; ++k, b += kTileCols) {
            Vec row[V];
            load_row(row, b);
            PYCONV_UNROLL
            for (int i = 0; i < M; ++i) {
                const Vec x = Vec::set1(p[i / 3][i % 3 * a_step]);
                PYCONV_UNROLL
                for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
            }
            PYCONV_UNROLL
            for (int i = 0; i < P; ++i) ++p[i];
        }
    }
    end_tile(acc, n, [&](int i) { return y + i * y_step; }, flags);
}

// kThrees: every three rows of a lie side by side, so that a third of the pointers is enough.
// kAhead: a_ahead is not 0.
template <int M, int V, bool kThrees, bool kAhead>
void outer_tile(int n, const PixelWalk& w, const float* const* a, const float* b, float* y,
                int64_t y_ld, int flags) {
    constexpr int kShare = kThrees ? 3 : 1, P = (M + kShare - 1) / kShare;
    Vec acc[M][V];
    begin_tile(acc, n, nullptr);
    for (int64_t image = 0; image < w.images; ++image) {
        for (int64_t r = 0; r < w.rows; ++r) {
            const int64_t a_row = image * w.a_image + r * w.a_row;
            const float* q = b + image * w.b_image + r * w.b_row;
            const float* p[P];
            PYCONV_UNROLL
            for (int i = 0; i < P; ++i) p[i] = a[kShare * i] + a_row;
            int64_t offset = 0;
            PYCONV_UNROLL_BY_4
            for (int64_t c = 0; c < w.cols; ++c, offset += w.a_col, q += w.b_col) {
                Vec row[V];
                PYCONV_UNROLL
                for (int j = 0; j < V * kLanes; j += kLine) __builtin_prefetch(q + w.b_ahead + j);
                if constexpr (kAhead) {
                    PYCONV_UNROLL
                    for (int i = 0; i < P; ++i) __builtin_prefetch(p[i] + offset + w.a_ahead);
                }
                load_row(row, q);
                PYCONV_UNROLL
                for (int i = 0; i < M; ++i) {
                    const Vec x = Vec::set1(p[i / kShare][offset + i % kShare]);
                    PYCONV_UNROLL
                    for (int v = 0; v < V; ++v) acc[i][v] = Vec::fmadd(x, row[v], acc[i][v]);
                }
            }
        }
    }
    end_tile(acc, n, [&](int i) { return y + i * y_ld; }, flags);
}

// A tile of few rows is wider: chains of FMA that hide its latency.
constexpr int kWideVecs = 8, kWideRows = 3;

// Calls body<M, V>() with the run-time m rows and v vectors as constants.
template <int M, int V, int kVecs = V, class Body>
void with_tile_size(int m, int v, const Body& body) {
    if (m == M && v == V) {
        body.template operator()<M, V>();
    } else if constexpr (V > 1) {
        with_tile_size<M, V - 1, kVecs>(m, v, body);
    } else if constexpr (M > 1) {
        with_tile_size<M - 1, kVecs, kVecs>(m, v, body);
    }
}

int vectors(int n) { return (n + kLanes - 1) / kLanes; }

void any_tile(int m, int n, int64_t segments, int64_t length, const float* const* a,
              int64_t a_offset, const int64_t* numbers, int64_t first, const float* b, int64_t b_ld,
              const float* bias, float* const* y, int flags) {
    if (m == kTileRows && n == kTileCols) {
        tile<kTileRows, kTileVecs>(n, segments, length, a, a_offset, numbers, first, b, b_ld, bias,
                                   y, flags);
        return;
    }
    const auto body = [&]<int M, int V>() {
        tile<M, V>(n, segments, length, a, a_offset, numbers, first, b, b_ld, bias, y, flags);
    };
    if (n <= kTileCols) {
        with_tile_size<kTileRows, kTileVecs>(m, vectors(n), body);
    } else if (m == 1) {
        with_tile_size<1, kWideVecs>(1, vectors(n), body);
    } else {
        with_tile_size<kWideRows, kWideVecs / 2>(m, vectors(n), body);
    }
}

void any_tile_row(int64_t rows, int n, int64_t segments, int64_t length, const float* a,
                  int64_t a_step, const int64_t* offsets, const float* b, const float* bias,
                  float* y, int64_t y_step, int flags) {
    const auto tile = [&]<int M, int V>() {
        tile_of_row<M, V>(n, segments, length, a, a_step, offsets, b, bias, y, y_step, flags);
        a += M * a_step;
        y += M * y_step;
        rows -= M;
    };
    if (n > kLanes) {
        while (rows > 0)
            with_tile_size<1, kTileVecs>(
                1, vectors(n), [&]<int, int V>() { tile.template operator()<kTileRows, V>(); });
        return;
    }
    // One vector of columns leaves registers for twice as many rows; about as many in each tile.
    constexpr int kTall = 2 * kTileRows;
    for (int64_t tiles = (rows + kTall - 1) / kTall; tiles > 0; --tiles)
        with_tile_size<kTall, 1>(static_cast<int>((rows + tiles - 1) / tiles), 1, tile);
}

template <bool kThrees, bool kAhead>
void any_outer_tile_of(int m, int n, const PixelWalk& walk, const float* const* a, const float* b,
                       float* y, int64_t y_ld, int flags) {
    const auto body = [&]<int M, int V>() {
        outer_tile<M, V, kThrees, kAhead>(n, walk, a, b, y, y_ld, flags);
    };
    if (n <= kLanes) {
        with_tile_size<kThrees ? 2 * kTileRows : kTileRows, 1>(m, 1, body);
    } else {
        with_tile_size<kTileRows, kTileVecs>(m, vectors(n), body);
    }
}

void any_outer_tile(int m, int n, const PixelWalk& walk, const float* const* a, const float* b,
                    float* y, int64_t y_ld, int flags) {
    bool threes = true;
    for (int i = 0; i < m; ++i) threes = threes && a[i] == a[i - i % 3] + i % 3;
    if (threes && walk.a_ahead)
        return any_outer_tile_of<true, true>(m, n, walk, a, b, y, y_ld, flags);
    if (threes) return any_outer_tile_of<true, false>(m, n, walk, a, b, y, y_ld, flags);
    for (int i = 0; i < m; i += kTileRows)
        any_outer_tile_of<false, false>(m - i < kTileRows ? m - i : kTileRows, n, walk, a + i, b,
                                        y + i * y_ld, y_ld, flags);
}

int tile_columns(int m) {
    const int vecs = m == 1 ? kWideVecs : m <= kWideRows ? kWideVecs / 2 : kTileVecs;
    return (vecs > kTileVecs ? vecs : kTileVecs) * kLanes;
}

void pack_panel(int64_t k, int n, const float* src, int64_t ld, float* dst) {
    if (n == kTileCols) {
        for (int64_t i = 0; i < k; ++i, src += ld, dst += kTileCols) {
            PYCONV_UNROLL
            for (int v = 0; v < kTileVecs; ++v) Vec::load(src + v * kLanes).store(dst + v * kLanes);
        }
        return;
    }
    const int whole = n / kLanes, part = n % kLanes;
    for (int64_t i = 0; i < k; ++i, src += ld, dst += kTileCols) {
        PYCONV_UNROLL
        for (int v = 0; v < kTileVecs; ++v) {
            const float* p = src + v * kLanes;
            const Vec row = v < whole                ? Vec::load(p)
                            : v == whole && part > 0 ? Vec::load_part(p, part)
                                                     : Vec::zero();
            row.store(dst + v * kLanes);
        }
    }
}

void pack_panel_transposed(int64_t k, int n, const float* src, int64_t ld, float* dst) {
    int64_t i = 0;
    for (; i + kLanes <= k; i += kLanes) {
        for (int j = 0; j < kTileCols; j += kLanes) {
            Vec block[kLanes];
            PYCONV_UNROLL
            for (int r = 0; r < kLanes; ++r)
                block[r] = j + r < n ? Vec::load(src + (j + r) * ld + i) : Vec::zero();
            Vec::transpose(block);
            PYCONV_UNROLL
            for (int r = 0; r < kLanes; ++r) block[r].store(dst + (i + r) * kTileCols + j);
        }
    }
    for (; i < k; ++i)
        for (int j = 0; j < kTileCols; ++j) dst[i * kTileCols + j] = j < n ? src[j * ld + i] : 0.f;
}

}  // namespace
}  // namespace pyconv::simd
