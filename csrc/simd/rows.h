// Sums of a few rows.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

template <int kRows>
void combine_rows(int64_t n, const float* a, int64_t a_ld, const float* b, int64_t b_ld, float* y) {
    Vec factor[kRows];
    PYCONV_UNROLL
    for (int k = 0; k < kRows; ++k) factor[k] = Vec::set1(a[k * a_ld]);
    each_vector(n, [&](int64_t j, auto at) {
        Vec sum = factor[0] * at.load(b + j);
        PYCONV_UNROLL
        for (int k = 1; k < kRows; ++k) sum = Vec::fmadd(factor[k], at.load(b + k * b_ld + j), sum);
        at.store(sum, y + j);
    });
}

void any_combine_rows(int rows, int64_t n, const float* a, int64_t a_ld, const float* b,
                      int64_t b_ld, float* y) {
    if (rows == 1) return combine_rows<1>(n, a, a_ld, b, b_ld, y);
    if (rows == 2) return combine_rows<2>(n, a, a_ld, b, b_ld, y);
    if (rows == 3) return combine_rows<3>(n, a, a_ld, b, b_ld, y);
    combine_rows<kMaxCombinedRows>(n, a, a_ld, b, b_ld, y);
}

}  // namespace
}  // namespace pyconv::simd
