// Gradients of a convolution from those of the maximum of each 2x2 window of its result: of the
// four cells only the one that won has a gradient, and that may be 0. What is left is listed
// channel by channel, and only that is multiplied.
// Part of kernels.cpp.
#pragma once

#include "simd/sparse.h"

namespace pyconv::simd {
namespace {

constexpr int kPatchVecs = 8;  // of a block: accumulators that hide the latency of FMA

PYCONV_INLINE Vec broadcast(int32_t i) {
    float bits;
    __builtin_memcpy(&bits, &i, sizeof bits);
    return Vec::set1(bits);
}

// As many windows as lanes, so that a transposition gives each channel a vector of them.
template <class At>
PYCONV_INLINE Vec load_winners(int64_t n, int64_t c, At at, const int32_t* cells,
                               const float* winners, const float* y, const float* dy,
                               Vec (&gradients)[kLanes], Vec (&offsets)[kLanes]) {
    Vec sum = Vec::zero();
    PYCONV_UNROLL
    for (int i = 0; i < kLanes; ++i) {
        gradients[i] = offsets[i] = Vec::zero();
        if (i >= n) continue;
        Vec g = at.load(dy + i * c);
        if (y) g = Vec::select(Vec::not_positive(at.load(y + i * c)), Vec::zero(), g);
        const Vec winner = at.load(winners + i * c);
        Vec offset = broadcast(-1);  // a NaN
        PYCONV_UNROLL
        for (int cell = 0; cell < 4; ++cell)
            offset = Vec::select(Vec::equal(winner, Vec::set1(static_cast<float>(cell))),
                                 broadcast(cells[4 * i + cell]), offset);
        g = Vec::select(Vec::equal(offset, offset), g, Vec::zero());  // no cell, no gradient
        sum = sum + g;
        gradients[i] = g;
        offsets[i] = offset;
    }
    return sum;
}

void list_winners(int64_t windows, int64_t c, const int32_t* cells, const float* winners,
                  const float* y, const float* dy, int64_t capacity, int32_t* offsets,
                  float* gradients, int64_t* counts, float* sums) {
    each_vector(c, [&](int64_t c0, auto at) {
        const int64_t channels = c - c0 < kLanes ? c - c0 : kLanes;
        int64_t count[kLanes] = {};
        Vec sum = Vec::zero();
        for (int64_t w = 0; w < windows; w += kLanes) {
            Vec g[kLanes], offset[kLanes];
            const int64_t n = windows - w, from = w * c + c0;
            const auto load = [&](int64_t rows) {
                return load_winners(rows, c, at, cells + 4 * w, winners + from,
                                    y ? y + from : nullptr, dy + from, g, offset);
            };
            sum = sum + (n >= kLanes ? load(kLanes) : load(n));
            Vec::transpose(g);
            Vec::transpose(offset);
            for (int64_t l = 0; l < channels; ++l) {
                const int64_t list = (c0 + l) * capacity;
                count[l] = append(g[l], offset[l], count[l], offsets + list, gradients + list);
            }
        }
        for (int64_t l = 0; l < channels; ++l) counts[c0 + l] = count[l];
        at.store(at.load(sums + c0) + sum, sums + c0);
    });
}

// S runs of J vectors. Short blocks take several winners at once, for as many chains of FMA.
template <int S, int J>
void patch_sums(const PatchBlock& block, int64_t count, const int32_t* offsets,
                const float* gradients, const float* x, float* sums) {
    constexpr int U = kPatchVecs / (S * J);
    const float* from[S];
    Vec acc[U][S * J];
    PYCONV_UNROLL
    for (int s = 0; s < S; ++s) from[s] = x + s * block.x_step;
    PYCONV_UNROLL
    for (int v = 0; v < S * J; ++v) {
        acc[0][v] = Vec::load(sums + v / J * block.patch_step + v % J * kLanes);
        PYCONV_UNROLL
        for (int u = 1; u < U; ++u) acc[u][v] = Vec::zero();
    }
    const auto add = [&](int64_t i, Vec(&to)[S* J]) {
        const int64_t at = offsets[i];
        const Vec g = Vec::set1(gradients[i]);
        PYCONV_UNROLL
        for (int v = 0; v < S * J; ++v)
            to[v] = Vec::fmadd(g, Vec::load(from[v / J] + at + v % J * kLanes), to[v]);
    };
    int64_t i = 0;
    for (; i + U <= count; i += U) {
        PYCONV_UNROLL
        for (int u = 0; u < U; ++u) add(i + u, acc[u]);
    }
    for (; i < count; ++i) add(i, acc[0]);
    PYCONV_UNROLL
    for (int v = 0; v < S * J; ++v) {
        Vec sum = acc[0][v];
        PYCONV_UNROLL
        for (int u = 1; u < U; ++u) sum = sum + acc[u][v];
        sum.store(sums + v / J * block.patch_step + v % J * kLanes);
    }
}

// Neighbours in a list add to the same pixels, and would wait for each other.
constexpr int64_t kSpreadStreams = 4;

template <int S, int J>
void patch_spread(const PatchBlock& block, int64_t count, const int32_t* offsets,
                  const float* gradients, const float* w, float* x) {
    Vec filter[S * J];
    PYCONV_UNROLL
    for (int v = 0; v < S * J; ++v)
        filter[v] = Vec::load(w + v / J * block.patch_step + v % J * kLanes);
    const int64_t step = block.x_step;
    const auto add = [&](int64_t i) {
        const Vec g = Vec::set1(gradients[i]);
        float* to = x + offsets[i];
        PYCONV_UNROLL
        for (int s = 0; s < S; ++s, to += step) {
            PYCONV_UNROLL
            for (int j = 0; j < J; ++j)
                Vec::fmadd(g, filter[s * J + j], Vec::load(to + j * kLanes)).store(to + j * kLanes);
        }
    };
    const int64_t part = count / kSpreadStreams;
    for (int64_t i = 0; i < part; ++i) {
        PYCONV_UNROLL
        for (int u = 0; u < kSpreadStreams; ++u) add(u * part + i);
    }
    for (int64_t i = kSpreadStreams * part; i < count; ++i) add(i);
}

// Calls body<S, J>() for a block.
template <int S, int J, class Body>
void with_block(const PatchBlock& block, const Body& body) {
    if (block.runs == S && block.vectors == J) {
        body.template operator()<S, J>();
    } else if constexpr (S > 1) {
        with_block<S - 1, J>(block, body);
    } else if constexpr (J > 1) {
        with_block<kPatchVecs / (J - 1), J - 1>(block, body);
    }
}

void any_patch_sums(const PatchBlock& block, int64_t count, const int32_t* offsets,
                    const float* gradients, const float* x, float* sums) {
    with_block<1, kPatchVecs>(block, [&]<int S, int J>() {
        patch_sums<S, J>(block, count, offsets, gradients, x, sums);
    });
}

void any_patch_spread(const PatchBlock& block, int64_t count, const int32_t* offsets,
                      const float* gradients, const float* w, float* x) {
    with_block<1, kPatchVecs>(
        block, [&]<int S, int J>() { patch_spread<S, J>(block, count, offsets, gradients, w, x); });
}

}  // namespace
}  // namespace pyconv::simd
