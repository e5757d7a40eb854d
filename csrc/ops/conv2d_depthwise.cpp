#include "ops/conv2d_depthwise.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {

bool uses_depthwise(const Conv2dShape& s) {
    return s.groups > 1 && s.group_c() == 1 && s.group_oc() == 1 &&
           s.groups % simd::kernels().lanes == 0;
}

DepthwisePlan::DepthwisePlan(TapConv conv, int64_t channels)
    : conv_(std::move(conv)), channels_(channels), lanes_(simd::kernels().lanes) {
    for (const Tap& tap : conv_.taps)
        if (rows_.empty() || rows_.back() != tap.row) rows_.push_back(tap.row);
    cols_ = rows_.empty() ? 0 : static_cast<int64_t>(conv_.taps.size() / rows_.size());
    const auto whole = [&](int64_t cell) {
        for (int64_t j = 0; j < cols_; ++j)
            if (!inside(j, cell)) return false;
        return true;
    };
    for (int64_t cell = 0; cell < conv_.gw;) {
        int64_t end = cell;
        while (end < conv_.gw && whole(end)) ++end;
        end = std::max(end, cell + 1);
        add_segment(cell, end - cell);
        cell = end;
    }
}

bool DepthwisePlan::inside(int64_t col, int64_t cell) const {
    const int64_t at = cell * conv_.sw + conv_.taps[col].col;
    return at >= 0 && at < conv_.w;
}

void DepthwisePlan::add_segment(int64_t first, int64_t cells) {
    Segment segment{first, cells, {}, {}, packed_size_};
    for (int64_t t = 0; t < static_cast<int64_t>(conv_.taps.size()); ++t) {
        if (!inside(t % cols_, first)) continue;
        segment.taps.push_back(t);
        segment.offsets.push_back((conv_.taps[t].row * conv_.w + conv_.taps[t].col) * conv_.src_ld);
    }
    packed_size_ += static_cast<int64_t>(segment.taps.size()) * channels_;
    segments_.push_back(std::move(segment));
}

const float* DepthwisePlan::pack(const float* w, const std::vector<int64_t>& matrices,
                                 Workspace& workspace) const {
    float* packed = workspace.take<float>(packed_size_);
    for (const Segment& segment : segments_) {
        float* to = packed + segment.weights;
        for (int64_t c = 0; c < channels_; c += lanes_)
            for (int64_t tap : segment.taps) {
                std::memcpy(to, w + matrices[tap] * channels_ + c, sizeof(float) * lanes_);
                to += lanes_;
            }
    }
    return packed;
}

void DepthwisePlan::run(int64_t images, const float* src, const float* packed, const float* bias,
                        Activation activation, float* dst) const {
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    const int64_t tap_rows = static_cast<int64_t>(rows_.size());
    parallel_for(images * conv_.gh, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
            const int64_t image = r / conv_.gh, cell_row = r % conv_.gh, top = cell_row * conv_.sh;
            // Rows of taps inside the image.
            int64_t row0 = 0, row1 = tap_rows;
            while (row0 < row1 && top + rows_[row0] < 0) ++row0;
            while (row1 > row0 && top + rows_[row1 - 1] >= conv_.h) --row1;
            const float* x = src + (image * conv_.h + top) * conv_.w * conv_.src_ld;
            float* y = dst + image * conv_.dst_image + cell_row * conv_.dst_row;
            for (const Segment& s : segments_) {
                const int64_t taps = static_cast<int64_t>(s.taps.size());
                const int64_t cols = tap_rows ? taps / tap_rows : 0;
                simd::kernels().depthwise_windows(
                    s.cells, channels_, static_cast<int>((row1 - row0) * cols),
                    x + s.first * conv_.sw * conv_.src_ld, conv_.sw * conv_.src_ld,
                    s.offsets.data() + row0 * cols, packed + s.weights + row0 * cols * lanes_, taps,
                    bias, y + s.first * conv_.dst_col, conv_.dst_col, flags);
            }
        }
    });
}

}  // namespace pyconv
