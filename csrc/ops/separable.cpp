#include "ops/separable.h"

#include "simd/kernels.h"

namespace pyconv {

void separable(const FilterShape& s, const float* x, const float* rows, const float* cols,
               float divisor, float* y) {
    each_result_row(s, x, [&](const RowWindow<float>& window) {
        const simd::FilterKernels& k = simd::kernels().filters;
        const int kh = static_cast<int>(s.kernel.h), kw = static_cast<int>(s.kernel.w);
        Scratch scratch;
        float* sums = scratch.take<float>(s.line() + (kw - 1) * s.c);
        k.weighted_sum(kh, s.line(), window.rows, rows, 1.f, sums + s.left * s.c);
        fill_border(sums + s.left * s.c, s.w, s.c, s.left, s.right(), s.border);
        const float** shifted = scratch.take<const float*>(kw);
        for (int64_t b = 0; b < kw; ++b) shifted[b] = sums + b * s.c;
        k.weighted_sum(kw, s.ow * s.c, shifted, cols, divisor, y + window.row * s.ow * s.c);
    });
}

}  // namespace pyconv
