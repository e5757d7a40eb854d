// Windows of 2x2 are pooled in registers where the kernel can; else a thread convolves a few images
// into its cache and pools them there. In the gradients it spreads the gradient of the pooled maps
// of a few images over the maps, in its cache, where both gradients of the convolution read it.

#include "ops/conv2d_maxpool2d.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "check.h"
#include "ops/bias.h"
#include "ops/conv2d.h"
#include "ops/conv2d_winners.h"
#include "ops/elementwise.h"
#include "ops/maxpool2d.h"
#include "ops/relu.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kPartFloats = 64 * 1024;      // of the result of the convolution
constexpr int64_t kGradientFloats = 32 * 1024;  // of its gradient
constexpr int64_t kParts = 8;          // of the gradients at least, if there are as many images
constexpr int64_t kMaxSums = 1 << 20;  // floats of all parts' gradients of the filters

// Images of a part of the gradients; depends on the problem alone, as the sums of parts do.
int64_t gradient_part(const Conv2dShape& conv, int64_t sums) {
    const int64_t image = std::max<int64_t>(1, conv.oh * conv.ow * conv.oc);
    const int64_t part = std::clamp<int64_t>(kGradientFloats / image, 1, ceil_div(conv.n, kParts));
    // With few images, or many filters, which take long, each step is shared out by itself.
    const bool few = conv.n < kParts || ceil_div(conv.n, part) * sums > kMaxSums;
    return few ? conv.n : part;
}

// sum (size,) = the sum of `parts` arrays, `step` floats apart, in their order
void add_parts(int64_t parts, int64_t size, int64_t step, const float* of_parts, float* sum) {
    parallel_elements(size, [&](int64_t begin, int64_t end) {
        std::memcpy(sum + begin, of_parts + begin, sizeof(float) * (end - begin));
        for (int64_t p = 1; p < parts; ++p)
            simd::kernels().add(end - begin, of_parts + p * step + begin, sum + begin);
    });
}

}  // namespace

void conv2d_maxpool2d_forward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                              const float* w, const float* b, Activation activation, float* y,
                              float* winners) {
    Scratch shared;
    pooled_forward({conv, w, b, activation, shared}, conv, pool, x, y, winners);
}

void conv2d_maxpool2d_backward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                               const float* w, Activation activation, const float* y,
                               const float* winners, const float* dy, float* dx, float* dw,
                               float* db) {
    const int64_t image = conv.oh * conv.ow * conv.oc, pooled = pool.oh * pool.ow * pool.c;
    const int64_t filters = conv.kernel.h * conv.kernel.w * conv.group_c() * conv.oc;
    const int64_t size = filters + conv.oc;  // of a part's dw and db
    if (conv.n == 0) {
        if (dw) std::memset(dw, 0, sizeof(float) * filters);
        if (db) std::memset(db, 0, sizeof(float) * conv.oc);
        return;
    }
    if (winners_pay(conv, pool))
        return winners_backward(conv, pool, x, w, activation, y, winners, dy, dx, dw, db);
    const int64_t part = gradient_part(conv, size), parts = ceil_div(conv.n, part);
    Scratch shared;
    float* sums = shared.take<float>(parts * size);
    std::optional<Conv2dBackwardInput> input;
    if (dx) input.emplace(conv, w, shared);
    parallel_for(parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* maps = scratch.take<float>(part * image);
        float* masked = scratch.take<float>(part * pooled);
        for (int64_t p = begin; p < end; ++p) {
            const int64_t first = p * part, at = first * pooled;
            Conv2dShape s = conv;
            WindowShape windows = pool;
            s.n = windows.n = std::min(part, conv.n - first);
            const float* gradient = dy + at;
            if (activation == Activation::kRelu) {
                relu_backward(s.n * pooled, y + at, gradient, masked);
                gradient = masked;
            }
            maxpool2d_unpool(windows, winners + at, gradient, maps);
            if (dw) conv2d_backward_filter(s, x + first * s.h * s.w * s.c, maps, sums + p * size);
            if (db)
                bias_backward(s.n * pool.oh * pool.ow, s.oc, gradient, sums + p * size + filters);
            if (dx) input->run(s.n, maps, dx + first * s.h * s.w * s.c);
        }
    });
    if (dw) add_parts(parts, filters, size, sums, dw);
    if (db) add_parts(parts, conv.oc, size, sums + filters, db);
}

void pooled_forward(const Conv2dForward& forward, const Conv2dShape& conv, const WindowShape& pool,
                    const float* x, float* y, float* winners) {
    if (forward.pools(pool)) return forward.run_pooled(conv.n, x, y, winners);
    const int64_t image = conv.oh * conv.ow * conv.oc;
    // With few images each of the two operations is shared out by itself.
    const bool few = conv.n < 2 * num_threads();
    const int64_t part = few ? conv.n
                             : std::clamp<int64_t>(kPartFloats / std::max<int64_t>(1, image), 1,
                                                   conv.n / (2 * num_threads()));
    parallel_for(ceil_div(conv.n, std::max<int64_t>(1, part)), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* maps = scratch.take<float>(part * image);
        for (int64_t i = begin; i < end; ++i) {
            const int64_t first = i * part;
            WindowShape windows = pool;
            windows.n = std::min(part, conv.n - first);
            const int64_t at = first * pool.oh * pool.ow * pool.c;
            forward.run(windows.n, x + first * conv.h * conv.w * conv.c, maps);
            maxpool2d_forward(windows, maps, y + at, winners ? winners + at : nullptr);
        }
    });
}

}  // namespace pyconv
