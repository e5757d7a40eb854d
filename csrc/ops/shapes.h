// Shapes of the windowed operations, checked once, before anything is allocated.
#pragma once

#include <cstdint>

namespace pyconv {

enum class Activation { kLinear, kRelu };

struct Size2 {
    int64_t h, w;
};

struct Padding2 {
    int64_t top, bottom, left, right;
};

// Windows over an image: x (n, h, w, c) -> (n, oh, ow, ...)
struct WindowShape {
    int64_t n, h, w, c;
    Size2 kernel, strides, dilation;
    Padding2 padding;
    int64_t oh, ow;
};

struct Conv2dShape : WindowShape {
    int64_t oc, groups;
    int64_t group_c() const { return c / groups; }
    int64_t group_oc() const { return oc / groups; }
};

// Throws std::invalid_argument naming `op` where an argument or the result's size is impossible.
WindowShape window_shape(const char* op, int64_t n, int64_t h, int64_t w, int64_t c, Size2 kernel,
                         Size2 strides, Padding2 padding, Size2 dilation);
Conv2dShape conv2d_shape(const char* op, const WindowShape& window, int64_t oc, int64_t groups);
// As window_shape; each window must hold at least one cell of the image.
WindowShape pool2d_shape(const char* op, int64_t n, int64_t h, int64_t w, int64_t c, Size2 pool,
                         Size2 strides, Padding2 padding);

}  // namespace pyconv
