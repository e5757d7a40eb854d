#include "ops/gemm.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/gemm_few_rows.h"
#include "ops/gemm_sparse.h"
#include "ops/read_ahead.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

// (KC, nr) of B stays in the first-level cache; chains of KC additions keep the error low.
constexpr int64_t KC = kGemmChain;
constexpr int64_t MC = 192;                              // rows of A that pass over it
constexpr int64_t kOuterMC = 64;                         // rows of C in gemm_outer
constexpr int64_t kLeastColumn = 16, kMostColumn = 256;  // of A whose zeros gemm_outer leaves out

// Panels that meet a pass together, where B is large: the pass that follows asks for its rows some
// lines at a time, not line by line from pages far apart.
constexpr int64_t kGroup = 4;
constexpr int64_t kLargeB = 1 << 17;  // floats

// Rows of A that are a multiple of this apart fall on the same few lines of the cache.
constexpr int64_t kSameLines = 512;  // floats

// One pass: C rows m0 .. m1 and columns column .. column + columns (+)= the products of columns
// k0 .. k0 + kc of A, whose rows m0 .. m1 begin at `a`, lda apart, with as many rows of B.
struct Pass {
    int64_t m0, m1, k0, kc, column, columns;
    const float* a;
    int64_t lda;
};

// The tiles of a pass whose panel of B, n columns from `column` on, has rows ld apart. The first
// copies it where `copy` is not null.
void multiply_panel(const Gemm& g, const Pass& pass, int64_t column, int n, const float* b,
                    int64_t ld, float* copy, ReadAhead& ahead) {
    const simd::Kernels& k = simd::kernels();
    const int flags =
        (pass.k0 > 0 ? simd::kAccumulate : 0) |
        (pass.k0 + pass.kc == g.k && g.activation == Activation::kRelu ? simd::kRelu : 0);
    const float* bias = pass.k0 == 0 && g.bias ? g.bias + column : nullptr;
    int64_t row = pass.m0;
    // Of about as many rows each: a tile of few waits for its sums.
    for (int64_t tiles = ceil_div(pass.m1 - row, k.mr); tiles > 0; --tiles) {
        const int m = static_cast<int>(ceil_div(pass.m1 - row, tiles));
        const float* a[kMaxTileRows];
        float* c[kMaxTileRows];
        for (int i = 0; i < m; ++i) {
            a[i] = pass.a + (row - pass.m0 + i) * pass.lda;
            c[i] = g.c + (row + i) * g.ldc + column;
        }
        ahead.fetch();
        if (copy) {
            k.tile_packing(m, pass.kc, a, 0, b, ld, copy, bias, c, flags);
            b = copy, ld = k.nr, copy = nullptr;
        } else {
            k.tile(m, n, 1, pass.kc, a, 0, nullptr, 0, b, ld, bias, c, flags);
        }
        row += m;
    }
}

// B is read in place where its rows meet one tile.
void multiply_in_place(const Gemm& g, const Pass& pass, float* packed) {
    const simd::Kernels& k = simd::kernels();
    ReadAhead nothing;
    const float* b = g.b + pass.k0 * g.ldb + pass.column;
    const int n = static_cast<int>(pass.columns);
    // Whole vectors of the last row may reach beyond B.
    if (n % k.nr == 0 || pass.k0 + pass.kc < g.k)
        return multiply_panel(g, pass, pass.column, n, b, g.ldb, nullptr, nothing);
    for (int j = 0; j < n; j += k.nr) {
        const int columns = std::min(k.nr, n - j);
        k.pack_panel(pass.kc, columns, b + j, g.ldb, packed);
        multiply_panel(g, pass, pass.column + j, columns, packed, k.nr, nullptr, nothing);
    }
}

void multiply_packed(const Gemm& g, const Pass& pass, float* packed, ReadAhead ahead) {
    const simd::Kernels& k = simd::kernels();
    for (int64_t j = 0; j < pass.columns; j += k.nr) {
        const int64_t column = pass.column + j;
        const int n = static_cast<int>(std::min<int64_t>(k.nr, pass.columns - j));
        if (g.b_transposed) {
            k.pack_panel_transposed(pass.kc, n, g.b + column * g.ldb + pass.k0, g.ldb, packed);
            multiply_panel(g, pass, column, n, packed, k.nr, nullptr, ahead);
            continue;
        }
        const float* b = g.b + pass.k0 * g.ldb + column;
        const bool whole = n == k.nr;
        if (!whole) k.pack_panel(pass.kc, n, b, g.ldb, packed);
        multiply_panel(g, pass, column, n, whole ? b : packed, whole ? g.ldb : k.nr,
                       whole ? packed : nullptr, ahead);
    }
}

// What the pass after this one reads: the next rows of B, or the first ones of the next columns.
ReadAhead next_rows(const Gemm& g, const Pass& pass, bool more_columns) {
    const simd::Kernels& k = simd::kernels();
    const bool last = pass.k0 + pass.kc == g.k;
    const int64_t k0 = last ? 0 : pass.k0 + pass.kc;
    const int64_t column = last ? pass.column + pass.columns : pass.column;
    if (column >= g.n || (last && !more_columns)) return {};
    const int64_t tiles = ceil_div(pass.m1 - pass.m0, k.mr) * ceil_div(pass.columns, k.nr);
    return {g.b + k0 * g.ldb + column, g.ldb, std::min(KC, g.k - k0),
            std::min(pass.columns, g.n - column), tiles};
}

// A in blocks of KC columns, each (m, KC).
const float* copied_in_blocks(const Gemm& g, Scratch& scratch) {
    float* copy = scratch.take<float>(ceil_div(g.k, KC) * g.m * KC);
    float* to = copy;
    for (int64_t k0 = 0; k0 < g.k; k0 += KC)
        for (int64_t row = 0; row < g.m; ++row, to += KC)
            std::memcpy(to, g.a + row * g.lda + k0, sizeof(float) * std::min(KC, g.k - k0));
    return copy;
}

}  // namespace

void gemm(const Gemm& g) {
    if (sparse_pays(g)) return sparse_gemm(g);
    if (few_rows_pay(g)) return few_rows_gemm(g);
    const simd::Kernels& k = simd::kernels();
    const int nr = k.nr, mr = k.mr;
    // One tile of rows reads B once: a copy would not pay.
    const bool in_place = !g.b_transposed && g.m <= mr && g.ldb >= nr;
    const int64_t width = in_place ? k.tile_columns(static_cast<int>(g.m)) : nr;
    const int64_t panels = ceil_div(g.n, width), row_parts = ceil_div(g.m, MC);
    const int64_t part_rows = ceil_div(ceil_div(g.m, std::max<int64_t>(1, row_parts)), mr) * mr;
    const int64_t share = panels * row_parts / (2 * num_threads());
    const bool large = !g.b_transposed && g.k * g.n >= kLargeB;
    const bool copies_a =
        large && !in_place && row_parts == 1 && g.lda % kSameLines == 0 && panels > kGroup;
    const int64_t group = in_place || !large ? 1 : std::clamp<int64_t>(share, 1, kGroup);
    // Parts of rows innermost, so that a thread takes whole columns of B where it can.
    parallel_for(ceil_div(panels, group) * row_parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* packed = scratch.take<float>(KC * nr);
        const float* copy = copies_a ? copied_in_blocks(g, scratch) : nullptr;
        for (int64_t task = begin; task < end; ++task) {
            Pass pass;
            pass.column = task / row_parts * group * width;
            pass.columns = std::min(group * width, g.n - pass.column);
            pass.m0 = task % row_parts * part_rows;
            pass.m1 = std::min(g.m, pass.m0 + part_rows);
            for (pass.k0 = 0; pass.k0 < g.k; pass.k0 += KC) {
                pass.kc = std::min(KC, g.k - pass.k0);
                pass.a = copy ? copy + pass.k0 * g.m : g.a + pass.m0 * g.lda + pass.k0;
                pass.lda = copy ? KC : g.lda;
                if (in_place) {
                    multiply_in_place(g, pass, packed);
                    continue;
                }
                multiply_packed(g, pass, packed,
                                large ? next_rows(g, pass, task + 1 < end) : ReadAhead());
            }
        }
    });
}

OuterProduct::OuterProduct(int64_t m, int64_t n, int64_t k, const float* a, const float* b,
                           Scratch& scratch)
    : m_(m), n_(n), k_(k), a_(a), b_(b) {
    if (k <= simd::kMaxCombinedRows) return;
    const simd::Kernels& kernels = simd::kernels();
    const int64_t nr = kernels.nr, panels = ceil_div(n, nr);
    float* packed = scratch.take<float>(panels * k * nr);
    parallel_for(panels, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
            kernels.pack_panel(k, static_cast<int>(std::min<int64_t>(nr, n - p * nr)), b + p * nr,
                               n, packed + p * k * nr);
    });
    packed_ = packed;
    if (k >= kLeastColumn && k <= kMostColumn && n >= kernels.sparse_columns &&
        mostly_listed(k, m, a, m))
        places_ = places_of_rows(k, scratch);
}

// The numbers of each column of A, and the sums of the rows of B that meet them.
void OuterProduct::sparse_rows(int64_t m0, int64_t count, float* c) const {
    const simd::Kernels& k = simd::kernels();
    Scratch scratch;
    const int64_t capacity = k_ + 2 * k.lanes;
    int32_t* offsets = scratch.take<int32_t>(count * capacity);
    float* numbers = scratch.take<float>(count * capacity);
    int64_t* counts = scratch.take<int64_t>(count);
    k.list_columns(k_, count, a_ + m0, m_, places_, capacity, offsets, numbers, counts);
    // The panels of some columns stay in the first cache.
    for (int64_t column = 0; column < n_; column += k.sparse_columns) {
        const int n = static_cast<int>(std::min<int64_t>(k.sparse_columns, n_ - column));
        for (int64_t row = 0; row < count; ++row)
            k.sparse_row(n, counts[row], offsets + row * capacity, numbers + row * capacity,
                         packed_ + column * k_, k_ * k.nr, nullptr, c + row * n_ + column, 0);
    }
}

void OuterProduct::rows(int64_t m0, int64_t count, float* c) const {
    const simd::Kernels& k = simd::kernels();
    if (k_ == 0) {
        std::memset(c, 0, sizeof(float) * count * n_);
        return;
    }
    // Bound by the writing of C: whole rows, one after the other.
    if (!packed_) {
        for (int64_t i = 0; i < count; ++i)
            k.combine_rows(static_cast<int>(k_), n_, a_ + m0 + i, m_, b_, n_, c + i * n_);
        return;
    }
    if (places_) return sparse_rows(m0, count, c);
    Scratch scratch;
    // A copy: columns of A a power of two apart would fall on the same cache lines.
    float* columns = scratch.take<float>(k_ * count);
    const simd::PixelWalk walk{1, 1, k_, 0, 0, count, 0, 0, k.nr};
    for (int64_t i = 0; i < k_; ++i)
        std::memcpy(columns + i * count, a_ + i * m_ + m0, sizeof(float) * count);
    // Along the rows of C, so that it is written line after line.
    for (int64_t row = 0; row < count; row += k.mr) {
        const int mr = static_cast<int>(std::min<int64_t>(k.mr, count - row));
        const float* a[kMaxTileRows];
        for (int i = 0; i < mr; ++i) a[i] = columns + row + i;
        for (int64_t column = 0; column < n_; column += k.nr) {
            const int nr = static_cast<int>(std::min<int64_t>(k.nr, n_ - column));
            k.outer_tile(mr, nr, walk, a, packed_ + column * k_, c + row * n_ + column, n_, 0);
        }
    }
}

void gemm_outer(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c) {
    Scratch scratch;
    const OuterProduct product(m, n, k, a, b, scratch);
    parallel_for(ceil_div(m, kOuterMC), [&](int64_t begin, int64_t end) {
        for (int64_t m0 = begin * kOuterMC; m0 < std::min(m, end * kOuterMC); m0 += kOuterMC)
            product.rows(m0, std::min(kOuterMC, m - m0), c + m0 * n);
    });
}

}  // namespace pyconv
