// Batches in parts whose arrays the kernels can index with 32 bits, which keeps addresses in half
// as many registers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"
#include "ops/shapes.h"

namespace pyconv::cuda {

constexpr int64_t kMostIndex = int64_t{1} << 30;

// Calls body(first, images) for parts of n images, of which each array has at most `values` values.
template <class Body>
void for_each_part(const char* op, int64_t n, int64_t values, const Body& body) {
    if (values > kMostIndex)
        fail(op, "an image must have at most 2**30 values on a CUDA device, got ", values);
    const int64_t part = kMostIndex / std::max<int64_t>(values, 1);
    for (int64_t first = 0; first < n; first += part) body(first, std::min(part, n - first));
}

// The larger of an image's input and result, of `oc` channels.
inline int64_t image_values(const WindowShape& s, int64_t oc) {
    return std::max(s.h * s.w * s.c, s.oh * s.ow * oc);
}

// Strides and dilations that are never stepped along may be larger than any image: 1 instead.
template <class Shape>
Shape within_image(Shape s) {
    if (s.oh == 1) s.strides.h = 1;
    if (s.ow == 1) s.strides.w = 1;
    if (s.kernel.h == 1) s.dilation.h = 1;
    if (s.kernel.w == 1) s.dilation.w = 1;
    return s;
}

}  // namespace pyconv::cuda
