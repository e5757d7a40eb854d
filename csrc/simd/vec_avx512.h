// Sixteen floats: AVX-512 F, VL, BW and DQ.
#pragma once

#include <immintrin.h>

namespace {

// 16 accumulators hide the latency of FMA; more rows would not leave registers for their pointers,
// of which rows in a copy need one.
constexpr int kTileRows = 8;
constexpr int kPackedRows = 12;
constexpr int kTileVecs = 2;

struct Vec {
    using Mask = __mmask16;
    static constexpr int kLanes = 16;
    __m512 r;

    static Vec zero() { return {_mm512_setzero_ps()}; }
    static Vec set1(float x) { return {_mm512_set1_ps(x)}; }
    static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
    void store(float* p) const { _mm512_storeu_ps(p, r); }
    // The first n < kLanes floats; the others are 0.
    static Vec load_part(const float* p, int n) {
        return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)};
    }
    void store_part(float* p, int n) const {
        _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), r);
    }

    friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.r, b.r, c.r)}; }
    static Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.r)}; }

    static Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.r, b.r)}; }
    static Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.r, b.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return _mm512_cmp_ps_mask(x.r, y.r, _CMP_GT_OQ) |
               _mm512_cmp_ps_mask(x.r, x.r, _CMP_UNORD_Q);
    }
    static bool any_nan(Vec a) { return _mm512_cmp_ps_mask(a.r, a.r, _CMP_UNORD_Q) != 0; }
    static Vec select(Mask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m, b.r, a.r)}; }
    static Mask equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.r, b.r, _CMP_EQ_OQ); }
    static Mask not_positive(Vec a) {
        return _mm512_cmp_ps_mask(a.r, _mm512_setzero_ps(), _CMP_LE_OQ);
    }
    // The second operand wins where one is NaN.
    static Vec relu(Vec a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.r)}; }

    // Lane i is lane index[i] of a.
    static Vec permute(Vec a, const int* index) {
        return {_mm512_permutexvar_ps(_mm512_loadu_si512(index), a.r)};
    }

    // A bit for each lane that is not 0; and those lanes first, in their order.
    // In halves: GCC 12 stores 16 bits of a mask as an integer of 32 where registers run out.
    static unsigned nonzero(Vec a) {
        const auto bits = [](__m256 half) {
            return static_cast<unsigned>(
                _mm256_movemask_ps(_mm256_cmp_ps(half, _mm256_setzero_ps(), _CMP_NEQ_UQ)));
        };
        return bits(_mm512_castps512_ps256(a.r)) | bits(_mm512_extractf32x8_ps(a.r, 1)) << 8;
    }
    static Vec pack(Vec a, unsigned bits) {
        return {_mm512_maskz_compress_ps(static_cast<__mmask16>(bits), a.r)};
    }

    // Rows become columns: pairs, quads, then 128-bit lanes twice.
    static void transpose(Vec (&m)[kLanes]) {
        __m512 t[16], u[16];
        for (int i = 0; i < 16; i += 2) {
            t[i] = _mm512_unpacklo_ps(m[i].r, m[i + 1].r);
            t[i + 1] = _mm512_unpackhi_ps(m[i].r, m[i + 1].r);
        }
        for (int i = 0; i < 16; i += 4) {
            u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
            u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
            u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
            u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
        }
        for (int i = 0; i < 4; ++i) {
            t[i] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
            t[i + 4] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
            t[i + 8] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
            t[i + 12] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
        }
        for (int i = 0; i < 8; ++i) {
            m[i].r = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
            m[i + 8].r = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        }
    }
};

// Sixteen unsigned integers of 32 bits.
struct Words {
    __m512i r;

    static Words set1(unsigned x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
    static Words iota(unsigned x) {
        return {_mm512_add_epi32(
            set1(x).r, _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))};
    }
    void store(unsigned* p) const { _mm512_storeu_si512(p, r); }
    friend Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.r, b.r)}; }
    // The 64 bits of each product, in two halves.
    static void multiply(Words a, unsigned b, Words& low, Words& high) {
        const __m512i factor = set1(b).r;
        const __m512i even = _mm512_mul_epu32(a.r, factor);
        const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.r, 32), factor);
        low.r = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
        high.r = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    }
};

// Thirty-two unsigned integers of 16 bits.
typedef unsigned short Shorts __attribute__((vector_size(64)));

inline Shorts widen(const unsigned char* p) {
    return (Shorts)_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
// Values above 255 give 255.
inline void narrow(Shorts v, unsigned char* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtusepi16_epi8((__m512i)v));
}
// The upper halves of the products.
inline Shorts high_product(Shorts a, Shorts b) {
    return (Shorts)_mm512_mulhi_epu16((__m512i)a, (__m512i)b);
}

}  // namespace
