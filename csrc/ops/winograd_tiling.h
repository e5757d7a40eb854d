// How Winograd's F(2x2, RxR) cuts images into tiles: R + 1 input values a side give 2 outputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "check.h"
#include "ops/shapes.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

// A source (n, h, w, c), padded, and a destination (n, oh, ow, oc) in tiles of 2x2.
struct WinogradTiling {
    int64_t n, h, w, c, top, left, oh, ow, oc;

    int64_t rows() const { return ceil_div(oh, 2); }
    int64_t cols() const { return ceil_div(ow, 2); }
    int64_t tiles() const { return n * rows() * cols(); }

    // Calls visit(at, image, i, j, tiles) for each run of tiles of one row among tiles
    // first .. first + count: tile (i, j) of an image is tile `at` after the first.
    template <class Visit>
    void each_run(int64_t first, int64_t count, const Visit& visit) const {
        for (int64_t at = 0; at < count;) {
            const int64_t tile = first + at, j = tile % cols();
            const int64_t run = std::min(count - at, cols() - j);
            visit(at, tile / cols() / rows(), tile / cols() % rows(), j, run);
            at += run;
        }
    }

    // The source values under a run, for WinogradKernels::input.
    simd::TileRow source_run(const float* src, int size, int64_t image, int64_t i, int64_t j,
                             int64_t tiles, const float** values) const {
        for (int r = 0; r < size; ++r) values[r] = row_of(src, image, 2 * i - top + r, h, w * c);
        return {tiles, 2 * j - left, w, c};
    }

    // The values of the destination that a run covers.
    template <class Float>
    simd::TileRow destination_run(Float* dst, int64_t image, int64_t i, int64_t j, int64_t tiles,
                                  Float** values) const {
        for (int r = 0; r < 2; ++r) values[r] = row_of(dst, image, 2 * i + r, oh, ow * oc);
        return {tiles, 2 * j, ow, oc};
    }

private:
    template <class Float>
    static Float* row_of(Float* data, int64_t image, int64_t row, int64_t rows, int64_t size) {
        return row >= 0 && row < rows ? data + (image * rows + row) * size : nullptr;
    }
};

inline const simd::WinogradKernels& winograd_kernels(const Conv2dShape& s) {
    return s.kernel.h == 2 ? simd::kernels().winograd2 : simd::kernels().winograd3;
}

inline WinogradTiling winograd_tiling(const Conv2dShape& s) {
    return {s.n, s.h, s.w, s.c, s.padding.top, s.padding.left, s.oh, s.ow, s.oc};
}

constexpr int kWinogradMaxSize = 4;  // values of a tile along an axis
// Planes of a power of two apart would fall on the same cache lines.
constexpr int64_t kWinogradPlanePad = 16;

}  // namespace pyconv
