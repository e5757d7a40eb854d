#include "ops/maxpool2d.h"

#include <cstring>

#include "ops/pool_windows.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

void maxpool2d_forward(const WindowShape& s, const float* x, float* y) {
    parallel_for(s.n * s.oh, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        int64_t* cells = scratch.take<int64_t>(window_cells(s));
        const float** taps = scratch.take<const float*>(window_cells(s));
        for (int64_t row = begin; row < end; ++row) {
            const float* image = x + row / s.oh * s.h * s.w * s.c;
            float* out = y + row / s.oh * s.oh * s.ow * s.c;
            for_each_window(s, row % s.oh, cells, [&](const int64_t*, int count, int64_t pixel) {
                for (int t = 0; t < count; ++t) taps[t] = image + cells[t] * s.c;
                simd::kernels().max_window(count, s.c, taps, out + pixel * s.c);
            });
        }
    });
}

void maxpool2d_backward(const WindowShape& s, const float* x, const float* dy, float* dx) {
    // Windows may overlap, so that one thread takes a whole image.
    parallel_for(s.n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        int64_t* cells = scratch.take<int64_t>(window_cells(s));
        const float** taps = scratch.take<const float*>(window_cells(s));
        float** dtaps = scratch.take<float*>(window_cells(s));
        for (int64_t n = begin; n < end; ++n) {
            const float* image = x + n * s.h * s.w * s.c;
            const float* grad = dy + n * s.oh * s.ow * s.c;
            float* out = dx + n * s.h * s.w * s.c;
            std::memset(out, 0, sizeof(float) * s.h * s.w * s.c);
            for (int64_t oh = 0; oh < s.oh; ++oh) {
                for_each_window(s, oh, cells, [&](const int64_t*, int count, int64_t pixel) {
                    for (int t = 0; t < count; ++t) {
                        taps[t] = image + cells[t] * s.c;
                        dtaps[t] = out + cells[t] * s.c;
                    }
                    simd::kernels().max_window_backward(count, s.c, taps, grad + pixel * s.c,
                                                        dtaps);
                });
            }
        }
    });
}

}  // namespace pyconv
