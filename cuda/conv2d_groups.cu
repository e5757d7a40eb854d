#include "conv2d_groups.cuh"

#include "divisor.cuh"
#include "elementwise.cuh"
#include "reduce.cuh"
#include "scratch.h"

namespace pyconv::cuda {
namespace {

struct GroupedConv {
    int images, h, w, c, oh, ow, oc, kernel_h, kernel_w, group_c, group_oc;
    int stride_h, stride_w, dilation_h, dilation_w, top, left;
    Divisor by_c, by_w, by_h, by_oc, by_ow, by_oh, by_group_c, by_group_oc, by_stride_h,
        by_stride_w;

    explicit GroupedConv(const Conv2dShape& s)
        : images(static_cast<int>(s.n)),
          h(static_cast<int>(s.h)),
          w(static_cast<int>(s.w)),
          c(static_cast<int>(s.c)),
          oh(static_cast<int>(s.oh)),
          ow(static_cast<int>(s.ow)),
          oc(static_cast<int>(s.oc)),
          kernel_h(static_cast<int>(s.kernel.h)),
          kernel_w(static_cast<int>(s.kernel.w)),
          group_c(static_cast<int>(s.group_c())),
          group_oc(static_cast<int>(s.group_oc())),
          stride_h(static_cast<int>(s.strides.h)),
          stride_w(static_cast<int>(s.strides.w)),
          dilation_h(static_cast<int>(s.dilation.h)),
          dilation_w(static_cast<int>(s.dilation.w)),
          top(static_cast<int>(s.padding.top)),
          left(static_cast<int>(s.padding.left)),
          by_c(s.c),
          by_w(s.w),
          by_h(s.h),
          by_oc(s.oc),
          by_ow(s.ow),
          by_oh(s.oh),
          by_group_c(s.group_c()),
          by_group_oc(s.group_oc()),
          by_stride_h(s.strides.h),
          by_stride_w(s.strides.w) {}
};

// x (n, h, w, c), w (kh, kw, group_c, oc), b (oc,) or null -> y (n, oh, ow, oc), of n values. Each
// row of taps is a sum of its own, which is more exact than one long sum.
__global__ void grouped_forward_kernel(const __grid_constant__ GroupedConv g, int n, const float* x,
                                       const float* w, const float* b, bool relu, float* y) {
    for (int64_t i = first_task(); i < n; i += task_step()) {
        int filter, row, col;
        const int image =
            g.by_oh.divide(g.by_ow.divide(g.by_oc.divide(static_cast<int>(i), filter), col), row);
        const int channel = g.by_group_oc.quotient(filter) * g.group_c;
        float sum = b ? b[filter] : 0.f;
        for (int kh = 0; kh < g.kernel_h; ++kh) {
            const int r = row * g.stride_h - g.top + kh * g.dilation_h;
            if (r < 0 || r >= g.h) continue;
            float of_row = 0.f;
            for (int kw = 0; kw < g.kernel_w; ++kw) {
                const int q = col * g.stride_w - g.left + kw * g.dilation_w;
                if (q < 0 || q >= g.w) continue;
                const float* from = x + ((image * g.h + r) * g.w + q) * g.c + channel;
                const float* weight = w + (kh * g.kernel_w + kw) * g.group_c * g.oc + filter;
                for (int k = 0; k < g.group_c; ++k) of_row += from[k] * weight[k * g.oc];
            }
            sum += of_row;
        }
        y[i] = relu && sum < 0.f ? 0.f : sum;
    }
}

// dy (n, oh, ow, oc), w -> dx (n, h, w, c), of n values
__global__ void grouped_backward_input_kernel(const __grid_constant__ GroupedConv g, int n,
                                              const float* dy, const float* w, float* dx) {
    for (int64_t i = first_task(); i < n; i += task_step()) {
        int channel, row, col, of_group;
        const int image =
            g.by_h.divide(g.by_w.divide(g.by_c.divide(static_cast<int>(i), channel), col), row);
        const int filter = g.by_group_c.divide(channel, of_group) * g.group_oc;
        float sum = 0.f;
        for (int kh = 0; kh < g.kernel_h; ++kh) {
            const int r = row + g.top - kh * g.dilation_h;
            int rest;
            if (r < 0 || g.by_stride_h.divide(r, rest) >= g.oh || rest != 0) continue;
            float of_row = 0.f;
            for (int kw = 0; kw < g.kernel_w; ++kw) {
                const int q = col + g.left - kw * g.dilation_w;
                if (q < 0 || g.by_stride_w.divide(q, rest) >= g.ow || rest != 0) continue;
                const int pixel =
                    (image * g.oh + g.by_stride_h.quotient(r)) * g.ow + g.by_stride_w.quotient(q);
                const float* from = dy + pixel * g.oc + filter;
                const float* weight =
                    w + ((kh * g.kernel_w + kw) * g.group_c + of_group) * g.oc + filter;
                for (int k = 0; k < g.group_oc; ++k) of_row += from[k] * weight[k];
            }
            sum += of_row;
        }
        dx[i] = sum;
    }
}

constexpr int kLines = 8;  // of a block of 32 filters

// x, dy -> partial (parts, kh, kw, group_c, oc). A block has a tap and channel of a group, 32
// filters side by side, and a part of the pixels, which its lines take in turn.
__global__ void grouped_backward_filter_kernel(const __grid_constant__ GroupedConv g, int pixels,
                                               int part, int rows, const float* x, const float* dy,
                                               float* partial) {
    PYCONV_SHARED(float, sums, [kLines][32]);
    const int row = blockIdx.x % rows;  // of (kh, kw, group_c)
    const int filter = blockIdx.x / rows * 32 + threadIdx.x;
    int of_group;
    const int tap = g.by_group_c.divide(row, of_group);
    const int kh = tap / g.kernel_w, kw = tap - kh * g.kernel_w;
    const int channel = g.by_group_oc.quotient(filter) * g.group_c + of_group;
    const int begin = blockIdx.y * part, end = min(pixels, begin + part);
    float sum = 0.f;
    if (filter < g.oc) {
        for (int pixel = begin + threadIdx.y; pixel < end; pixel += kLines) {
            int i, j;
            const int image = g.by_oh.divide(g.by_ow.divide(pixel, j), i);
            const int r = i * g.stride_h - g.top + kh * g.dilation_h;
            const int q = j * g.stride_w - g.left + kw * g.dilation_w;
            if (r < 0 || r >= g.h || q < 0 || q >= g.w) continue;
            sum += x[((image * g.h + r) * g.w + q) * g.c + channel] * dy[pixel * g.oc + filter];
        }
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || filter >= g.oc) return;
#pragma unroll
    for (int line = 1; line < kLines; ++line) sum += sums[line][threadIdx.x];
    partial[(static_cast<int64_t>(blockIdx.y) * rows + row) * g.oc + filter] = sum;
}

}  // namespace

void grouped_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                     Activation activation, float* y) {
    const auto n = static_cast<int>(s.n * s.oh * s.ow * s.oc);
    launch(grouped_forward_kernel, element_blocks(n), kElementThreads, 0, stream(), GroupedConv(s),
           n, x, w, b, activation == Activation::kRelu, y);
}

void grouped_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    const auto n = static_cast<int>(s.n * s.h * s.w * s.c);
    launch(grouped_backward_input_kernel, element_blocks(n), kElementThreads, 0, stream(),
           GroupedConv(s), n, dy, w, dx);
}

void grouped_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    constexpr int64_t kLeastPixels = 64 * kLines, kMostParts = 64;
    const int64_t pixels = s.n * s.oh * s.ow, rows = s.kernel.h * s.kernel.w * s.group_c();
    const int64_t part = std::max(kLeastPixels, (pixels + kMostParts - 1) / kMostParts);
    const int64_t parts = (pixels + part - 1) / part;
    Scratch scratch;
    float* partial = parts == 1 ? dw : scratch.take<float>(parts * rows * s.oc);
    const dim3 grid(static_cast<unsigned>(rows * ((s.oc + 31) / 32)), static_cast<unsigned>(parts));
    launch(grouped_backward_filter_kernel, grid, dim3(32, kLines), 0, stream(), GroupedConv(s),
           static_cast<int>(pixels), static_cast<int>(part), static_cast<int>(rows), x, dy,
           partial);
    if (parts != 1) sum_parts(parts, rows * s.oc, partial, nullptr, 1, Activation::kLinear, dw);
}

}  // namespace pyconv::cuda
