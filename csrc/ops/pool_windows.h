// The walk over windows that the pooling operations share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/shapes.h"

namespace pyconv {

// Calls visit(cells, count, output pixel) for each window of one output row, in order.
// cells[t] is the index of a cell's pixel in its image, in scan order, padding left out.
// `cells` has room for a whole window.
template <class Visit>
void for_each_window(const WindowShape& s, int64_t oh, int64_t* cells, const Visit& visit) {
    const int64_t top = oh * s.strides.h - s.padding.top;
    const int64_t h0 = std::max<int64_t>(0, top), h1 = std::min(s.h, top + s.kernel.h);
    for (int64_t ow = 0; ow < s.ow; ++ow) {
        const int64_t left = ow * s.strides.w - s.padding.left;
        const int64_t w0 = std::max<int64_t>(0, left), w1 = std::min(s.w, left + s.kernel.w);
        int count = 0;
        for (int64_t h = h0; h < h1; ++h)
            for (int64_t w = w0; w < w1; ++w) cells[count++] = h * s.w + w;
        visit(cells, count, oh * s.ow + ow);
    }
}

// The largest number of cells of a window.
inline int64_t window_cells(const WindowShape& s) {
    return std::min(s.kernel.h, s.h) * std::min(s.kernel.w, s.w);
}

}  // namespace pyconv
