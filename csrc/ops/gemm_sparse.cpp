#include "ops/gemm_sparse.h"

#include <algorithm>

#include "check.h"
#include "ops/read_ahead.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kRows = 192;      // of A, whose lists stay in the second cache
constexpr int64_t kLeastRows = 16;  // below, the packing of B is not paid back
constexpr int64_t kLeastDepth = 64;
// Of the values of A. Wide vectors need rows of B that serve many rows of A.
constexpr double kMostNumbers = 0.6, kMostNumbersWide = 0.35;
constexpr int64_t kSample = 512, kRun = 16;  // values that are looked at, and side by side

// The numbers of rows of A in columns k0 .. k0 + kc.
class Lists {
public:
    Lists(int64_t rows, Scratch& scratch)
        : capacity_(kGemmChain + 2 * simd::kernels().lanes),
          places_(places_of_rows(kGemmChain, scratch)),
          counts_(scratch.take<int64_t>(rows)),
          offsets_(scratch.take<int32_t>(rows * capacity_)),
          numbers_(scratch.take<float>(rows * capacity_)) {}

    void fill(int64_t rows, int64_t kc, const float* a, int64_t lda) {
        for (int64_t row = 0; row < rows; ++row)
            counts_[row] = simd::kernels().list_row(
                kc, a + row * lda, places_, offsets_ + row * capacity_, numbers_ + row * capacity_);
    }

    // y = or += the products of a row with n columns of B in panels of (kc, nr)
    void multiply(int64_t row, int n, const float* b, int64_t kc, const float* bias, float* y,
                  int flags) const {
        const simd::Kernels& k = simd::kernels();
        k.sparse_row(n, counts_[row], offsets_ + row * capacity_, numbers_ + row * capacity_, b,
                     kc * k.nr, bias, y, flags);
    }

private:
    int64_t capacity_;
    const int32_t* places_;
    int64_t* counts_;
    int32_t* offsets_;  // (rows, capacity)
    float* numbers_;
};

// Rows k0 .. k0 + kc and n columns of B, in panels of (kc, nr).
void pack(const Gemm& g, int64_t k0, int64_t kc, int64_t column, int64_t n, float* packed) {
    const simd::Kernels& k = simd::kernels();
    for (int64_t j = 0; j < n; j += k.nr, packed += kc * k.nr) {
        const int columns = static_cast<int>(std::min<int64_t>(k.nr, n - j));
        if (g.b_transposed) {
            k.pack_panel_transposed(kc, columns, g.b + (column + j) * g.ldb + k0, g.ldb, packed);
        } else {
            k.pack_panel(kc, columns, g.b + k0 * g.ldb + column + j, g.ldb, packed);
        }
    }
}

// What is packed after columns column .. of rows k0 .. k0 + kc: the next columns, or the first ones
// of the next rows.
ReadAhead next_rows(const Gemm& g, int64_t k0, int64_t kc, int64_t column, int64_t first,
                    int64_t last, int64_t calls) {
    const int64_t width = simd::kernels().sparse_columns;
    column += width;
    if (column >= std::min(last, g.n)) column = first, k0 += kc;
    if (g.b_transposed || k0 >= g.k) return {};
    return {g.b + k0 * g.ldb + column, g.ldb, std::min(kGemmChain, g.k - k0),
            std::min(width, g.n - column), calls};
}

}  // namespace

bool mostly_listed(int64_t rows, int64_t columns, const float* a, int64_t ld) {
    if (columns < kRun) return false;
    // From the first row to the last, and from one end of the rows to the other.
    constexpr int64_t runs = kSample / kRun;
    int64_t numbers = 0;
    for (int64_t i = 0; i < runs; ++i) {
        const float* run = a + i * rows / runs * ld + i * (columns - kRun) / runs;
        for (int64_t j = 0; j < kRun; ++j) numbers += run[j] != 0.f;
    }
    const double most = simd::kernels().lanes < 16 ? kMostNumbers : kMostNumbersWide;
    return static_cast<double>(numbers) < most * kSample;
}

const int32_t* places_of_rows(int64_t rows, Scratch& scratch) {
    const int64_t lanes = simd::kernels().lanes, nr = simd::kernels().nr;
    int32_t* places = scratch.take<int32_t>(rows + lanes);
    for (int64_t i = 0; i < rows + lanes; ++i) places[i] = static_cast<int32_t>(i * nr);
    return places;
}

bool sparse_pays(const Gemm& g) {
    return g.m >= kLeastRows && g.k >= kLeastDepth && g.n >= simd::kernels().sparse_columns &&
           mostly_listed(g.m, g.k, g.a, g.lda);
}

void sparse_gemm(const Gemm& g) {
    const int64_t width = simd::kernels().sparse_columns, blocks = ceil_div(g.n, width);
    parallel_for(blocks, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* packed = scratch.take<float>(kGemmChain * width);
        Lists lists(std::min(kRows, g.m), scratch);
        for (int64_t m0 = 0; m0 < g.m; m0 += kRows) {
            const int64_t rows = std::min(kRows, g.m - m0);
            for (int64_t k0 = 0; k0 < g.k; k0 += kGemmChain) {
                const int64_t kc = std::min(kGemmChain, g.k - k0);
                const bool relu = k0 + kc == g.k && g.activation == Activation::kRelu;
                const int flags = (k0 > 0 ? simd::kAccumulate : 0) | (relu ? simd::kRelu : 0);
                lists.fill(rows, kc, g.a + m0 * g.lda + k0, g.lda);
                for (int64_t block = begin; block < end; ++block) {
                    const int64_t column = block * width, n = std::min(width, g.n - column);
                    const float* bias = k0 == 0 && g.bias ? g.bias + column : nullptr;
                    pack(g, k0, kc, column, n, packed);
                    ReadAhead ahead =
                        next_rows(g, k0, kc, column, begin * width, end * width, rows);
                    for (int64_t row = 0; row < rows; ++row) {
                        ahead.fetch();
                        lists.multiply(row, static_cast<int>(n), packed, kc, bias,
                                       g.c + (m0 + row) * g.ldc + column, flags);
                    }
                }
            }
        }
    });
}

}  // namespace pyconv
