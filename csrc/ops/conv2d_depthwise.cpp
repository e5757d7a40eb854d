#include "ops/conv2d_depthwise.h"

#include <cstring>

#include "ops/pool_windows.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

bool is_depthwise(const Conv2dShape& s) {
    return s.groups > 1 && s.groups == s.c && s.groups == s.oc;
}

bool turned_depthwise(const Conv2dShape& s) {
    return is_depthwise(s) && s.strides.h == 1 && s.strides.w == 1 &&
           s.padding.top <= (s.kernel.h - 1) * s.dilation.h &&
           s.padding.left <= (s.kernel.w - 1) * s.dilation.w;
}

void depthwise_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                       Activation activation, float* y) {
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    parallel_for(s.n * s.oh, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        WindowCells cells(s, scratch);
        const float** taps = scratch.take<const float*>(WindowCells::most(s));
        const float** weights = scratch.take<const float*>(WindowCells::most(s));
        for (int64_t r = begin; r < end; ++r) {
            const float* image = x + r / s.oh * s.h * s.w * s.c;
            float* out = y + r / s.oh * s.oh * s.ow * s.c;
            for_each_window_row(s, r % s.oh, cells, [&](const simd::WindowRow& row, int64_t first) {
                for (int t = 0; t < row.count; ++t) {
                    taps[t] = image + cells.pixels[t] * s.c;
                    weights[t] = w + cells.taps[t] * s.c;
                }
                simd::kernels().weighted_windows(row, taps, weights, b, out + first * s.c, flags);
            });
        }
    });
}

void depthwise_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    const int64_t top = (s.kernel.h - 1) * s.dilation.h - s.padding.top;
    const int64_t left = (s.kernel.w - 1) * s.dilation.w - s.padding.left;
    const int64_t taps = s.kernel.h * s.kernel.w;
    Scratch scratch;
    float* turned = scratch.take<float>(taps * s.c);
    for (int64_t t = 0; t < taps; ++t)
        std::memcpy(turned + t * s.c, w + (taps - 1 - t) * s.c, sizeof(float) * s.c);
    Conv2dShape t = s;
    t.h = s.oh, t.w = s.ow, t.oh = s.h, t.ow = s.w;
    t.padding = {top, 0, left, 0};
    depthwise_forward(t, dy, turned, nullptr, Activation::kLinear, dx);
}

void depthwise_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    // One sum for each image, added in order: the same bits for any number of threads.
    const int64_t size = s.kernel.h * s.kernel.w * s.c;
    Scratch shared;
    float* sums = shared.take<float>(s.n * size);
    parallel_for(s.n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        WindowCells cells(s, scratch);
        const float** taps = scratch.take<const float*>(WindowCells::most(s));
        float** dweights = scratch.take<float*>(WindowCells::most(s));
        for (int64_t n = begin; n < end; ++n) {
            const float* image = x + n * s.h * s.w * s.c;
            const float* grad = dy + n * s.oh * s.ow * s.c;
            std::memset(sums + n * size, 0, sizeof(float) * size);
            for (int64_t oh = 0; oh < s.oh; ++oh) {
                for_each_window_row(s, oh, cells, [&](const simd::WindowRow& row, int64_t first) {
                    for (int t = 0; t < row.count; ++t) {
                        taps[t] = image + cells.pixels[t] * s.c;
                        dweights[t] = sums + n * size + cells.taps[t] * s.c;
                    }
                    simd::kernels().weights_backward(row, taps, grad + first * s.c, dweights);
                });
            }
        }
    });
    std::memset(dw, 0, sizeof(float) * size);
    for (int64_t n = 0; n < s.n; ++n) simd::kernels().add(size, sums + n * size, dw);
}

}  // namespace pyconv
