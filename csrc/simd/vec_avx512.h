// Sixteen floats: AVX-512 F, VL, BW and DQ.
#pragma once

#include <immintrin.h>

namespace {

// 16 accumulators hide the latency of FMA; more rows would not leave registers for their pointers.
constexpr int kTileRows = 8;
constexpr int kTileVecs = 2;

struct Vec {
    using Mask = __mmask16;
    static constexpr int kLanes = 16;
    __m512 r;

    static Vec zero() { return {_mm512_setzero_ps()}; }
    static Vec set1(float x) { return {_mm512_set1_ps(x)}; }
    static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
    void store(float* p) const { _mm512_storeu_ps(p, r); }

    friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.r, b.r, c.r)}; }
    static Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return _mm512_cmp_ps_mask(x.r, y.r, _CMP_GT_OQ) |
               _mm512_cmp_ps_mask(x.r, x.r, _CMP_UNORD_Q);
    }
    static Vec select(Mask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m, b.r, a.r)}; }
    static Mask equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.r, b.r, _CMP_EQ_OQ); }
    static Mask not_positive(Vec a) {
        return _mm512_cmp_ps_mask(a.r, _mm512_setzero_ps(), _CMP_LE_OQ);
    }
    // The second operand wins where one is NaN.
    static Vec relu(Vec a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.r)}; }
};

}  // namespace
