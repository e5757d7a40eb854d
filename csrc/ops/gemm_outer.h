// Sums of outer products, as gradients of weights are.
#pragma once

#include <cstdint>

#include "scratch.h"

namespace pyconv {

// C (m, n) = A^T x B with A (k, m), B (k, n), some rows at a time.
class OuterProduct {
public:
    // What it packs lives in `scratch`; a and b must live on.
    OuterProduct(int64_t m, int64_t n, int64_t k, const float* a, const float* b, Scratch& scratch);
    // c = rows m0 .. m0 + count of C
    void rows(int64_t m0, int64_t count, float* c) const;

private:
    void sparse_rows(int64_t m0, int64_t count, float* c) const;

    int64_t m_, n_, k_;
    const float* a_;
    const float* b_;
    const float* packed_ = nullptr;    // B in panels of (k, nr)
    const int32_t* places_ = nullptr;  // of the panels' rows, where A has many zeros
};

// The whole of it.
void gemm_outer(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c);

}  // namespace pyconv
