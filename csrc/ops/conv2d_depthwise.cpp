#include "ops/conv2d_depthwise.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// How a gradient's sum over cells is cut; nothing of it depends on the number of threads.
constexpr int64_t kChunks = 64;
constexpr int64_t kLine = 16;               // floats
constexpr int64_t kCacheFloats = 10 << 10;  // pixels and gradients of a visit
constexpr int64_t kChunkCells = 256;
constexpr int64_t kVisitCells = 128;  // long chains of additions lose precision

}  // namespace

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

std::pair<int64_t, int64_t> DepthwisePlan::inside_rows(int64_t top) const {
    int64_t row0 = 0, row1 = static_cast<int64_t>(rows_.size());
    while (row0 < row1 && top + rows_[row0] < 0) ++row0;
    while (row1 > row0 && top + rows_[row1 - 1] >= conv_.h) --row1;
    return {row0, row1};
}

void DepthwisePlan::run(int64_t images, const float* src, const float* packed, const float* bias,
                        Activation activation, float* dst) const {
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    parallel_for(images * conv_.gh, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
            const int64_t image = r / conv_.gh, cell_row = r % conv_.gh, top = cell_row * conv_.sh;
            const auto [row0, row1] = inside_rows(top);
            const float* x = src + (image * conv_.h + top) * conv_.w * conv_.src_ld;
            float* y = dst + image * conv_.dst_image + cell_row * conv_.dst_row;
            for (const Segment& s : segments_) {
                const int64_t taps = static_cast<int64_t>(s.taps.size());
                const int64_t cols = rows_.empty() ? 0 : taps / static_cast<int64_t>(rows_.size());
                simd::kernels().depthwise_windows(
                    s.cells, channels_, static_cast<int>((row1 - row0) * cols),
                    x + s.first * conv_.sw * conv_.src_ld, conv_.sw * conv_.src_ld,
                    s.offsets.data() + row0 * cols, packed + s.weights + row0 * cols * lanes_, taps,
                    bias, y + s.first * conv_.dst_col, conv_.dst_col, flags);
            }
        }
    });
}

// A visit is some rows of cells of an image. Their pixels stay in the first cache for a few vectors
// of channels, which lie side by side in memory.
void DepthwisePlan::backward_weights(int64_t images, const float* src, const float* ddst,
                                     float* dw) const {
    const simd::Kernels& k = simd::kernels();
    const int64_t visit_rows = std::clamp<int64_t>(kVisitCells / conv_.gw, 1, conv_.gh);
    const int64_t image_visits = ceil_div(conv_.gh, visit_rows), visits = images * image_visits;
    const int64_t chunks = std::max<int64_t>(
        1, std::min({visits, kChunks, images * conv_.gh * conv_.gw / kChunkCells}));
    Scratch shared;
    float* sums = shared.take<float>(chunks * packed_size_);
    parallel_for(chunks, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* visit = scratch.take<float>(packed_size_);
        for (int64_t chunk = begin; chunk < end; ++chunk) {
            float* sum = sums + chunk * packed_size_;
            std::memset(sum, 0, sizeof(float) * packed_size_);
            for (int64_t v = visits * chunk / chunks; v < visits * (chunk + 1) / chunks; ++v) {
                const int64_t row = v % image_visits * visit_rows;
                std::memset(visit, 0, sizeof(float) * packed_size_);
                add_rows(v / image_visits, row, std::min(conv_.gh, row + visit_rows), src, ddst,
                         visit);
                k.add(packed_size_, visit, sum);
            }
        }
    });
    for (int64_t chunk = 1; chunk < chunks; ++chunk)
        k.add(packed_size_, sums + chunk * packed_size_, sums);
    std::memset(dw, 0, sizeof(float) * conv_.taps.size() * channels_);
    for (const Segment& segment : segments_) {
        const float* from = sums + segment.weights;
        for (int64_t c = 0; c < channels_; c += lanes_)
            for (int64_t tap : segment.taps) {
                k.add(lanes_, from, dw + tap * channels_ + c);
                from += lanes_;
            }
    }
}

// Adds the products of rows of cells to sums, packed as weights are.
void DepthwisePlan::add_rows(int64_t image, int64_t first, int64_t end, const float* src,
                             const float* ddst, float* sums) const {
    const int64_t tap_rows = static_cast<int64_t>(rows_.size());
    if (tap_rows == 0 || cols_ == 0) return;
    const int64_t row_size = conv_.w * conv_.src_ld, step = conv_.sw * conv_.src_ld;
    const float* x = src + image * conv_.h * row_size;
    const float* dy = ddst + image * conv_.dst_image;
    const int64_t rows = (end - first) * conv_.sh + rows_.back() - rows_.front();
    const int64_t pixels = rows * conv_.w + (end - first) * conv_.gw;
    const int64_t group = std::max<int64_t>(kLine, kCacheFloats / pixels / kLine * kLine);
    for (int64_t c0 = 0; c0 < channels_; c0 += group)
        for (int64_t row = first; row < end;) {
            const auto [row0, row1] = inside_rows(row * conv_.sh);
            int64_t next = row + 1;  // rows of cells that meet the same rows of taps
            while (next < end && inside_rows(next * conv_.sh) == std::pair(row0, row1)) ++next;
            for (int64_t c = c0; c < std::min(channels_, c0 + group) && row0 < row1; c += lanes_)
                for (const Segment& s : segments_) {
                    const int64_t taps = static_cast<int64_t>(s.taps.size());
                    const int64_t cols = taps / tap_rows;
                    if (cols == 0) continue;
                    const simd::PixelWalk walk{1, next - row,          s.cells,
                                               0, conv_.sh * row_size, step,
                                               0, conv_.dst_row,       conv_.dst_col};
                    simd::kernels().spread_backward(
                        static_cast<int>(lanes_), static_cast<int>((row1 - row0) * cols), walk,
                        x + row * conv_.sh * row_size + s.first * step + c,
                        s.offsets.data() + row0 * cols,
                        dy + row * conv_.dst_row + s.first * conv_.dst_col + c,
                        sums + s.weights + c * taps + row0 * cols * lanes_);
                }
            row = next;
        }
}

}  // namespace pyconv
