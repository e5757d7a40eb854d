// Threads take rows of windows; in the gradient whole images, since windows may overlap.

#include "ops/maxpool2d.h"

#include <cstring>

#include "ops/pool_windows.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// Calls visit(row, first, dtaps) for the rows of windows of each image of dx, which is zeroed where
// windows do not write all of it; dtaps point at the cells of the row's first window.
template <class Visit>
void scatter_windows(const WindowShape& s, float* dx, const Visit& visit) {
    parallel_for(s.n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        WindowCells cells(s, scratch);
        float** dtaps = scratch.take<float*>(WindowCells::most(s));
        for (int64_t n = begin; n < end; ++n) {
            float* image = dx + n * s.h * s.w * s.c;
            if (!windows_cover(s)) std::memset(image, 0, sizeof(float) * s.h * s.w * s.c);
            for (int64_t oh = 0; oh < s.oh; ++oh) {
                for_each_window_row(s, oh, cells, [&](const simd::WindowRow& row, int64_t first) {
                    for (int t = 0; t < row.count; ++t) dtaps[t] = image + cells.pixels[t] * s.c;
                    visit(row, n * s.oh * s.ow + first, dtaps);
                });
            }
        }
    });
}

}  // namespace

void maxpool2d_forward(const WindowShape& s, const float* x, float* y, float* winners) {
    const simd::Kernels& k = simd::kernels();
    parallel_for(s.n * s.oh, [&](int64_t begin, int64_t end) {
        pool_rows(s, x, y, begin, end,
                  [&](const simd::WindowRow& row, const float* const* taps, float* out) {
                      k.max_windows(row, taps, out, winners ? winners + (out - y) : nullptr);
                  });
    });
}

void maxpool2d_unpool(const WindowShape& s, const float* winners, const float* dy, float* dx) {
    const simd::Kernels& k = simd::kernels();
    scatter_windows(s, dx, [&](const simd::WindowRow& row, int64_t first, float** dtaps) {
        k.max_windows_unpool(row, winners + first * s.c, dy + first * s.c, dtaps);
    });
}

void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx) {
    const simd::Kernels& k = simd::kernels();
    scatter_windows(s, dx, [&](const simd::WindowRow& row, int64_t first, float** dtaps) {
        Scratch scratch;
        const float** taps = scratch.take<const float*>(row.count);
        for (int t = 0; t < row.count; ++t) taps[t] = x + (dtaps[t] - dx);
        k.max_windows_backward(row, taps, dy + first * s.c, dtaps);
    });
}

}  // namespace pyconv
