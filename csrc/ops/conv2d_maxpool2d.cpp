// Windows of 2x2 are pooled in registers where the kernel can; else a thread convolves a few images
// into its cache and pools them there.

#include "ops/conv2d_maxpool2d.h"

#include <algorithm>

#include "check.h"
#include "ops/conv2d.h"
#include "ops/maxpool2d.h"
#include "parallel.h"
#include "scratch.h"

namespace pyconv {
namespace {

constexpr int64_t kPartFloats = 64 * 1024;  // of the result of the convolution

}  // namespace

void conv2d_maxpool2d_forward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                              const float* w, const float* b, Activation activation, float* y,
                              float* winners) {
    Scratch shared;
    pooled_forward({conv, w, b, activation, shared}, conv, pool, x, y, winners);
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
