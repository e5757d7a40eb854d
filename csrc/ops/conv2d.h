// 2-D convolution (cross-correlation, as deep-learning libraries have it) and its gradients.
#pragma once

#include <memory>
#include <vector>

#include "ops/conv2d_depthwise.h"
#include "ops/conv2d_groups.h"
#include "ops/conv2d_pooled.h"
#include "ops/conv_taps.h"
#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

// x (n, h, w, c), w (kh, kw, c / groups, oc), b (oc,) or null -> y (n, oh, ow, oc)
void conv2d_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                    Activation activation, float* y);

// The same with the filters packed once, for parts of a batch.
class Conv2dForward {
public:
    // What it packs lives in `workspace`; w and b must live on.
    Conv2dForward(const Conv2dShape& s, const float* w, const float* b, Activation activation,
                  Workspace& workspace);
    // x (images, h, w, c) -> y (images, oh, ow, oc)
    void run(int64_t images, const float* x, float* y) const;

    // Whether the pooling of `pool`, which follows, can be part of it.
    bool pools(const WindowShape& pool) const;
    // The same and that pooling: y and winners as in maxpool2d.h.
    void run_pooled(int64_t images, const float* x, float* y, float* winners) const;

private:
    Conv2dShape s_;
    const float* b_;
    Activation activation_;
    std::unique_ptr<const TapPlan> taps_;  // of one group, for the direct algorithm
    std::unique_ptr<const DepthwisePlan> depthwise_;
    std::unique_ptr<const SpreadPlan> spread_;  // of many small groups
    std::unique_ptr<const PooledConv> pooled_;  // the direct one with a pooling
    bool kn2row_ = false;
    const float* packed_ = nullptr;  // panels of all groups, or Winograd's or kn2row's filters
};

// The input gradient with the filters packed once, for parts of a batch.
class Conv2dBackwardInput {
public:
    // What it packs lives in `workspace`; w must live on.
    Conv2dBackwardInput(const Conv2dShape& s, const float* w, Workspace& workspace);
    // dy (images, oh, ow, oc) -> dx (images, h, w, c)
    void run(int64_t images, const float* dy, float* dx) const;

private:
    // Input pixels of a row modulo the stride, likewise column, meet the same filter taps, each at
    // a fixed distance in dy: one product.
    template <class Plan>
    struct Phase {
        Plan plan;
        int64_t dx;           // where its first pixel lies
        const float* packed;  // weights of all groups
    };
    Conv2dShape s_;
    std::vector<Phase<TapPlan>> phases_;
    std::vector<Phase<DepthwisePlan>> depthwise_;
    std::unique_ptr<const SpreadPlan> spread_;  // of many small groups
    bool winograd_, col2im_;
    bool gaps_ = false;              // pixels that no window reaches, in phases of their own
    const float* packed_ = nullptr;  // what these three read
};

// dy (n, oh, ow, oc), w -> dx (n, h, w, c)
void conv2d_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx);

// x, dy -> dw (kh, kw, c / groups, oc)
void conv2d_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
