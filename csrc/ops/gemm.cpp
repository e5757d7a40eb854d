#include "ops/gemm.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

// (KC, nr) of B stays in the first-level cache; chains of KC additions keep the error low.
constexpr int64_t KC = 128;
constexpr int64_t MC = 96;   // rows of A that pass over it

}  // namespace

void gemm(const Gemm& g) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(g.n, k.nr);
    // Few rows: one part, so that no panel is packed twice.
    const int64_t row_parts = ceil_div(g.m, MC);
    parallel_for(panels * row_parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* packed = scratch.take<float>(KC * k.nr);
        for (int64_t task = begin; task < end; ++task) {
            const int64_t column = task / row_parts * k.nr;
            const int64_t m0 = task % row_parts * MC, m1 = std::min(g.m, m0 + MC);
            const int n = static_cast<int>(std::min<int64_t>(k.nr, g.n - column));
            for (int64_t k0 = 0; k0 < g.k; k0 += KC) {
                const int64_t kc = std::min(KC, g.k - k0);
                const float* b = packed;
                int64_t b_ld = k.nr;
                if (g.b_transposed) {
                    k.pack_panel_transposed(kc, n, g.b + column * g.ldb + k0, g.ldb, packed);
                } else if (n < k.nr || m1 - m0 > k.mr) {
                    k.pack_panel(kc, n, g.b + k0 * g.ldb + column, g.ldb, packed);
                } else {
                    b = g.b + k0 * g.ldb + column;
                    b_ld = g.ldb;
                }
                const int flags =
                    (k0 > 0 ? simd::kAccumulate : 0) |
                    (k0 + kc == g.k && g.activation == Activation::kRelu ? simd::kRelu : 0);
                for (int64_t row = m0; row < m1; row += k.mr) {
                    const int m = static_cast<int>(std::min<int64_t>(k.mr, m1 - row));
                    const float* a[kMaxTileRows];
                    float* c[kMaxTileRows];
                    for (int i = 0; i < m; ++i) {
                        a[i] = g.a + (row + i) * g.lda + k0;
                        c[i] = g.c + (row + i) * g.ldc + column;
                    }
                    k.tile(m, n, 1, kc, a, 0, b, b_ld, k0 == 0 && g.bias ? g.bias + column : nullptr,
                           c, flags);
                }
            }
        }
    });
}

void gemm_outer(int64_t m, int64_t n, int64_t k_size, const float* a, const float* b, float* c) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(n, k.nr), row_parts = ceil_div(m, MC);
    if (k_size == 0) {
        std::memset(c, 0, sizeof(float) * m * n);
        return;
    }
    Scratch shared;
    float* packed = shared.take<float>(panels * k_size * k.nr);
    parallel_for(panels, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
            k.pack_panel(k_size, static_cast<int>(std::min<int64_t>(k.nr, n - p * k.nr)),
                         b + p * k.nr, n, packed + p * k_size * k.nr);
    });
    parallel_for(row_parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        // A copy: columns of A a power of two apart would fall on the same cache lines.
        float* columns = scratch.take<float>(k_size * MC);
        const simd::PixelWalk walk{1, 1, k_size, 0, 0, MC, 0, 0, k.nr};
        for (int64_t part = begin; part < end; ++part) {
            const int64_t m0 = part * MC, mc = std::min(MC, m - m0);
            for (int64_t i = 0; i < k_size; ++i)
                std::memcpy(columns + i * MC, a + i * m + m0, sizeof(float) * mc);
            for (int64_t p = 0; p < panels; ++p) {
                const int nr = static_cast<int>(std::min<int64_t>(k.nr, n - p * k.nr));
                for (int64_t row = 0; row < mc; row += k.mr) {
                    const int mr = static_cast<int>(std::min<int64_t>(k.mr, mc - row));
                    const float* rows[kMaxTileRows];
                    for (int i = 0; i < mr; ++i) rows[i] = columns + row + i;
                    k.outer_tile(mr, nr, walk, rows, packed + p * k_size * k.nr,
                                 c + (m0 + row) * n + p * k.nr, n, 0);
                }
            }
        }
    });
}

}  // namespace pyconv
