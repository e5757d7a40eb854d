// Threads take rows of windows; in the gradient whole images, since windows may overlap.

#include "ops/maxpool2d.h"

#include <cstring>

#include "ops/pool_windows.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

void maxpool2d_forward(const WindowShape& s, const float* x, float* y) {
    parallel_for(s.n * s.oh, [&](int64_t begin, int64_t end) {
        pool_rows(s, x, y, begin, end, simd::kernels().max_windows);
    });
}

void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx) {
    parallel_for(s.n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        WindowCells cells(s, scratch);
        const float** taps = scratch.take<const float*>(WindowCells::most(s));
        float** dtaps = scratch.take<float*>(WindowCells::most(s));
        for (int64_t n = begin; n < end; ++n) {
            const float* image = x + n * s.h * s.w * s.c;
            const float* grad = dy + n * s.oh * s.ow * s.c;
            float* out = dx + n * s.h * s.w * s.c;
            if (!windows_cover(s)) std::memset(out, 0, sizeof(float) * s.h * s.w * s.c);
            for (int64_t oh = 0; oh < s.oh; ++oh) {
                for_each_window_row(s, oh, cells, [&](const simd::WindowRow& row, int64_t first) {
                    for (int t = 0; t < row.count; ++t) {
                        taps[t] = image + cells.pixels[t] * s.c;
                        dtaps[t] = out + cells.pixels[t] * s.c;
                    }
                    simd::kernels().max_windows_backward(row, taps, grad + first * s.c, dtaps);
                });
            }
        }
    });
}

}  // namespace pyconv
