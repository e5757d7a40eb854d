// The walk over windows that the pooling operations share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"
#include "ops/shapes.h"
#include "simd/kernels.h"

namespace pyconv {

// The cells of a window that lie in the image, in scan order, as indices of pixels.
// `cells` has room for window_cells(s).
inline int cells_of_window(const WindowShape& s, int64_t oh, int64_t ow, int64_t* cells) {
    const int64_t top = oh * s.strides.h - s.padding.top;
    const int64_t left = ow * s.strides.w - s.padding.left;
    const int64_t h0 = std::max<int64_t>(0, top), h1 = std::min(s.h, top + s.kernel.h);
    const int64_t w0 = std::max<int64_t>(0, left), w1 = std::min(s.w, left + s.kernel.w);
    int count = 0;
    for (int64_t h = h0; h < h1; ++h)
        for (int64_t w = w0; w < w1; ++w) cells[count++] = h * s.w + w;
    return count;
}

// The largest number of cells of a window.
inline int64_t window_cells(const WindowShape& s) {
    return std::min(s.kernel.h, s.h) * std::min(s.kernel.w, s.w);
}

inline bool windows_overlap(const WindowShape& s) {
    return s.strides.h < s.kernel.h || s.strides.w < s.kernel.w;
}

// Whether every cell belongs to exactly one window, so that a gradient writes all of dx.
inline bool windows_cover(const WindowShape& s) {
    const Padding2& p = s.padding;
    return s.strides.h == s.kernel.h && s.strides.w == s.kernel.w && p.top == 0 && p.bottom == 0 &&
           p.left == 0 && p.right == 0 && s.h % s.kernel.h == 0 && s.w % s.kernel.w == 0;
}

// Calls visit(row, cells, first) for the windows of output row oh: those that lie inside the
// image side by side at once, the others one by one. `cells` are the first window's, `first` is
// its output pixel.
template <class Visit>
void for_each_window_row(const WindowShape& s, int64_t oh, int64_t* cells, const Visit& visit) {
    const int64_t whole0 = std::min(s.ow, ceil_div(s.padding.left, s.strides.w));
    const int64_t whole1 = std::clamp(
        floor_div(s.w + s.padding.left - s.kernel.w, s.strides.w) + 1, whole0, s.ow);
    const auto call = [&](int64_t ow, int64_t windows) {
        const int count = cells_of_window(s, oh, ow, cells);
        const simd::WindowRow row{windows, s.c, s.strides.w * s.c, count, windows_overlap(s)};
        visit(row, cells, oh * s.ow + ow);
    };
    for (int64_t ow = 0; ow < whole0; ++ow) call(ow, 1);
    if (whole1 > whole0) call(whole0, whole1 - whole0);
    for (int64_t ow = whole1; ow < s.ow; ++ow) call(ow, 1);
}

// Calls forward(row, taps, y) for all windows of x (n, h, w, c), y (n, oh, ow, c).
template <class Forward>
void pool_rows(const WindowShape& s, const float* x, float* y, int64_t first_row,
               int64_t last_row, int64_t* cells, const float** taps, const Forward& forward) {
    for (int64_t r = first_row; r < last_row; ++r) {
        const float* image = x + r / s.oh * s.h * s.w * s.c;
        float* out = y + r / s.oh * s.oh * s.ow * s.c;
        for_each_window_row(s, r % s.oh, cells,
                            [&](const simd::WindowRow& row, const int64_t* at, int64_t first) {
                                for (int t = 0; t < row.count; ++t) taps[t] = image + at[t] * s.c;
                                forward(row, taps, out + first * s.c);
                            });
    }
}

}  // namespace pyconv
