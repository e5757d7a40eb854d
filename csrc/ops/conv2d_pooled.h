// Convolution and max pooling of 2x2 cells side by side, in registers: the direct algorithm, for
// products short enough for one pass.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/shapes.h"

namespace pyconv {

// Whether windows are 2x2 cells side by side, all in the image.
bool pools_pairs(const Conv2dShape& conv, const WindowShape& pool);

// Whether PooledConv computes this convolution.
bool pools_in_registers(const Conv2dShape& conv);

class PooledConv {
public:
    explicit PooledConv(const Conv2dShape& conv);

    // Packed filters as TapPlan has them: panels of (kh * kw * c, nr). x (images, h, w, c) -> y and
    // winners (images, oh / 2, ow / 2, oc), as in maxpool2d.h; b and winners may be null.
    void run(int64_t images, const float* x, const float* panels, const float* b,
             Activation activation, float* y, float* winners) const;

private:
    struct Row;
    void windows(const Row& row, int64_t first, int64_t count, const float* source,
                 int64_t source_row, const std::vector<int64_t>& offsets) const;

    Conv2dShape s_;
    int64_t run_;              // floats of a filter row that lie side by side in memory
    int64_t inner0_, inner1_;  // windows whose columns all lie in the image
    int64_t patch_row_;        // floats of a row of a padded copy
    std::vector<int64_t> offsets_, patch_offsets_;  // of the runs, in the image and in the copy
};

}  // namespace pyconv
