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
constexpr int64_t MC = 192;       // rows of A that pass over it
constexpr int64_t kOuterMC = 64;  // rows of C in gemm_outer

// Panels that are packed together where B is larger than a cache: a row of it is read some lines
// at a time, not line by line from pages far apart.
constexpr int64_t kGroup = 4;
constexpr int64_t kLargeB = 1 << 19;  // floats
constexpr int64_t kRowsAtOnce = 8;

// Rows k0 .. k0 + kc of some panels from `column` on, one after the other (kc, nr) each.
void pack_group(const Gemm& g, int64_t k0, int64_t kc, int64_t column, int64_t columns,
                float* packed) {
    const simd::Kernels& k = simd::kernels();
    const auto width = [&](int64_t j) {
        return static_cast<int>(std::min<int64_t>(k.nr, columns - j));
    };
    if (g.b_transposed) {
        for (int64_t j = 0; j < columns; j += k.nr, packed += kc * k.nr)
            k.pack_panel_transposed(kc, width(j), g.b + (column + j) * g.ldb + k0, g.ldb, packed);
        return;
    }
    for (int64_t i = 0; i < kc; i += kRowsAtOnce) {
        const int64_t rows = std::min(kRowsAtOnce, kc - i);
        for (int64_t j = 0; j < columns; j += k.nr)
            k.pack_panel(rows, width(j), g.b + (k0 + i) * g.ldb + column + j, g.ldb,
                         packed + j * kc + i * k.nr);
    }
}

// Where the rows of B that meet a pass lie: panels of `width` columns.
struct Panels {
    const float* b;
    int64_t width, panel, ld;  // columns of a panel; floats from one to the next, and between rows
};

// C rows m0 .. m1 and columns column .. column + columns (+)= the products with rows k0 .. k0 + kc
// of B.
void multiply_group(const Gemm& g, int64_t k0, int64_t kc, int64_t m0, int64_t m1, int64_t column,
                    int64_t columns, Panels panels) {
    const simd::Kernels& k = simd::kernels();
    const int flags = (k0 > 0 ? simd::kAccumulate : 0) |
                      (k0 + kc == g.k && g.activation == Activation::kRelu ? simd::kRelu : 0);
    for (int64_t j = 0; j < columns; j += panels.width, panels.b += panels.panel) {
        const int n = static_cast<int>(std::min(panels.width, columns - j));
        const float* bias = k0 == 0 && g.bias ? g.bias + column + j : nullptr;
        for (int64_t row = m0, left = m1 - m0; left > 0;) {
            // Two halves rather than a whole tile and one of so few rows that it waits for sums.
            const bool halves = left > k.mr && left < k.mr + k.mr / 2;
            const int m = static_cast<int>(halves ? left / 2 : std::min<int64_t>(k.mr, left));
            const float* a[kMaxTileRows];
            float* c[kMaxTileRows];
            for (int i = 0; i < m; ++i) {
                a[i] = g.a + (row + i) * g.lda;
                c[i] = g.c + (row + i) * g.ldc + column + j;
            }
            k.tile(m, n, 1, kc, a, k0, panels.b, panels.ld, bias, c, flags);
            row += m;
            left -= m;
        }
    }
}

}  // namespace

void gemm(const Gemm& g) {
    const simd::Kernels& k = simd::kernels();
    const int nr = k.nr, mr = k.mr;
    // One tile of rows reads B once: a copy would not pay.
    const bool in_place = !g.b_transposed && g.m <= mr && g.ldb >= nr;
    const int64_t width = in_place ? k.tile_columns(static_cast<int>(g.m)) : nr;
    const int64_t panels = ceil_div(g.n, width), row_parts = ceil_div(g.m, MC);
    const int64_t part_rows = ceil_div(ceil_div(g.m, std::max<int64_t>(1, row_parts)), mr) * mr;
    const int64_t share = panels * row_parts / (2 * num_threads());
    const bool large = !g.b_transposed && g.k * g.n >= kLargeB;
    const int64_t group = in_place || !large ? 1 : std::clamp<int64_t>(share, 1, kGroup);
    // Parts of rows innermost, so that a thread takes whole columns of B where it can.
    parallel_for(ceil_div(panels, group) * row_parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* packed = scratch.take<float>(KC * group * width);
        for (int64_t task = begin; task < end; ++task) {
            const int64_t column = task / row_parts * group * width;
            const int64_t columns = std::min(group * width, g.n - column);
            const int64_t m0 = task % row_parts * part_rows, m1 = std::min(g.m, m0 + part_rows);
            for (int64_t k0 = 0; k0 < g.k; k0 += KC) {
                const int64_t kc = std::min(KC, g.k - k0);
                Panels b{packed, nr, kc * nr, nr};
                // Whole vectors of the last row may reach beyond B.
                if (in_place && (columns % nr == 0 || k0 + kc < g.k)) {
                    b = {g.b + k0 * g.ldb + column, width, width, g.ldb};
                } else {
                    pack_group(g, k0, kc, column, columns, packed);
                }
                multiply_group(g, k0, kc, m0, m1, column, columns, b);
            }
        }
    });
}

void gemm_outer(int64_t m, int64_t n, int64_t k_size, const float* a, const float* b, float* c) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(n, k.nr), row_parts = ceil_div(m, kOuterMC);
    if (k_size == 0) {
        std::memset(c, 0, sizeof(float) * m * n);
        return;
    }
    // Bound by the writing of C: whole rows, one after the other.
    if (k_size <= simd::kMaxCombinedRows) {
        parallel_for(m, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                k.combine_rows(static_cast<int>(k_size), n, a + i, m, b, n, c + i * n);
        });
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
        float* columns = scratch.take<float>(k_size * kOuterMC);
        const simd::PixelWalk walk{1, 1, k_size, 0, 0, kOuterMC, 0, 0, k.nr};
        for (int64_t part = begin; part < end; ++part) {
            const int64_t m0 = part * kOuterMC, mc = std::min(kOuterMC, m - m0);
            for (int64_t i = 0; i < k_size; ++i)
                std::memcpy(columns + i * kOuterMC, a + i * m + m0, sizeof(float) * mc);
            // Along the rows of C, so that it is written line after line.
            for (int64_t row = 0; row < mc; row += k.mr) {
                const int mr = static_cast<int>(std::min<int64_t>(k.mr, mc - row));
                const float* rows[kMaxTileRows];
                for (int i = 0; i < mr; ++i) rows[i] = columns + row + i;
                for (int64_t p = 0; p < panels; ++p) {
                    const int nr = static_cast<int>(std::min<int64_t>(k.nr, n - p * k.nr));
                    k.outer_tile(mr, nr, walk, rows, packed + p * k_size * k.nr,
                                 c + (m0 + row) * n + p * k.nr, n, 0);
                }
            }
        }
    });
}

}  // namespace pyconv
