// Matrix products over packed panels; matrices are row-major, ld the floats of a row.
#pragma once

#include <cstdint>

#include "ops/shapes.h"

namespace pyconv {

// Additions in a row: longer chains lose precision.
constexpr int64_t kGemmChain = 128;

// C (m, n) = act(A (m, k) x B (k, n) + bias (n,)), or with `b_transposed` A x B^T, B (n, k).
struct Gemm {
    int64_t m, n, k;
    const float* a;
    int64_t lda;
    const float* b;
    int64_t ldb;
    bool b_transposed;
    const float* bias;  // or null
    Activation activation;
    float* c;
    int64_t ldc;
};
void gemm(const Gemm& g);

}  // namespace pyconv
