#include "ops/conv2d_kn2row.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/conv2d.h"
#include "ops/gemm.h"
#include "ops/pool_windows.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kPartFloats = 1 << 18;      // of products: they stay in a cache
constexpr int64_t kGradientFloats = 1 << 20;  // of the moved gradient
constexpr double kMaxImageFloats = 1 << 24;   // beyond, the products take much memory
constexpr double kMoveCost = 8;               // of a vector, in products of vectors

int64_t taps(const Conv2dShape& s) { return s.kernel.h * s.kernel.w; }
int64_t width(const Conv2dShape& s) { return taps(s) * s.oc; }
int64_t image_floats(const Conv2dShape& s) { return s.h * s.w * width(s); }

// Row i of the input, of whose pixels p (h, w, taps, oc) holds the products: for each pixel and
// tap the gradient of the output that it adds to, or 0.
void move_row(const Conv2dShape& s, int64_t i, const float* dy, float* row) {
    std::memset(row, 0, sizeof(float) * s.w * width(s));
    for (int64_t kh = 0; kh < s.kernel.h; ++kh) {
        const int64_t at = i + s.padding.top - kh * s.dilation.h, oh = floor_div(at, s.strides.h);
        if (at != oh * s.strides.h || oh < 0 || oh >= s.oh) continue;
        for (int64_t kw = 0; kw < s.kernel.w; ++kw) {
            const int64_t left = kw * s.dilation.w - s.padding.left, step = s.strides.w * width(s);
            const int64_t first = std::max<int64_t>(0, ceil_div(-left, s.strides.w));
            const int64_t last = std::min(s.ow, floor_div(s.w - 1 - left, s.strides.w) + 1);
            const float* from = dy + (oh * s.ow + first) * s.oc;
            float* to =
                row + (first * s.strides.w + left) * width(s) + (kh * s.kernel.w + kw) * s.oc;
            for (int64_t ow = first; ow < last; ++ow, from += s.oc, to += step)
                for (int64_t o = 0; o < s.oc; ++o) to[o] = from[o];
        }
    }
}

}  // namespace

bool uses_kn2row(const Conv2dShape& s) {
    const double pixels = static_cast<double>(s.h * s.w);
    if (s.groups != 1 || taps(s) == 1 || pixels * width(s) > kMaxImageFloats) return false;
    const int64_t lanes = simd::kernels().lanes;
    const double products = static_cast<double>(s.c * ceil_div(width(s), lanes));
    const double moves = static_cast<double>(taps(s) * ceil_div(s.oc, lanes));
    const double direct = moves * s.c * s.oh * s.ow;
    return (products + kMoveCost * moves) * pixels < direct;
}

// (c, taps, oc)
const float* kn2row_filters(const Conv2dShape& s, const float* w, Workspace& workspace) {
    float* filters = workspace.take<float>(s.c * width(s));
    parallel_for(s.c, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c)
            for (int64_t t = 0; t < taps(s); ++t)
                std::memcpy(filters + (c * taps(s) + t) * s.oc, w + (t * s.c + c) * s.oc,
                            sizeof(float) * s.oc);
    });
    return filters;
}

void kn2row_forward(const Conv2dShape& s, int64_t images, const float* x, const float* filters,
                    const float* b, Activation activation, float* y) {
    if (images == 0) return;
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    // With few images each of the two steps is shared out by itself.
    const bool few = images < 2 * num_threads();
    const int64_t part =
        few ? images
            : std::clamp<int64_t>(kPartFloats / image_floats(s), 1, images / (2 * num_threads()));
    WindowShape windows = s;
    windows.c = s.oc;
    Scratch shared;
    float* ones = shared.take<float>(s.oc);
    std::fill_n(ones, s.oc, 1.f);
    parallel_for(ceil_div(images, part), [&](int64_t begin, int64_t end) {
        Scratch products_scratch;
        float* products = products_scratch.take<float>(part * image_floats(s));
        for (int64_t first = begin * part; first < std::min(images, end * part); first += part) {
            const int64_t count = std::min(part, images - first);
            gemm({count * s.h * s.w, width(s), s.c, x + first * s.h * s.w * s.c, s.c, filters,
                  width(s), false, nullptr, Activation::kLinear, products, width(s)});
            parallel_for(count * s.oh, [&](int64_t row0, int64_t row1) {
                Scratch scratch;
                WindowCells cells(s, scratch);
                const float** parts = scratch.take<const float*>(WindowCells::most(s));
                const float** weights = scratch.take<const float*>(WindowCells::most(s));
                std::fill_n(weights, WindowCells::most(s), ones);
                for (int64_t r = row0; r < row1; ++r) {
                    const float* image = products + r / s.oh * image_floats(s);
                    float* out = y + (first + r / s.oh) * s.oh * s.ow * s.oc;
                    for_each_window_row(
                        windows, r % s.oh, cells, [&](simd::WindowRow row, int64_t pixel) {
                            row.step = s.strides.w * width(s);
                            for (int t = 0; t < row.count; ++t)
                                parts[t] =
                                    image + cells.pixels[t] * width(s) + cells.taps[t] * s.oc;
                            simd::kernels().weighted_windows(row, parts, weights, b,
                                                             out + pixel * s.oc, flags);
                        });
                }
            });
        }
    });
}

void kn2row_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    const int64_t part = std::clamp<int64_t>(kGradientFloats / image_floats(s), 1, s.n);
    const int64_t size = s.c * width(s);
    Conv2dShape pixelwise = s;
    pixelwise.kernel = pixelwise.strides = pixelwise.dilation = {1, 1};
    pixelwise.padding = {0, 0, 0, 0};
    pixelwise.oh = s.h, pixelwise.ow = s.w, pixelwise.oc = width(s);
    Scratch scratch;
    float* moved = scratch.take<float>(part * image_floats(s));
    float* sums = scratch.take<float>(size);
    float* sum = scratch.take<float>(size);
    for (int64_t first = 0; first < s.n; first += part) {
        pixelwise.n = std::min(part, s.n - first);
        parallel_for(pixelwise.n * s.h, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; ++r)
                move_row(s, r % s.h, dy + (first + r / s.h) * s.oh * s.ow * s.oc,
                         moved + r * s.w * width(s));
        });
        conv2d_backward_filter(pixelwise, x + first * s.h * s.w * s.c, moved,
                               first == 0 ? sums : sum);
        if (first > 0) simd::kernels().add(size, sum, sums);
    }
    // (c, taps, oc) -> (taps, c, oc)
    parallel_for(s.c, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c)
            for (int64_t t = 0; t < taps(s); ++t)
                std::memcpy(dw + (t * s.c + c) * s.oc, sums + (c * taps(s) + t) * s.oc,
                            sizeof(float) * s.oc);
    });
}

}  // namespace pyconv
