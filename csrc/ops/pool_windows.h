// The walk over windows that the pooling operations share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"
#include "ops/shapes.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

// A window's cells that lie in the image, in scan order.
struct WindowCells {
    WindowCells(const WindowShape& s, Scratch& scratch)
        : pixels(scratch.take<int64_t>(most(s))), taps(scratch.take<int64_t>(most(s))) {}

    static int64_t most(const WindowShape& s) {
        return std::min(s.kernel.h, s.h) * std::min(s.kernel.w, s.w);
    }

    void find(const WindowShape& s, int64_t oh, int64_t ow) {
        const int64_t top = oh * s.strides.h - s.padding.top;
        const int64_t left = ow * s.strides.w - s.padding.left;
        const Range rows = inside(top, s.kernel.h, s.dilation.h, s.h);
        const Range cols = inside(left, s.kernel.w, s.dilation.w, s.w);
        count = 0;
        for (int64_t i = rows.begin; i < rows.end; ++i) {
            for (int64_t j = cols.begin; j < cols.end; ++j) {
                pixels[count] = (top + i * s.dilation.h) * s.w + left + j * s.dilation.w;
                taps[count++] = i * s.kernel.w + j;
            }
        }
    }

    int count = 0;
    int64_t* pixels;  // which pixel of the image each is
    int64_t* taps;    // which of the window's cells

private:
    struct Range {
        int64_t begin, end;
    };
    static Range inside(int64_t start, int64_t kernel, int64_t dilation, int64_t size) {
        const int64_t begin = start < 0 ? ceil_div(-start, dilation) : 0;
        const int64_t end = std::min(kernel, ceil_div(size - start, dilation));
        return {begin, std::max(begin, end)};
    }
};

inline bool windows_overlap(const WindowShape& s) {
    return s.strides.h < s.kernel.h || s.strides.w < s.kernel.w;
}

// Whether every cell belongs to exactly one window, so that a gradient writes all of dx.
inline bool windows_cover(const WindowShape& s) {
    const Padding2& p = s.padding;
    return s.strides.h == s.kernel.h && s.strides.w == s.kernel.w && p.top == 0 && p.bottom == 0 &&
           p.left == 0 && p.right == 0 && s.h % s.kernel.h == 0 && s.w % s.kernel.w == 0;
}

// Calls visit(row, first) for the windows of output row oh: those that lie inside the image side
// by side at once, the others one by one. `cells` are then the first window's, `first` is its
// output pixel.
template <class Visit>
void for_each_window_row(const WindowShape& s, int64_t oh, WindowCells& cells, const Visit& visit) {
    const int64_t extent = (s.kernel.w - 1) * s.dilation.w + 1;
    const int64_t whole0 = std::min(s.ow, ceil_div(s.padding.left, s.strides.w));
    const int64_t whole1 =
        std::clamp(floor_div(s.w + s.padding.left - extent, s.strides.w) + 1, whole0, s.ow);
    const auto call = [&](int64_t ow, int64_t windows) {
        cells.find(s, oh, ow);
        visit(simd::WindowRow{windows, s.c, s.strides.w * s.c, cells.count, windows_overlap(s)},
              oh * s.ow + ow);
    };
    for (int64_t ow = 0; ow < whole0; ++ow) call(ow, 1);
    if (whole1 > whole0) call(whole0, whole1 - whole0);
    for (int64_t ow = whole1; ow < s.ow; ++ow) call(ow, 1);
}

// Calls forward(row, taps, y) for the windows of rows first_row .. last_row of all images:
// x (n, h, w, c), y (n, oh, ow, c).
template <class Forward>
void pool_rows(const WindowShape& s, const float* x, float* y, int64_t first_row, int64_t last_row,
               const Forward& forward) {
    Scratch scratch;
    WindowCells cells(s, scratch);
    const float** taps = scratch.take<const float*>(WindowCells::most(s));
    for (int64_t r = first_row; r < last_row; ++r) {
        const float* image = x + r / s.oh * s.h * s.w * s.c;
        float* out = y + r / s.oh * s.oh * s.ow * s.c;
        for_each_window_row(s, r % s.oh, cells, [&](const simd::WindowRow& row, int64_t first) {
            for (int t = 0; t < row.count; ++t) taps[t] = image + cells.pixels[t] * s.c;
            forward(row, taps, out + first * s.c);
        });
    }
}

}  // namespace pyconv
