#include "ops/conv2d_groups.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kTileFloats = 6 << 10;  // spread at once: what stays in the cache
constexpr int64_t kMinTileRows = 4;       // neighbours spread the rows between them twice
constexpr int64_t kMaxTileCols = 64;
// How a gradient's sum over cells is cut; nothing of it depends on the number of threads.
constexpr int64_t kTasks = 64;
constexpr int64_t kChunkCells = 256;
constexpr int64_t kVisitCells = 128;  // long chains of additions lose precision

}  // namespace

bool spreading_pays(int64_t c, int64_t oc, int64_t groups) {
    const int64_t lanes = simd::kernels().lanes;
    return groups > 1 && 2 * oc <= lanes && c <= 2 * lanes;
}

SpreadPlan::Axis::Axis(const std::vector<Phase>& phases, int64_t Tap::* at, int64_t stride)
    : stride(stride), first(INT64_MAX) {
    int64_t last = INT64_MIN;
    for (const Phase& phase : phases) {
        for (const Tap& tap : phase.conv.taps) {
            first = std::min(first, tap.*at);
            last = std::max(last, tap.*at);
        }
    }
    if (first > last) first = last = 0;  // no taps
    step = first == last ? stride : 1;
    extent = last - first + 1;
}

SpreadPlan::SpreadPlan(std::vector<Phase> phases, int64_t groups)
    : phases_(std::move(phases)),
      c_(phases_[0].conv.c),
      oc_(phases_[0].conv.oc),
      groups_(groups),
      lanes_(simd::kernels().lanes),
      block_groups_(std::min(lanes_ / oc_, groups)),
      blocks_(ceil_div(groups, block_groups_)),
      inputs_(inputs(0)),
      last_inputs_(inputs(blocks_ - 1)),
      rows_(phases_, &Tap::row, phases_[0].conv.sh),
      cols_(phases_, &Tap::col, phases_[0].conv.sw) {
    const int64_t gh = phases_[0].conv.gh, gw = phases_[0].conv.gw;
    col_tiles_ = ceil_div(gw, kMaxTileCols);
    tile_cols_ = ceil_div(gw, col_tiles_);
    int64_t rows = std::min(kMinTileRows, gh);
    while (rows < gh && rows_.size(rows + 1) * row_size() <= kTileFloats) ++rows;
    row_tiles_ = ceil_div(gh, rows);
    tile_rows_ = ceil_div(gh, row_tiles_);
    for (const Phase& phase : phases_)
        for (const Tap& tap : phase.conv.taps)
            for (int64_t c = 0; c < c_; ++c)
                offsets_.push_back((tap.row - rows_.first) * row_size() +
                                   (tap.col - cols_.first) * pixel_size() + c * lanes_);
}

int64_t SpreadPlan::outputs(int64_t block) const {
    return std::min(block_groups_, groups_ - block * block_groups_) * oc_;
}

SpreadPlan::Tile SpreadPlan::tile(int64_t index) const {
    Tile t;
    t.image = index / tiles();
    t.row = index % tiles() / col_tiles_ * tile_rows_;
    t.col = index % col_tiles_ * tile_cols_;
    t.rows = std::min(tile_rows_, phases_[0].conv.gh - t.row);
    t.cols = std::min(tile_cols_, phases_[0].conv.gw - t.col);
    return t;
}

// (c, lanes): which of the block's channels each lane meets.
std::vector<int> SpreadPlan::inputs(int64_t block) const {
    std::vector<int> index;
    for (int64_t c = 0; c < c_; ++c)
        for (int64_t lane = 0; lane < lanes_; ++lane)
            index.push_back(static_cast<int>(lane < outputs(block) ? lane / oc_ * c_ + c : 0));
    return index;
}

void SpreadPlan::spread(const Tile& tile, int64_t block, const float* src, float* dst) const {
    const TapConv& conv = phases_[0].conv;
    const bool in_order = c_ == 1 && oc_ == 1;
    const int* index = in_order ? nullptr : (block < blocks_ - 1 ? inputs_ : last_inputs_).data();
    const int64_t first = block * block_groups_ * c_;
    const int64_t span = outputs(block) / oc_ * c_, readable = groups_ * c_ - first;
    const int64_t cols = cols_.size(tile.cols), left = cols_.start(tile.col);
    const int64_t before = std::clamp<int64_t>(ceil_div(-left, cols_.step), 0, cols);
    const int64_t end = std::clamp(ceil_div(conv.w - left, cols_.step), before, cols);
    for (int64_t i = 0; i < rows_.size(tile.rows); ++i, dst += row_size()) {
        const int64_t row = rows_.start(tile.row) + i * rows_.step;
        if (row < 0 || row >= conv.h || before == end) {
            std::memset(dst, 0, sizeof(float) * cols * pixel_size());
            continue;
        }
        std::memset(dst, 0, sizeof(float) * before * pixel_size());
        simd::kernels().spread(
            end - before,
            src +
                ((tile.image * conv.h + row) * conv.w + left + before * cols_.step) * conv.src_ld +
                first,
            cols_.step * conv.src_ld, span, readable, static_cast<int>(conv.c), index,
            dst + before * pixel_size());
        std::memset(dst + end * pixel_size(), 0, sizeof(float) * (cols - end) * pixel_size());
    }
}

void SpreadPlan::run(int64_t images, const float* src, const float* packed, const float* bias,
                     Activation activation, float* dst) const {
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    parallel_for(images * tiles() * blocks_, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* x = scratch.take<float>(spread_size());
        for (int64_t task = begin; task < end; ++task) {
            const int64_t block = task % blocks_, first = first_output(block);
            const Tile t = tile(task / blocks_);
            spread(t, block, src, x);
            const float* weights = packed + block * terms() * lanes_;
            const int64_t* offsets = offsets_.data();
            for (const Phase& phase : phases_) {
                const TapConv& conv = phase.conv;
                const int64_t count = static_cast<int64_t>(conv.taps.size()) * c_;
                const int64_t rows = std::min(t.rows, conv.gh - t.row);
                const int64_t cols = std::min(t.cols, conv.gw - t.col);
                float* y = dst + phase.dst + t.image * conv.dst_image + t.row * conv.dst_row +
                           t.col * conv.dst_col + first;
                for (int64_t i = 0; i < rows && cols > 0; ++i)
                    simd::kernels().spread_windows(
                        cols, static_cast<int>(outputs(block)), static_cast<int>(count),
                        x + i * row_step(), col_step(), offsets, weights,
                        bias ? bias + first : nullptr, y + i * conv.dst_row, conv.dst_col, flags);
                offsets += count;
                weights += count * lanes_;
            }
        }
    });
}

void SpreadPlan::backward_weights(int64_t n, const float* src, const float* ddst, float* dw) const {
    const simd::Kernels& k = simd::kernels();
    const TapConv& conv = phases_[0].conv;
    const int64_t count = n * tiles(), size = terms() * lanes_;
    const int64_t chunks = std::max<int64_t>(
        1, std::min({count, ceil_div(kTasks, blocks_), n * conv.gh * conv.gw / kChunkCells}));
    Scratch shared;
    float* sums = shared.take<float>(chunks * blocks_ * size);
    parallel_for(chunks * blocks_, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* x = scratch.take<float>(spread_size());
        float* visit = scratch.take<float>(size);
        for (int64_t task = begin; task < end; ++task) {
            const int64_t chunk = task / blocks_, block = task % blocks_;
            float* sum = sums + task * size;
            std::memset(sum, 0, sizeof(float) * size);
            for (int64_t i = count * chunk / chunks; i < count * (chunk + 1) / chunks; ++i) {
                const Tile t = tile(i);
                spread(t, block, src, x);
                const int64_t rows = std::max<int64_t>(1, kVisitCells / t.cols);
                for (int64_t row = 0; row < t.rows; row += rows) {
                    const simd::PixelWalk walk{1,           std::min(rows, t.rows - row),
                                               t.cols,      0,
                                               row_step(),  col_step(),
                                               0,           conv.dst_row,
                                               conv.dst_col};
                    std::memset(visit, 0, sizeof(float) * size);
                    k.spread_backward(static_cast<int>(outputs(block)), static_cast<int>(terms()),
                                      walk, x + row * row_step(), offsets_.data(),
                                      ddst + t.image * conv.dst_image +
                                          (t.row + row) * conv.dst_row + t.col * conv.dst_col +
                                          first_output(block),
                                      visit);
                    k.add(size, visit, sum);
                }
            }
        }
    });
    for (int64_t t = 0; t < terms(); ++t) {
        for (int64_t block = 0; block < blocks_; ++block) {
            float* out = dw + t * groups_ * oc_ + first_output(block);
            const float* sum = sums + block * size + t * lanes_;
            std::memcpy(out, sum, sizeof(float) * outputs(block));
            for (int64_t chunk = 1; chunk < chunks; ++chunk)
                k.add(outputs(block), sum + chunk * blocks_ * size, out);
        }
    }
}

}  // namespace pyconv
