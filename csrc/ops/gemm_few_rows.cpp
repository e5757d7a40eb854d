#include "ops/gemm_few_rows.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kDotRows = 16;          // of B at once, which stay in a cache
constexpr int64_t kLeastB = 32 * 1024;    // floats, below which one sum a column costs less
constexpr int64_t kMostSums = 32 * 1024;  // floats

int64_t chains(const Gemm& g) { return ceil_div(g.k, kGemmChain); }

bool dot_products(const Gemm& g) {
    return g.b_transposed && !g.bias && g.activation == Activation::kLinear;
}

void dot_gemm(const Gemm& g) {
    parallel_for(ceil_div(g.n, kDotRows), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin * kDotRows; row < std::min(g.n, end * kDotRows); row += kDotRows)
            simd::kernels().dot_rows(static_cast<int>(g.m), std::min(kDotRows, g.n - row), g.k,
                                     g.b + row * g.ldb, g.ldb, g.a, g.lda, g.c + row, g.ldc);
    });
}

// B from its first row to its last, not in columns of it, whose rows lie far apart: sums for each
// chain of rows, which are then added as tiles do it, so that a row has the same bits as in a
// batch.
void stream_gemm(const Gemm& g) {
    const simd::Kernels& kernels = simd::kernels();
    const int64_t count = chains(g), size = g.m * g.n;
    Scratch scratch;
    float* sums = scratch.take<float>(count * size);
    parallel_for(count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            float* sum = sums + i * size;
            std::fill_n(sum, size, 0.f);
            for (int64_t row = 0; i == 0 && g.bias && row < g.m; ++row)
                std::copy_n(g.bias, g.n, sum + row * g.n);
            const int64_t first = i * kGemmChain;
            kernels.stream_rows(static_cast<int>(g.m), std::min(kGemmChain, g.k - first), g.n,
                                g.a + first, g.lda, g.b + first * g.ldb, g.ldb, sum);
        }
    });
    for (int64_t row = 0; row < g.m; ++row) {
        float* c = g.c + row * g.ldc;
        std::memcpy(c, sums + row * g.n, sizeof(float) * g.n);
        for (int64_t i = 1; i < count; ++i) kernels.add(g.n, sums + i * size + row * g.n, c);
        if (g.activation == Activation::kRelu) kernels.relu(g.n, c, c);
    }
}

}  // namespace

bool few_rows_pay(const Gemm& g) {
    if (g.m > simd::kMaxStreamedRows) return false;
    if (g.b_transposed) return dot_products(g);
    return g.k * g.n >= kLeastB && chains(g) > 1 && chains(g) * g.m * g.n <= kMostSums;
}

void few_rows_gemm(const Gemm& g) { g.b_transposed ? dot_gemm(g) : stream_gemm(g); }

}  // namespace pyconv
