// What augmentation does to a batch of images: moves, flips, warps, and parts that are erased.
// Each image has its own numbers, which the caller drew.
#pragma once

#include <cstdint>

namespace pyconv {

struct ImageBatch {
    int64_t n, h, w, c;
};

// What lies outside of an image: a value; the nearest cell; the image mirrored at its edge, the
// edge twice (dcba|abcd|dcba); or the image again (abcd|abcd|abcd).
struct Outside {
    enum Mode { kConstant, kNearest, kReflect, kWrap } mode;
    float value;
};

// y (n, oh, ow, c) = x[top + i, left + j]; with a flip, i or j counts from the other end.
// cuts (n, 4): top, left, whether rows are flipped, whether columns are.
void crop_flip(const ImageBatch& shape, int64_t oh, int64_t ow, const float* x, const int64_t* cuts,
               const Outside& outside, float* y);

// y (n, h, w, c) = x at row a0*i + a1*j + a2 and column a3*i + a4*j + a5, between its four
// neighbours or the nearest one. matrices (n, 6): a0 to a5.
void affine_transform(const ImageBatch& shape, const float* x, const double* matrices,
                      bool bilinear, const Outside& outside, float* y);

// y = x with rows [top, bottom) and columns [left, right) set to the image's values.
// boxes (n, 4): top, bottom, left, right, inside of the image; values (n, c).
void erase(const ImageBatch& shape, const float* x, const int64_t* boxes, const float* values,
           float* y);

}  // namespace pyconv
