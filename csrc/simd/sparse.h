// Rows and columns of a matrix without their zeros, and their products: sums of the rows of the
// other matrix that meet a number.
// Part of kernels.cpp.
#pragma once

#include "simd/tiles.h"

namespace pyconv::simd {
namespace {

// Accumulators that hide the latency of FMA, of columns of which 128 rows fit the first cache.
constexpr int kSparseVecs = kLanes < 16 ? 8 : 4;

// Integers travel through vectors of floats as they are: they are only moved.
PYCONV_INLINE Vec load_integers(const int32_t* p) {
    return Vec::load(reinterpret_cast<const float*>(p));
}

// Appends the values that are not 0, with their places, to a list of `count`; returns how many
// there are then. Whole vectors are written.
PYCONV_INLINE int64_t append(Vec values, Vec places, int64_t count, int32_t* offsets,
                             float* numbers) {
    const unsigned bits = Vec::nonzero(values);
    Vec::pack(values, bits).store(numbers + count);
    Vec::pack(places, bits).store(reinterpret_cast<float*>(offsets + count));
    return count + __builtin_popcount(bits);
}

int64_t list_row(int64_t n, const float* x, const int32_t* places, int32_t* offsets,
                 float* numbers) {
    int64_t count = 0;
    each_vector(n, [&](int64_t i, auto at) {
        count = append(at.load(x + i), load_integers(places + i), count, offsets, numbers);
    });
    return count;
}

void list_columns(int64_t rows, int64_t columns, const float* x, int64_t ld, const int32_t* places,
                  int64_t capacity, int32_t* offsets, float* numbers, int64_t* counts) {
    each_vector(columns, [&](int64_t c0, auto at) {
        const int64_t lanes = columns - c0 < kLanes ? columns - c0 : kLanes;
        int64_t count[kLanes] = {};
        for (int64_t r = 0; r < rows; r += kLanes) {
            Vec block[kLanes];
            PYCONV_UNROLL
            for (int i = 0; i < kLanes; ++i)
                block[i] = r + i < rows ? at.load(x + (r + i) * ld + c0) : Vec::zero();
            Vec::transpose(block);
            const Vec of_rows = load_integers(places + r);
            for (int64_t l = 0; l < lanes; ++l) {
                const int64_t list = (c0 + l) * capacity;
                count[l] = append(block[l], of_rows, count[l], offsets + list, numbers + list);
            }
        }
        for (int64_t l = 0; l < lanes; ++l) counts[c0 + l] = count[l];
    });
}

template <int V>
void sparse_row(int n, int64_t count, const int32_t* offsets, const float* numbers, const float* b,
                int64_t panel_step, const float* bias, float* y, int flags) {
    constexpr int P = (V + kTileVecs - 1) / kTileVecs;
    Vec acc[1][V];
    begin_tile(acc, n, bias);
    const float* panels[P];
    PYCONV_UNROLL
    for (int p = 0; p < P; ++p) panels[p] = b + p * panel_step;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = offsets[i];
        const Vec x = Vec::set1(numbers[i]);
        PYCONV_UNROLL
        for (int v = 0; v < V; ++v)
            acc[0][v] = Vec::fmadd(
                x, Vec::load(panels[v / kTileVecs] + at + v % kTileVecs * kLanes), acc[0][v]);
    }
    end_tile(acc, n, [&](int) { return y; }, flags);
}

void any_sparse_row(int n, int64_t count, const int32_t* offsets, const float* numbers,
                    const float* b, int64_t panel_step, const float* bias, float* y, int flags) {
    with_tile_size<1, kSparseVecs>(1, vectors(n), [&]<int, int V>() {
        sparse_row<V>(n, count, offsets, numbers, b, panel_step, bias, y, flags);
    });
}

}  // namespace
}  // namespace pyconv::simd
