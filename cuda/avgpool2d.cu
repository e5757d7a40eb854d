// Average pooling; its gradient is gathered, as max pooling's.

#include "ops/avgpool2d.h"

#include "pool_windows.cuh"

namespace pyconv {
namespace {

using cuda::PoolGeometry;

// x (n, h, w, c) -> y (n, oh, ow, c)
__global__ void avgpool2d_kernel(const __grid_constant__ PoolGeometry g, int n, const float* x,
                                 float* y) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const cuda::Position at(static_cast<int>(i), g.by_c, g.by_ow, g.by_oh);
        const cuda::WindowCells cells(g, at.row, at.col);
        float sum = 0.f;
        for (int row = cells.row0; row < cells.row1; ++row) {
            const float* p = x + ((at.image * g.h + row) * g.w + cells.col0) * g.c + at.channel;
            for (int col = cells.col0; col < cells.col1; ++col, p += g.c) sum += *p;
        }
        y[i] = sum / static_cast<float>(cells.count());
    }
}

// dy (n, oh, ow, c) -> dx (n, h, w, c)
__global__ void avgpool2d_backward_kernel(const __grid_constant__ PoolGeometry g, int n,
                                          const float* dy, float* dx) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const cuda::Position at(static_cast<int>(i), g.by_c, g.by_w, g.by_h);
        const cuda::WindowsOf windows(g, at.row, at.col);
        float sum = 0.f;
        for (int row = windows.row0; row < windows.row1; ++row) {
            for (int col = windows.col0; col < windows.col1; ++col) {
                const int window = ((at.image * g.oh + row) * g.ow + col) * g.c + at.channel;
                sum += dy[window] / static_cast<float>(cuda::WindowCells(g, row, col).count());
            }
        }
        dx[i] = sum;
    }
}

}  // namespace

void avgpool2d_forward(const WindowShape& s, const float* x, float* y) {
    cuda::for_each_part(
        "avg_pool2d", s.n, cuda::image_values(s, s.c), [&](int64_t first, int64_t images) {
            const PoolGeometry g(s, images);
            const int n = g.output_values();
            cuda::launch(avgpool2d_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0,
                         cuda::stream(), g, n, x + first * s.h * s.w * s.c,
                         y + first * s.oh * s.ow * s.c);
        });
}

void avgpool2d_backward(const WindowShape& s, const float* dy, float* dx) {
    cuda::for_each_part(
        "avg_pool2d", s.n, cuda::image_values(s, s.c), [&](int64_t first, int64_t images) {
            const PoolGeometry g(s, images);
            const int n = g.input_values();
            cuda::launch(avgpool2d_backward_kernel, cuda::element_blocks(n), cuda::kElementThreads,
                         0, cuda::stream(), g, n, dy + first * s.oh * s.ow * s.c,
                         dx + first * s.h * s.w * s.c);
        });
}

}  // namespace pyconv
