// Forward and input gradient: both are products of pixels, read where they lie, with packed
// filters (conv_taps.h). No im2col, no padded copy.

#include "ops/conv2d.h"

#include <algorithm>
#include <utility>

#include "check.h"
#include "ops/conv2d_groups.h"
#include "ops/conv2d_kn2row.h"
#include "ops/conv2d_scatter.h"
#include "ops/conv2d_winograd.h"
#include "ops/conv_taps.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// Packs the panels of one product: weights(tap) is the first value of a tap's (c, oc) matrix.
template <class Weights>
void pack(const TapConv& conv, int64_t ld, bool transposed, const Weights& weights, float* panels) {
    const simd::Kernels& k = simd::kernels();
    const int64_t taps = static_cast<int64_t>(conv.taps.size());
    const int64_t panel_count = ceil_div(conv.oc, k.nr);
    parallel_for(panel_count * taps, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const int64_t column = i / taps * k.nr, t = i % taps;
            const int n = static_cast<int>(std::min<int64_t>(k.nr, conv.oc - column));
            float* panel = panels + i * conv.c * k.nr;
            if (transposed) {
                k.pack_panel_transposed(conv.c, n, weights(t) + column * ld, ld, panel);
            } else {
                k.pack_panel(conv.c, n, weights(t) + column, ld, panel);
            }
        }
    });
}

}  // namespace

Conv2dForward::Conv2dForward(const Conv2dShape& s, const float* w, const float* b,
                             Activation activation, Scratch& scratch)
    : s_(s), b_(b), activation_(activation) {
    if (uses_winograd(s)) {
        packed_ = winograd_filters(s, w, scratch);
        return;
    }
    if (uses_kn2row(s)) {
        kn2row_ = true;
        packed_ = kn2row_filters(s, w, scratch);
        return;
    }
    const int64_t c = s.group_c(), oc = s.group_oc();
    if (spreading_pays(c, oc, s.groups)) {
        spread_ = std::make_unique<const SpreadPlan>(
            std::vector<SpreadPlan::Phase>{{forward_taps(s), 0}}, s.groups);
        packed_ = spread_->pack(
            [&](int64_t tap, int64_t ic, int64_t o) { return w[(tap * c + ic) * s.oc + o]; },
            scratch);
        return;
    }
    taps_ = std::make_unique<const TapPlan>(forward_taps(s));
    const int64_t size = taps_->panels_size();
    float* panels = scratch.take<float>(s.groups * size);
    for (int64_t g = 0; g < s.groups; ++g)
        pack(
            taps_->conv, s.oc, false, [&](int64_t tap) { return w + tap * c * s.oc + g * oc; },
            panels + g * size);
    packed_ = panels;
    if (pools_in_registers(s)) pooled_ = std::make_unique<const PooledConv>(s);
}

bool Conv2dForward::pools(const WindowShape& pool) const {
    const bool winograd = !kn2row_ && !spread_ && !taps_;
    return (winograd || pooled_) && pools_pairs(s_, pool);
}

void Conv2dForward::run_pooled(int64_t images, const float* x, float* y, float* winners) const {
    if (pooled_) return pooled_->run(images, x, packed_, b_, activation_, y, winners);
    winograd_forward_pooled(s_, images, x, packed_, b_, activation_, y, winners);
}

void Conv2dForward::run(int64_t images, const float* x, float* y) const {
    if (kn2row_) return kn2row_forward(s_, images, x, packed_, b_, activation_, y);
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

// Input pixels of one phase (row modulo the stride, likewise column) meet the same filter taps,
// each at a fixed distance in dy: one product a phase.
void conv2d_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    if (uses_winograd(s)) return winograd_backward_input(s, dy, w, dx);
    if (scatter_pays(s)) return scatter_backward_input(s, dy, w, dx);
    const int64_t c = s.group_c(), oc = s.group_oc();
    const int64_t phases_h = std::min(s.strides.h, s.h), phases_w = std::min(s.strides.w, s.w);
    struct Source {
        int64_t at, offset;  // filter row or column, distance in dy
    };
    const auto sources = [](int64_t phase, int64_t pad, int64_t kernel, int64_t stride,
                            int64_t dilation) {
        std::vector<Source> list;
        for (int64_t k = kernel - 1; k >= 0; --k)
            if (const int64_t at = phase + pad - k * dilation; floor_mod(at, stride) == 0)
                list.push_back({k, floor_div(at, stride)});
        return list;
    };
    const bool spreading = spreading_pays(oc, c, s.groups);
    std::vector<SpreadPlan::Phase> phases;
    std::vector<int64_t> filter_taps;  // of a phase; of all, one after the other, to spread
    for (int64_t rh = 0; rh < phases_h; ++rh) {
        const auto rows = sources(rh, s.padding.top, s.kernel.h, s.strides.h, s.dilation.h);
        for (int64_t rw = 0; rw < phases_w; ++rw) {
            const auto cols = sources(rw, s.padding.left, s.kernel.w, s.strides.w, s.dilation.w);
            TapConv conv{s.oh,
                         s.ow,
                         oc,
                         s.oc,
                         ceil_div(s.h - rh, s.strides.h),
                         ceil_div(s.w - rw, s.strides.w),
                         1,
                         1,
                         s.h * s.w * s.c,
                         s.strides.h * s.w * s.c,
                         s.strides.w * s.c,
                         c,
                         {}};
            if (!spreading) filter_taps.clear();
            for (const Source& row : rows) {
                for (const Source& col : cols) {
                    conv.taps.push_back({row.offset, col.offset});
                    filter_taps.push_back(row.at * s.kernel.w + col.at);
                }
            }
            const int64_t first = (rh * s.w + rw) * s.c;
            if (spreading) {
                phases.push_back({std::move(conv), first});
                continue;
            }
            const TapPlan plan(std::move(conv));
            for (int64_t g = 0; g < s.groups; ++g) {
                Scratch scratch;
                float* panels = scratch.take<float>(plan.panels_size());
                const auto weights = [&](int64_t tap) {
                    return w + filter_taps[tap] * c * s.oc + g * oc;
                };
                pack(plan.conv, s.oc, true, weights, panels);
                plan.run(s.n, dy + g * oc, panels, nullptr, Activation::kLinear,
                         dx + first + g * c);
            }
        }
    }
    if (!spreading) return;
    const SpreadPlan plan(std::move(phases), s.groups);
    Scratch scratch;
    const float* packed = plan.pack(
        [&](int64_t tap, int64_t o, int64_t ic) {
            return w[(filter_taps[tap] * c + ic % c) * s.oc + ic / c * oc + o];
        },
        scratch);
    plan.run(s.n, dy, packed, nullptr, Activation::kLinear, dx);
}

}  // namespace pyconv
