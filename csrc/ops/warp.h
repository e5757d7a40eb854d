// Images that are warped: each cell of the result is read from some place of the image.
#pragma once

#include <cstdint>

#include "ops/augment.h"
#include "scratch.h"

namespace pyconv {

// Of an image (h, w, c).
struct ImageSize {
    int64_t h, w, c;
    int64_t line() const { return w * c; }
    int64_t size() const { return h * w * c; }
};

// The cell that stands for cell i of a row of n, or -1 for the constant.
int64_t cell_for(int64_t i, int64_t n, Outside::Mode mode);

// The four neighbours of a place between cells, and their weights.
struct Place {
    int64_t row, column;
    float down, right;  // shares of the next row and the next column
};

// Warps images of one size, in memory that lives as long as `scratch`.
class Warp {
public:
    Warp(const ImageSize& image, const AugmentStage& stage, Scratch& scratch);

    // y = x by a matrix a0 to a5 (see AugmentStage::kAffine)
    void run(const float* x, const double* a, float* y) const;

private:
    bool framed(const float* x, const double* a, float* y) const;
    bool near(double at, double step, int64_t n) const;
    const float* row_at(const float* x, int64_t r) const;
    const float* cell_at(const float* row, int64_t column) const;
    void mix(const float* upper, const float* lower, const Place& at, float* y) const;
    void pixel(const float* x, double row, double column, float* y) const;
    void moved_row(const float* x, const Place& first, float* y) const;

    ImageSize s_;
    bool bilinear_;
    Outside outside_;
    int64_t ld_;
    float *copy_, *inner_;     // the image, in a frame of one cell where outside is a constant
    float* blank_;             // a row of the constant
    float* framed_ = nullptr;  // an image of three channels with what is read around it
};

}  // namespace pyconv
