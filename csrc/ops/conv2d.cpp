// Products of pixels, read where they lie, with packed filters (conv_taps.h). No im2col, no padded
// copy.

#include "ops/conv2d.h"

#include <numeric>
#include <vector>

#include "ops/conv2d_depthwise.h"
#include "ops/conv2d_groups.h"
#include "ops/conv2d_kn2row.h"
#include "ops/conv2d_winograd.h"
#include "ops/conv_taps.h"
#include "scratch.h"

namespace pyconv {
Conv2dForward::Conv2dForward(const Conv2dShape& s, const float* w, const float* b,
                             Activation activation, Workspace& workspace)
    : s_(s), b_(b), activation_(activation) {
    if (uses_winograd(s)) {
        packed_ = winograd_filters(s, w, workspace);
        return;
    }
    if (uses_kn2row(s)) {
        kn2row_ = true;
        packed_ = kn2row_filters(s, w, workspace);
        return;
    }
    const int64_t c = s.group_c(), oc = s.group_oc();
    if (uses_depthwise(s)) {
        depthwise_ = std::make_unique<const DepthwisePlan>(forward_taps(s), s.groups);
        std::vector<int64_t> matrices(s.kernel.h * s.kernel.w);
        std::iota(matrices.begin(), matrices.end(), int64_t{0});
        packed_ = depthwise_->pack(w, matrices, workspace);
        return;
    }
    if (spreading_pays(c, oc, s.groups)) {
        spread_ = std::make_unique<const SpreadPlan>(
            std::vector<SpreadPlan::Phase>{{forward_taps(s), 0}}, s.groups);
        packed_ = spread_->pack(
            [&](int64_t tap, int64_t ic, int64_t o) { return w[(tap * c + ic) * s.oc + o]; },
            workspace);
        return;
    }
    taps_ = std::make_unique<const TapPlan>(forward_taps(s));
    const int64_t size = taps_->panels_size();
    float* panels = workspace.take<float>(s.groups * size);
    std::vector<int64_t> matrices;
    for (int64_t tap = 0; tap < s.kernel.h * s.kernel.w; ++tap) matrices.push_back(tap * c * s.oc);
    for (int64_t g = 0; g < s.groups; ++g)
        taps_->pack(w + g * oc, matrices, s.oc, false, panels + g * size);
    packed_ = panels;
    if (pools_in_registers(s)) pooled_ = std::make_unique<const PooledConv>(s);
}

bool Conv2dForward::pools(const WindowShape& pool) const {
    const bool winograd = !kn2row_ && !depthwise_ && !spread_ && !taps_;
    return (winograd || pooled_) && pools_pairs(s_, pool);
}

void Conv2dForward::run_pooled(int64_t images, const float* x, float* y, float* winners) const {
    if (pooled_) return pooled_->run(images, x, packed_, b_, activation_, y, winners);
    winograd_forward_pooled(s_, images, x, packed_, b_, activation_, y, winners);
}

void Conv2dForward::run(int64_t images, const float* x, float* y) const {
    if (kn2row_) return kn2row_forward(s_, images, x, packed_, b_, activation_, y);
    if (depthwise_) return depthwise_->run(images, x, packed_, b_, activation_, y);
    if (spread_) return spread_->run(images, x, packed_, b_, activation_, y);
    if (!taps_) return winograd_forward(s_, images, x, packed_, b_, activation_, y);
    const int64_t c = s_.group_c(), oc = s_.group_oc(), size = taps_->panels_size();
    for (int64_t g = 0; g < s_.groups; ++g)
        taps_->run(images, x + g * c, packed_ + g * size, b_ ? b_ + g * oc : nullptr, activation_,
                   y + g * oc);
}

void conv2d_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                    Activation activation, float* y) {
    Scratch scratch;
    Conv2dForward(s, w, b, activation, scratch).run(s.n, x, y);
}

}  // namespace pyconv
