// Rows of a matrix cut into tiles, and copies of them in the order in which tiles read them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

// Tiles of about as many rows each, at most `height`: one of few rows would wait for its sums.
class Tiling {
public:
    Tiling(int64_t rows, int64_t height)
        : count_(ceil_div(rows, height)), rows_(rows / count_), longer_(rows % count_) {}
    int64_t count() const { return count_; }
    int64_t first(int64_t tile) const { return tile * rows_ + std::min(tile, longer_); }
    int height(int64_t tile) const { return static_cast<int>(rows_ + (tile < longer_)); }
    simd::PackedTiles copies(int64_t depth) const { return {count_, rows_, longer_, depth}; }

private:
    int64_t count_, rows_, longer_;  // the first `longer_` have one row more
};

// A (m, k), or the transpose of A (k, m), with `depth` columns of a tile side by side.
class PackedRows {
public:
    PackedRows(const Tiling& tiling, int64_t k, int64_t depth, Scratch& scratch)
        : tiling_(tiling), k_(k), depth_(std::clamp<int64_t>(k, 1, depth)) {
        const int64_t tiles = tiling.count();
        block_ = depth_ * tiling.first(tiles) + tiles * simd::kPackedSlack;
        data_ = scratch.take<float>(ceil_div(k, depth_) * block_);
    }

    void pack_rows(int64_t tile, const float* a, int64_t lda) const {
        each_block([&](int64_t k0, int64_t length) {
            simd::kernels().pack_rows(tiling_.height(tile), length,
                                      a + tiling_.first(tile) * lda + k0, lda, place(tile, k0));
        });
    }
    void pack_columns(const float* a, int64_t lda) const {
        each_block([&](int64_t k0, int64_t length) {
            simd::kernels().pack_columns(tiling_.copies(depth_), length, a + k0 * lda, lda,
                                         place(0, k0));
        });
    }

    // Columns k0, a multiple of the depth, and on: (depth, rows of the tile).
    const float* at(int64_t tile, int64_t k0) const { return place(tile, k0); }

private:
    template <class Body>
    void each_block(const Body& body) const {
        for (int64_t k0 = 0; k0 < k_; k0 += depth_) body(k0, std::min(depth_, k_ - k0));
    }
    float* place(int64_t tile, int64_t k0) const {
        return data_ + k0 / depth_ * block_ + tiling_.first(tile) * depth_ +
               tile * simd::kPackedSlack;
    }

    Tiling tiling_;
    int64_t k_, depth_, block_;
    float* data_;
};

}  // namespace pyconv
