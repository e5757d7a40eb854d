// The walk over windows that the pooling operations share: a thread has one channel of a pixel, and
// neighbours have neighbouring channels, whose values lie side by side.
#pragma once

#include "divisor.cuh"
#include "elementwise.cuh"
#include "parts.h"

namespace pyconv::cuda {

struct PoolGeometry {
    int images, h, w, c, oh, ow;
    int kernel_h, kernel_w, stride_h, stride_w, top, left;
    Divisor by_c, by_w, by_h, by_ow, by_oh, by_stride_h, by_stride_w;

    PoolGeometry(const WindowShape& shape, int64_t n) : PoolGeometry(n, within_image(shape)) {}

    int input_values() const { return images * h * w * c; }
    int output_values() const { return images * oh * ow * c; }

private:
    PoolGeometry(int64_t n, const WindowShape& s)
        : images(static_cast<int>(n)),
          h(static_cast<int>(s.h)),
          w(static_cast<int>(s.w)),
          c(static_cast<int>(s.c)),
          oh(static_cast<int>(s.oh)),
          ow(static_cast<int>(s.ow)),
          kernel_h(static_cast<int>(s.kernel.h)),
          kernel_w(static_cast<int>(s.kernel.w)),
          stride_h(static_cast<int>(s.strides.h)),
          stride_w(static_cast<int>(s.strides.w)),
          top(static_cast<int>(s.padding.top)),
          left(static_cast<int>(s.padding.left)),
          by_c(s.c),
          by_w(s.w),
          by_h(s.h),
          by_ow(s.ow),
          by_oh(s.oh),
          by_stride_h(s.strides.h),
          by_stride_w(s.strides.w) {}
};

// A value (image, row, col, channel) of an array.
struct Position {
    int image, row, col, channel;
    __device__ __forceinline__ Position(int i, const Divisor& by_c, const Divisor& by_cols,
                                        const Divisor& by_rows) {
        image = by_rows.divide(by_cols.divide(by_c.divide(i, channel), col), row);
    }
};

// Cells [row0, row1) x [col0, col1) of the image that lie in the window of an output pixel.
struct WindowCells {
    int row0, row1, col0, col1;
    __device__ __forceinline__ WindowCells(const PoolGeometry& g, int row, int col) {
        const int r = row * g.stride_h - g.top, c = col * g.stride_w - g.left;
        row0 = max(r, 0);
        row1 = min(r + g.kernel_h, g.h);
        col0 = max(c, 0);
        col1 = min(c + g.kernel_w, g.w);
    }
    __device__ __forceinline__ int count() const { return (row1 - row0) * (col1 - col0); }
    __device__ __forceinline__ int number(int row, int col) const {
        return (row - row0) * (col1 - col0) + col - col0;
    }
};

// Windows [row0, row1) x [col0, col1) that a cell of the image lies in.
struct WindowsOf {
    int row0, row1, col0, col1;
    __device__ __forceinline__ WindowsOf(const PoolGeometry& g, int row, int col) {
        const int r = row + g.top, c = col + g.left;
        row0 = first(r - g.kernel_h, g.by_stride_h);
        row1 = min(g.by_stride_h.quotient(r) + 1, g.oh);
        col0 = first(c - g.kernel_w, g.by_stride_w);
        col1 = min(g.by_stride_w.quotient(c) + 1, g.ow);
    }

private:
    __device__ static __forceinline__ int first(int before, const Divisor& by_stride) {
        return before < 0 ? 0 : by_stride.quotient(before) + 1;
    }
};

}  // namespace pyconv::cuda
