// What augmentation does to a batch of images: moves, flips, warps, parts that are erased, and
// values that are changed. Each image has its own numbers, which the caller drew.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/gather.h"

namespace pyconv {

struct ImageBatch {
    int64_t n, h, w, c;
};

// What lies outside of an image: a value; the nearest cell; the image mirrored at its edge, the
// edge twice (dcba|abcd|dcba); or the image again (abcd|abcd|abcd).
struct Outside {
    enum Mode { kConstant, kNearest, kReflect, kWrap } mode = kConstant;
    float value = 0;
};

// One change of all images of a batch of n.
struct AugmentStage {
    enum Kind {
        // y (h, w, c) = x[top + i, left + j]; with a flip, i or j counts from the other end.
        // cells (n, 4): top, left, whether rows are flipped, whether columns are.
        kCropFlip,
        // y = x at row a0*i + a1*j + a2 and column a3*i + a4*j + a5, between its four neighbours
        // or the nearest one. matrices (n, 6): a0 to a5.
        kAffine,
        // Rows [top, bottom) and columns [left, right) set to the image's values.
        // cells (n, 4): top, bottom, left, right, inside of the image; values (n, c).
        kErase,
        // y = x * factor + added, from `least` to `most`. values (n, 2): factor, added.
        kScale,
        // y = (x - mean) * factor + mean with the mean of the image's channel, from `least` to
        // `most`. values (n, 1): factor.
        kContrast,
        // y = x + factor * (grey - x) with the grey of the pixel, from `least` to `most`. values
        // (n, 1): factor. These three take images of 3 channels, red, green and blue.
        kGrey,
        // The saturation times factor, up to the full one. values (n, 1): factor.
        kSaturation,
        // The hue turned; values are taken as from `least` to `most`. values (n, 1): the turn, 1
        // for the whole circle.
        kHue,
    } kind;
    int64_t h, w;  // of the result
    const int64_t* cells = nullptr;
    const double* matrices = nullptr;
    const float* values = nullptr;
    bool bilinear = true;
    Outside outside = {};
    float least = 0, most = 0;
};

// y (n, ...) = the images of x after all stages, one after the other, each image while it is in
// the cache. x (*, h, w, c) has values of `type`; rows (n) are the numbers of its images, or null
// for the first n.
void augment(const ImageBatch& shape, const void* x, RowType type, const int64_t* rows,
             const std::vector<AugmentStage>& stages, float* y);

}  // namespace pyconv
