#include "ops/shapes.h"

#include <algorithm>

#include "check.h"

namespace pyconv {
namespace {

void check_pair(const char* op, const char* name, Size2 value) {
    if (value.h < 1 || value.w < 1)
        fail(op, name, " must be at least 1, got (", value.h, ", ", value.w, ")");
}

int64_t window_count(const char* op, int64_t size, int64_t before, int64_t after, int64_t kernel,
                     int64_t stride, int64_t dilation) {
    const int64_t padded = checked_add(op, checked_add(op, size, before), after);
    const int64_t extent = checked_add(op, checked_mul(op, kernel - 1, dilation), 1);
    if (extent > padded)
        fail(op, "a window of ", kernel, " cells (dilation ", dilation,
             ") does not fit into an input of ", size, " with padding ", before, " and ", after,
             "; use padding='same' or a smaller window");
    return (padded - extent) / stride + 1;
}

}  // namespace

WindowShape window_shape(const char* op, int64_t n, int64_t h, int64_t w, int64_t c, Size2 kernel,
                         Size2 strides, Padding2 padding, Size2 dilation) {
    check_pair(op, "the window's size", kernel);
    check_pair(op, "strides", strides);
    check_pair(op, "dilation", dilation);
    if (padding.top < 0 || padding.bottom < 0 || padding.left < 0 || padding.right < 0)
        fail(op, "padding must not be negative, got ((", padding.top, ", ", padding.bottom, "), (",
             padding.left, ", ", padding.right, "))");
    if (n < 0 || h < 1 || w < 1 || c < 1)
        fail(op, "x must be (N, H, W, C) with at least one pixel and one channel, got (", n, ", ",
             h, ", ", w, ", ", c, ")");
    WindowShape s{n, h, w, c, kernel, strides, dilation, padding, 0, 0};
    s.oh = window_count(op, h, padding.top, padding.bottom, kernel.h, strides.h, dilation.h);
    s.ow = window_count(op, w, padding.left, padding.right, kernel.w, strides.w, dilation.w);
    checked_mul(op, checked_mul(op, kernel.h, kernel.w), c);
    const double rows = static_cast<double>(h) + padding.top + padding.bottom;
    const double cols = static_cast<double>(w) + padding.left + padding.right;
    check_memory(op, "an image with its padding", rows * cols * static_cast<double>(c));
    return s;
}

Conv2dShape conv2d_shape(const char* op, const WindowShape& window, int64_t oc, int64_t groups) {
    if (groups < 1) fail(op, "groups must be at least 1, got ", groups);
    if (oc < 1) fail(op, "w must have at least one filter, got ", oc);
    if (window.c % groups != 0 || oc % groups != 0)
        fail(op, "groups (", groups, ") must divide the input's channels (", window.c,
             ") and the filters (", oc, ")");
    return {window, oc, groups};
}

WindowShape pool2d_shape(const char* op, int64_t n, int64_t h, int64_t w, int64_t c, Size2 pool,
                         Size2 strides, Padding2 padding) {
    const WindowShape s = window_shape(op, n, h, w, c, pool, strides, padding, {1, 1});
    // The kernels number a window's cells in float32.
    if (std::min(pool.h, h) * std::min(pool.w, w) > 1 << 24)
        fail(op, "pool_size (", pool.h, ", ", pool.w, ") must not cover more than 2**24 pixels");
    // Also the last windows must reach back into the image.
    if (padding.top >= pool.h || padding.left >= pool.w ||
        (s.oh - 1) * strides.h >= padding.top + h || (s.ow - 1) * strides.w >= padding.left + w)
        fail(op, "padding ((", padding.top, ", ", padding.bottom, "), (", padding.left, ", ",
             padding.right, ")) leaves a window without a cell of the image; it must be smaller",
             " than pool_size (", pool.h, ", ", pool.w, ")");
    return s;
}

}  // namespace pyconv
