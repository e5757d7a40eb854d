#include "ops/gemm_outer.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/gemm_sparse.h"
#include "ops/packed_rows.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kDepth = 512;                          // of a panel of B in the second cache
constexpr int64_t kRows = 64;                            // of C at once
constexpr int64_t kLeastColumn = 16, kMostColumn = 256;  // of A whose zeros are left out

}  // namespace

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
    const Tiling tiling(count, k.packed_rows);
    const PackedRows columns(tiling, k_, kDepth, scratch);
    columns.pack_columns(a_ + m0, m_);
    for (int64_t k0 = 0; k0 < k_; k0 += kDepth) {
        for (int64_t tile = 0; tile < tiling.count(); ++tile)
            k.packed_row(tiling.height(tile), n_, std::min(kDepth, k_ - k0), columns.at(tile, k0),
                         packed_ + k0 * k.nr, k_ * k.nr, c + tiling.first(tile) * n_, n_,
                         k0 > 0 ? simd::kAccumulate : 0);
    }
}

void gemm_outer(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c) {
    Scratch scratch;
    const OuterProduct product(m, n, k, a, b, scratch);
    parallel_for(ceil_div(m, kRows), [&](int64_t begin, int64_t end) {
        for (int64_t m0 = begin * kRows; m0 < std::min(m, end * kRows); m0 += kRows)
            product.rows(m0, std::min(kRows, m - m0), c + m0 * n);
    });
}

}  // namespace pyconv
