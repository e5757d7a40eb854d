#include "ops/gemm.h"

#include <algorithm>
#include <optional>

#include "check.h"
#include "ops/gemm_few_rows.h"
#include "ops/gemm_sparse.h"
#include "ops/packed_rows.h"
#include "ops/read_ahead.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

// (KC, nr) of B stays in the first-level cache; chains of KC additions keep the error low.
constexpr int64_t KC = kGemmChain;
constexpr int64_t MC = 192;          // rows of A that pass over it
constexpr int64_t kLeastPanels = 3;  // of B that pay for a copy of A

// Panels that meet a pass together, where B is large: the pass that follows asks for its rows some
// lines at a time, not line by line from pages far apart.
constexpr int64_t kGroup = 4;
constexpr int64_t kLargeB = 1 << 17;  // floats

// One pass: the products of columns k0 .. k0 + kc of A, tiles tile0 .. tile1 of its rows, with
// columns column .. column + columns of as many rows of B, which C takes or adds.
struct Pass {
    int64_t tile0, tile1, k0, kc, column, columns;
};

// A where it lies, or in a copy.
struct Rows {
    Tiling tiling;
    const PackedRows* packed;
};

// The tiles of a pass whose panel of B, n columns from `column` on, has rows ld apart. The first
// copies it where `copy` is not null.
void multiply_panel(const Gemm& g, const Rows& rows, const Pass& pass, int64_t column, int n,
                    const float* b, int64_t ld, float* copy, ReadAhead& ahead) {
    const simd::Kernels& k = simd::kernels();
    const int flags =
        (pass.k0 > 0 ? simd::kAccumulate : 0) |
        (pass.k0 + pass.kc == g.k && g.activation == Activation::kRelu ? simd::kRelu : 0);
    const float* bias = pass.k0 == 0 && g.bias ? g.bias + column : nullptr;
    for (int64_t tile = pass.tile0; tile < pass.tile1; ++tile) {
        const int m = rows.tiling.height(tile);
        const int64_t row = rows.tiling.first(tile);
        float* y = g.c + row * g.ldc + column;
        ahead.fetch();
        if (rows.packed) {
            k.packed_tile(m, n, pass.kc, rows.packed->at(tile, pass.k0), b, ld, copy, bias, y,
                          g.ldc, flags);
            if (copy) b = copy, ld = k.nr, copy = nullptr;
            continue;
        }
        const float* a[simd::kMaxTileRows];
        float* c[simd::kMaxTileRows];
        for (int i = 0; i < m; ++i) {
            a[i] = g.a + (row + i) * g.lda;
            c[i] = y + i * g.ldc;
        }
        k.tile(m, n, 1, pass.kc, a, pass.k0, nullptr, 0, b, ld, bias, c, flags);
    }
}

// B is read in place where its rows meet one tile.
void multiply_in_place(const Gemm& g, const Rows& rows, const Pass& pass, float* packed) {
    const simd::Kernels& k = simd::kernels();
    ReadAhead nothing;
    const float* b = g.b + pass.k0 * g.ldb + pass.column;
    const int n = static_cast<int>(pass.columns);
    // Whole vectors of the last row may reach beyond B.
    if (n % k.nr == 0 || pass.k0 + pass.kc < g.k)
        return multiply_panel(g, rows, pass, pass.column, n, b, g.ldb, nullptr, nothing);
    for (int j = 0; j < n; j += k.nr) {
        const int columns = std::min(k.nr, n - j);
        k.pack_panel(pass.kc, columns, b + j, g.ldb, packed);
        multiply_panel(g, rows, pass, pass.column + j, columns, packed, k.nr, nullptr, nothing);
    }
}

void multiply_packed(const Gemm& g, const Rows& rows, const Pass& pass, float* packed,
                     ReadAhead ahead) {
    const simd::Kernels& k = simd::kernels();
    for (int64_t j = 0; j < pass.columns; j += k.nr) {
        const int64_t column = pass.column + j;
        const int n = static_cast<int>(std::min<int64_t>(k.nr, pass.columns - j));
        const float* b = g.b + pass.k0 * g.ldb + column;
        if (!g.b_transposed && n == k.nr) {
            float* copy = rows.packed && pass.tile1 - pass.tile0 > 1 ? packed : nullptr;
            multiply_panel(g, rows, pass, column, n, b, g.ldb, copy, ahead);
            continue;
        }
        if (g.b_transposed) {
            k.pack_panel_transposed(pass.kc, n, g.b + column * g.ldb + pass.k0, g.ldb, packed);
        } else {
            k.pack_panel(pass.kc, n, b, g.ldb, packed);
        }
        multiply_panel(g, rows, pass, column, n, packed, k.nr, nullptr, ahead);
    }
}

// What the pass after this one reads: the next rows of B, or the first ones of the next columns.
ReadAhead next_rows(const Gemm& g, const Pass& pass, bool more_columns) {
    const simd::Kernels& k = simd::kernels();
    const bool last = pass.k0 + pass.kc == g.k;
    const int64_t k0 = last ? 0 : pass.k0 + pass.kc;
    const int64_t column = last ? pass.column + pass.columns : pass.column;
    if (column >= g.n || (last && !more_columns)) return {};
    const int64_t tiles = (pass.tile1 - pass.tile0) * ceil_div(pass.columns, k.nr);
    return {g.b + k0 * g.ldb + column, g.ldb, std::min(KC, g.k - k0),
            std::min(pass.columns, g.n - column), tiles};
}

}  // namespace

void gemm(const Gemm& g) {
    if (g.m == 0 || g.n == 0) return;
    if (sparse_pays(g)) return sparse_gemm(g);
    if (few_rows_pay(g)) return few_rows_gemm(g);
    const simd::Kernels& k = simd::kernels();
    // One tile of rows reads B once: a copy would not pay.
    const bool in_place = !g.b_transposed && g.m <= k.mr && g.ldb >= k.nr;
    const int64_t width = in_place ? k.tile_columns(static_cast<int>(g.m)) : k.nr;
    const int64_t panels = ceil_div(g.n, width), row_parts = ceil_div(g.m, MC);
    const bool packs = !in_place && panels >= kLeastPanels;
    const Tiling tiling(g.m, packs ? k.packed_rows : k.mr);
    const int64_t share = panels * row_parts / (2 * num_threads());
    const bool large = !g.b_transposed && g.k * g.n >= kLargeB;
    const int64_t group = in_place || !large ? 1 : std::clamp<int64_t>(share, 1, kGroup);

    Scratch shared;
    std::optional<PackedRows> all;
    if (packs && row_parts > 1) {
        all.emplace(tiling, g.k, KC, shared);
        parallel_for(tiling.count(), [&](int64_t begin, int64_t end) {
            for (int64_t tile = begin; tile < end; ++tile) all->pack_rows(tile, g.a, g.lda);
        });
    }
    // Parts of rows innermost, so that a thread takes whole columns of B where it can.
    parallel_for(ceil_div(panels, group) * row_parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* packed = scratch.take<float>(KC * k.nr);
        std::optional<PackedRows> own;  // few rows: a copy costs less than another's
        if (packs && !all) {
            own.emplace(tiling, g.k, KC, scratch);
            for (int64_t tile = 0; tile < tiling.count(); ++tile) own->pack_rows(tile, g.a, g.lda);
        }
        const Rows rows{tiling, all ? &*all : own ? &*own : nullptr};
        for (int64_t task = begin; task < end; ++task) {
            const int64_t part = task % row_parts;
            Pass pass;
            pass.column = task / row_parts * group * width;
            pass.columns = std::min(group * width, g.n - pass.column);
            pass.tile0 = part * tiling.count() / row_parts;
            pass.tile1 = (part + 1) * tiling.count() / row_parts;
            for (pass.k0 = 0; pass.k0 < g.k; pass.k0 += KC) {
                pass.kc = std::min(KC, g.k - pass.k0);
                if (in_place) {
                    multiply_in_place(g, rows, pass, packed);
                    continue;
                }
                multiply_packed(g, rows, pass, packed,
                                large ? next_rows(g, pass, task + 1 < end) : ReadAhead());
            }
        }
    });
}

}  // namespace pyconv
