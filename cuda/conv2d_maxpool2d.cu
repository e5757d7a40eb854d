// Images are convolved and pooled in parts whose maps stay in the L2 cache of the GPU.

#include "ops/conv2d_maxpool2d.h"

#include <algorithm>

#include "ops/bias.h"
#include "ops/conv2d.h"
#include "ops/maxpool2d.h"
#include "ops/relu.h"
#include "scratch.h"

namespace pyconv {

void conv2d_maxpool2d_forward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                              const float* w, const float* b, Activation activation, float* y,
                              float* winners) {
    constexpr int64_t kPartFloats = int64_t{4} << 20;  // of the maps: 16 MB of L2's 40 or more
    const int64_t image = conv.oh * conv.ow * conv.oc;
    const int64_t part = std::clamp<int64_t>(kPartFloats / image, 1, std::max<int64_t>(conv.n, 1));
    Scratch scratch;
    float* maps = scratch.take<float>(part * image);
    for (int64_t first = 0; first < conv.n; first += part) {
        Conv2dShape shape = conv;
        WindowShape windows = pool;
        shape.n = windows.n = std::min(part, conv.n - first);
        const int64_t at = first * pool.oh * pool.ow * pool.c;
        conv2d_forward(shape, x + first * conv.h * conv.w * conv.c, w, b, activation, maps);
        maxpool2d_forward(windows, maps, y + at, winners ? winners + at : nullptr);
    }
}

// The sums over all pixels are those of one launch: the maps' gradient is spread out as a whole.
void conv2d_maxpool2d_backward(const Conv2dShape& conv, const WindowShape& pool, const float* x,
                               const float* w, Activation activation, const float* y,
                               const float* winners, const float* dy, float* dx, float* dw,
                               float* db) {
    const int64_t pixels = conv.n * pool.oh * pool.ow;
    Scratch scratch;
    if (activation == Activation::kRelu) {
        float* masked = scratch.take<float>(pixels * pool.c);
        relu_backward(pixels * pool.c, y, dy, masked);
        dy = masked;
    }
    float* maps = scratch.take<float>(conv.n * conv.oh * conv.ow * conv.oc);
    maxpool2d_unpool(pool, winners, dy, maps);
    if (dw) conv2d_backward_filter(conv, x, maps, dw);
    if (db) bias_backward(pixels, conv.oc, dy, db);
    if (dx) conv2d_backward_input(conv, maps, w, dx);
}

}  // namespace pyconv
