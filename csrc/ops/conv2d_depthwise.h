// Convolution of each channel by itself, and its gradients: vectors run over the channels of a
// pixel, which are read where they lie. No padded copy: cells at the border leave out the taps
// outside the image.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ops/conv_taps.h"
#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

// Whether this is such a convolution, of channels in whole vectors.
bool uses_depthwise(const Conv2dShape& s);

// A TapConv (conv_taps.h) of one channel, for each of `channels` that lie side by side in src and
// dst. Its taps are all pairs of some rows and some columns, in that order.
class DepthwisePlan {
public:
    DepthwisePlan(TapConv conv, int64_t channels);

    // Packs w (matrices, channels), of which tap t takes matrix matrices[t], into workspace.
    const float* pack(const float* w, const std::vector<int64_t>& matrices,
                      Workspace& workspace) const;

    // As TapPlan's, for all channels.
    void run(int64_t images, const float* src, const float* packed, const float* bias,
             Activation activation, float* dst) const;

    // dw (taps, channels) = sum over the cells of all images of src * ddst
    void backward_weights(int64_t images, const float* src, const float* ddst, float* dw) const;

private:
    // The rows of taps that are inside the image at a row of cells: first and end.
    std::pair<int64_t, int64_t> inside_rows(int64_t top) const;
    // Cells side by side of a row that meet the same columns of taps.
    struct Segment {
        int64_t first, cells;
        std::vector<int64_t> taps;     // which they are, row by row
        std::vector<int64_t> offsets;  // of each from the source pixel of the first cell
        int64_t weights;               // where they begin, packed (channels / lanes, taps, lanes)
    };
    bool inside(int64_t col, int64_t cell) const;
    void add_rows(int64_t image, int64_t first, int64_t end, const float* src, const float* ddst,
                  float* sums) const;
    void add_segment(int64_t first, int64_t cells);

    TapConv conv_;
    int64_t channels_, lanes_;
    std::vector<int64_t> rows_;  // of the taps
    int64_t cols_;               // taps of a row
    std::vector<Segment> segments_;
    int64_t packed_size_ = 0;
};

}  // namespace pyconv
