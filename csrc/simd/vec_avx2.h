// Eight floats: AVX2 and FMA.
#pragma once

#include <immintrin.h>

namespace {

// 12 accumulators, 2 registers for a row of the panel, 1 for the broadcast: 15 of 16.
constexpr int kTileRows = 6;
constexpr int kTileVecs = 2;

struct Vec {
    using Mask = __m256;
    static constexpr int kLanes = 8;
    __m256 r;

    static Vec zero() { return {_mm256_setzero_ps()}; }
    static Vec set1(float x) { return {_mm256_set1_ps(x)}; }
    static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
    void store(float* p) const { _mm256_storeu_ps(p, r); }

    friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.r, b.r, c.r)}; }
    static Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return _mm256_or_ps(_mm256_cmp_ps(x.r, y.r, _CMP_GT_OQ),
                            _mm256_cmp_ps(x.r, x.r, _CMP_UNORD_Q));
    }
    static Vec select(Mask m, Vec a, Vec b) { return {_mm256_blendv_ps(b.r, a.r, m)}; }
    static Mask equal(Vec a, Vec b) { return _mm256_cmp_ps(a.r, b.r, _CMP_EQ_OQ); }
    static Mask not_positive(Vec a) {
        return _mm256_cmp_ps(a.r, _mm256_setzero_ps(), _CMP_LE_OQ);
    }
    // The second operand wins where one is NaN.
    static Vec relu(Vec a) { return {_mm256_max_ps(_mm256_setzero_ps(), a.r)}; }
};

}  // namespace
