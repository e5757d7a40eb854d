#include "ops/global_avgpool2d.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

void global_avgpool2d_forward(int64_t n, int64_t pixels, int64_t c, const float* x, float* y) {
    // Short sums in float, then one of those in double.
    constexpr int64_t kChunkPixels = 32;
    parallel_for(n, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* sums = scratch.take<float>(c);
        double* totals = scratch.take<double>(c);
        for (int64_t i = begin; i < end; ++i) {
            std::fill(totals, totals + c, 0.0);
            for (int64_t p = 0; p < pixels; p += kChunkPixels) {
                simd::kernels().column_sums(std::min(kChunkPixels, pixels - p), c,
                                            x + (i * pixels + p) * c, c, sums);
                for (int64_t j = 0; j < c; ++j) totals[j] += sums[j];
            }
            for (int64_t j = 0; j < c; ++j)
                y[i * c + j] = static_cast<float>(totals[j] / static_cast<double>(pixels));
        }
    });
}

void global_avgpool2d_backward(int64_t n, int64_t pixels, int64_t c, const float* dy, float* dx) {
    parallel_for(n, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            float* out = dx + i * pixels * c;
            for (int64_t j = 0; j < c; ++j) out[j] = dy[i * c + j] / static_cast<float>(pixels);
            for (int64_t p = 1; p < pixels; ++p) std::memcpy(out + p * c, out, sizeof(float) * c);
        }
    });
}

}  // namespace pyconv
