// Max pooling. The gradient is gathered: a thread looks for a cell's wins in the windows that it
// lies in, in their order, where a scatter would need atomics and add up in any order.

#include "ops/maxpool2d.h"

#include "pool_windows.cuh"
#include "scratch.h"

namespace pyconv {
namespace {

using cuda::PoolGeometry;

// x (n, h, w, c) -> y (n, oh, ow, c) or null, winners (n, oh, ow, c) or null
__global__ void maxpool2d_kernel(const __grid_constant__ PoolGeometry g, int n, const float* x,
                                 float* y, float* winners) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const cuda::Position at(static_cast<int>(i), g.by_c, g.by_ow, g.by_oh);
        const cuda::WindowCells cells(g, at.row, at.col);
        float best = -INFINITY;
        int winner = 0, number = 0;
        for (int row = cells.row0; row < cells.row1; ++row) {
            const float* p = x + ((at.image * g.h + row) * g.w + cells.col0) * g.c + at.channel;
            for (int col = cells.col0; col < cells.col1; ++col, p += g.c, ++number) {
                const float value = *p;
                if (value > best || isnan(value)) {
                    best = value;
                    winner = number;
                }
            }
        }
        if (y) y[i] = best;
        if (winners) winners[i] = static_cast<float>(winner);
    }
}

// winners, dy (n, oh, ow, c) -> dx (n, h, w, c)
__global__ void maxpool2d_unpool_kernel(const __grid_constant__ PoolGeometry g, int n,
                                        const float* winners, const float* dy, float* dx) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const cuda::Position at(static_cast<int>(i), g.by_c, g.by_w, g.by_h);
        const cuda::WindowsOf windows(g, at.row, at.col);
        float sum = 0.f;
        for (int row = windows.row0; row < windows.row1; ++row) {
            for (int col = windows.col0; col < windows.col1; ++col) {
                const int window = ((at.image * g.oh + row) * g.ow + col) * g.c + at.channel;
                const int mine = cuda::WindowCells(g, row, col).number(at.row, at.col);
                if (winners[window] == static_cast<float>(mine)) sum += dy[window];
            }
        }
        dx[i] = sum;
    }
}

void forward(const WindowShape& s, const float* x, float* y, float* winners) {
    cuda::for_each_part(
        "max_pool2d", s.n, cuda::image_values(s, s.c), [&](int64_t first, int64_t images) {
            const PoolGeometry g(s, images);
            const int64_t out = first * s.oh * s.ow * s.c;
            const int n = g.output_values();
            cuda::launch(maxpool2d_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0,
                         cuda::stream(), g, n, x + first * s.h * s.w * s.c, y ? y + out : nullptr,
                         winners ? winners + out : nullptr);
        });
}

}  // namespace

void maxpool2d_forward(const WindowShape& s, const float* x, float* y, float* winners) {
    forward(s, x, y, winners);
}

void maxpool2d_unpool(const WindowShape& s, const float* winners, const float* dy, float* dx) {
    cuda::for_each_part("max_pool2d", s.n, cuda::image_values(s, s.c),
                        [&](int64_t first, int64_t images) {
                            const PoolGeometry g(s, images);
                            const int64_t out = first * s.oh * s.ow * s.c;
                            const int n = g.input_values();
                            cuda::launch(maxpool2d_unpool_kernel, cuda::element_blocks(n),
                                         cuda::kElementThreads, 0, cuda::stream(), g, n,
                                         winners + out, dy + out, dx + first * s.h * s.w * s.c);
                        });
}

void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx) {
    Scratch scratch;
    float* winners = scratch.take<float>(s.n * s.oh * s.ow * s.c);
    forward(s, x, nullptr, winners);
    maxpool2d_unpool(s, winners, dy, dx);
}

}  // namespace pyconv
