// Medians of windows, by networks of minima and maxima over vectors of pixels.
// Part of kernels.cpp.
#pragma once

#include "simd/filters.h"

namespace pyconv::simd {
namespace {

typedef uint8_t ManyBytes __attribute__((vector_size(4 * kLanes)));

PYCONV_INLINE void sort_pair(ManyBytes& a, ManyBytes& b) {
    const ManyBytes least = a < b ? a : b;
    b = a < b ? b : a;
    a = least;
}
PYCONV_INLINE void sort_pair(Vec& a, Vec& b) {
    const Vec least = Vec::min(a, b);
    b = Vec::max(a, b);
    a = least;
}

// Drops the least and the largest of kSize values, puts `next` in their place, and goes on until
// three are left: what was dropped cannot be the median of all (Smith, "Implementing median filters
// in XC4000E FPGAs", 1996).
template <int kSize, class V, class Next>
PYCONV_INLINE V median_of(V* v, int taken, const Next& next) {
    PYCONV_UNROLL
    for (int i = 0; i < kSize / 2; ++i) sort_pair(v[i], v[kSize - 1 - i]);
    PYCONV_UNROLL
    for (int i = 1; i < (kSize + 1) / 2; ++i) sort_pair(v[0], v[i]);
    PYCONV_UNROLL
    for (int i = kSize / 2; i < kSize - 1; ++i) sort_pair(v[i], v[kSize - 1]);
    if constexpr (kSize == 3) {
        return v[1];
    } else {
        v[0] = next(taken);
        return median_of<kSize - 1>(v, taken + 1, next);
    }
}

template <int K, class V, class T>
void median_rows(int64_t n, int64_t step, const T* const* x, T* y) {
    constexpr int kFirst = K * K / 2 + 2, kCount = sizeof(V) / sizeof(T);
    for (int64_t j = 0; j < n; j += kCount) {
        const auto cell = [&](int t) { return load_of<V>(x[t / K] + j + t % K * step); };
        V v[kFirst];
        PYCONV_UNROLL
        for (int t = 0; t < kFirst; ++t) v[t] = cell(t);
        const V median = median_of<kFirst>(v, kFirst, cell);
        __builtin_memcpy(y + j, &median, sizeof median);
    }
}

template <class V, class T>
void any_median_rows(int k, int64_t n, int64_t step, const T* const* x, T* y) {
    if (k == 3) return median_rows<3, V>(n, step, x, y);
    if (k == 5) return median_rows<5, V>(n, step, x, y);
    median_rows<7, V>(n, step, x, y);
}

}  // namespace
}  // namespace pyconv::simd
