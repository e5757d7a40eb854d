// Gradient of the input: products of the gradient's pixels, read where they lie, with packed
// filters (conv_taps.h), one for each phase of the strides.

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"
#include "ops/conv2d.h"
#include "ops/conv2d_col2im.h"
#include "ops/conv2d_depthwise.h"
#include "ops/conv2d_groups.h"
#include "ops/conv2d_winograd.h"
#include "ops/conv_taps.h"
#include "ops/elementwise.h"
#include "scratch.h"

namespace pyconv {
namespace {

struct Source {
    int64_t at, offset;  // filter row or column, distance in dy
};

std::vector<Source> sources(int64_t phase, int64_t pad, int64_t kernel, int64_t stride,
                            int64_t dilation) {
    std::vector<Source> list;
    for (int64_t k = kernel - 1; k >= 0; --k)
        if (const int64_t at = phase + pad - k * dilation; floor_mod(at, stride) == 0)
            list.push_back({k, floor_div(at, stride)});
    return list;
}

// The product of input pixels (rh, rw), (rh + sh, rw), ... without its taps.
TapConv phase_conv(const Conv2dShape& s, int64_t rh, int64_t rw) {
    return {s.oh,
            s.ow,
            s.group_oc(),
            s.oc,
            ceil_div(s.h - rh, s.strides.h),
            ceil_div(s.w - rw, s.strides.w),
            1,
            1,
            s.h * s.w * s.c,
            s.strides.h * s.w * s.c,
            s.strides.w * s.c,
            s.group_c(),
            {}};
}

}  // namespace

Conv2dBackwardInput::Conv2dBackwardInput(const Conv2dShape& s, const float* w, Workspace& workspace)
    : s_(s), winograd_(uses_winograd(s)), col2im_(!winograd_ && col2im_pays(s)) {
    if (winograd_) {
        packed_ = winograd_backward_filters(s, w, workspace);
        return;
    }
    if (col2im_) {
        packed_ = col2im_filters(s, w, workspace);
        return;
    }
    const int64_t c = s.group_c(), oc = s.group_oc();
    const bool depthwise = uses_depthwise(s);
    const bool spreading = !depthwise && spreading_pays(oc, c, s.groups);
    std::vector<SpreadPlan::Phase> spread;
    std::vector<int64_t> filter_taps;  // of all phases, one after the other
    for (int64_t rh = 0; rh < std::min(s.strides.h, s.h); ++rh) {
        const auto rows = sources(rh, s.padding.top, s.kernel.h, s.strides.h, s.dilation.h);
        for (int64_t rw = 0; rw < std::min(s.strides.w, s.w); ++rw) {
            const auto cols = sources(rw, s.padding.left, s.kernel.w, s.strides.w, s.dilation.w);
            TapConv conv = phase_conv(s, rh, rw);
            std::vector<int64_t> taps, matrices;
            for (const Source& row : rows) {
                for (const Source& col : cols) {
                    conv.taps.push_back({row.offset, col.offset});
                    taps.push_back(row.at * s.kernel.w + col.at);
                    matrices.push_back(taps.back() * c * s.oc);
                }
            }
            if (conv.taps.empty() && !spreading) {
                gaps_ = true;
                continue;
            }
            const int64_t first = (rh * s.w + rw) * s.c;
            if (depthwise) {
                DepthwisePlan plan(std::move(conv), s.groups);
                const float* packed = plan.pack(w, taps, workspace);
                depthwise_.push_back({std::move(plan), first, packed});
                continue;
            }
            filter_taps.insert(filter_taps.end(), taps.begin(), taps.end());
            if (spreading) {
                spread.push_back({std::move(conv), first});
                continue;
            }
            TapPlan plan(std::move(conv));
            const int64_t size = plan.panels_size();
            float* panels = workspace.take<float>(s.groups * size);
            for (int64_t g = 0; g < s.groups; ++g)
                plan.pack(w + g * oc, matrices, s.oc, true, panels + g * size);
            phases_.push_back({std::move(plan), first, panels});
        }
    }
    if (!spreading) return;
    spread_ = std::make_unique<const SpreadPlan>(std::move(spread), s.groups);
    packed_ = spread_->pack(
        [&](int64_t tap, int64_t o, int64_t ic) {
            return w[(filter_taps[tap] * c + ic % c) * s.oc + ic / c * oc + o];
        },
        workspace);
}

void Conv2dBackwardInput::run(int64_t images, const float* dy, float* dx) const {
    if (winograd_) return winograd_backward_input(s_, images, dy, packed_, dx);
    if (col2im_) return col2im_backward_input(s_, images, dy, packed_, dx);
    if (spread_) return spread_->run(images, dy, packed_, nullptr, Activation::kLinear, dx);
    if (gaps_)
        parallel_elements(images * s_.h * s_.w * s_.c, [&](int64_t begin, int64_t end) {
            std::memset(dx + begin, 0, sizeof(float) * (end - begin));
        });
    for (const Phase<DepthwisePlan>& phase : depthwise_)
        phase.plan.run(images, dy, phase.packed, nullptr, Activation::kLinear, dx + phase.dx);
    const int64_t c = s_.group_c(), oc = s_.group_oc();
    for (const Phase<TapPlan>& phase : phases_)
        for (int64_t g = 0; g < s_.groups; ++g)
            phase.plan.run(images, dy + g * oc, phase.packed + g * phase.plan.panels_size(),
                           nullptr, Activation::kLinear, dx + phase.dx + g * c);
}

void conv2d_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    Scratch scratch;
    Conv2dBackwardInput(s, w, scratch).run(s.n, dy, dx);
}

}  // namespace pyconv
