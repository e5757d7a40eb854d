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
// chain of rows, which are then added.
void stream_gemm(const Gemm& g) {
    const simd::Kernels& kernels = simd::kernels();
    const int64_t count = chains(g), size = g.m * g.n;
    Scratch scratch;
    float* sums = scratch.take<float>((count + 1) * size);  // the last is the bias
    parallel_for(count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            kernels.stream_rows(static_cast<int>(g.m), std::min(kGemmChain, g.k - i * kGemmChain),
                                g.n, g.a + i * kGemmChain, g.lda, g.b + i * kGemmChain * g.ldb,
                                g.ldb, sums + i * size);
    });
    for (int64_t i = 0; i < g.m; ++i) {
        float* c = g.c + i * g.ldc;
        if (g.bias) std::memcpy(sums + count * size + i * g.n, g.bias, sizeof(float) * g.n);
        kernels.column_sums(count + (g.bias != nullptr), g.n, sums + i * g.n, size, c);
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
