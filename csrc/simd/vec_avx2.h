// Eight floats: AVX2 and FMA.
#pragma once

#include <immintrin.h>

namespace {

// 12 accumulators, 2 registers for a row of the panel, 1 for the broadcast: 15 of 16.
constexpr int kTileRows = 6;
constexpr int kPackedRows = 6;
constexpr int kTileVecs = 2;

// For each set of lanes their numbers, in order.
struct PackedLanes {
    unsigned char lanes[256][8] = {};
    constexpr PackedLanes() {
        for (int bits = 0; bits < 256; ++bits)
            for (int lane = 0, n = 0; lane < 8; ++lane)
                if (bits >> lane & 1) lanes[bits][n++] = static_cast<unsigned char>(lane);
    }
};
constexpr PackedLanes kPackedLanes;

struct Vec {
    using Mask = __m256;
    static constexpr int kLanes = 8;
    __m256 r;

    static Vec zero() { return {_mm256_setzero_ps()}; }
    static Vec set1(float x) { return {_mm256_set1_ps(x)}; }
    static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
    void store(float* p) const { _mm256_storeu_ps(p, r); }
    // The first n < kLanes floats; the others are 0.
    static Vec load_part(const float* p, int n) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return {_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lanes))};
    }
    // In pieces of 4, 2 and 1: a masked store is slow on many CPUs.
    void store_part(float* p, int n) const {
        __m128 rest = _mm256_castps256_ps128(r);
        if (n & 4) {
            _mm_storeu_ps(p, rest);
            rest = _mm256_extractf128_ps(r, 1);
            p += 4;
        }
        if (n & 2) {
            _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
            rest = _mm_movehl_ps(rest, rest);
            p += 2;
        }
        if (n & 1) _mm_store_ss(p, rest);
    }

    friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.r, b.r, c.r)}; }
    static Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.r)}; }

    static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.r, b.r)}; }
    static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.r, b.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return _mm256_or_ps(_mm256_cmp_ps(x.r, y.r, _CMP_GT_OQ),
                            _mm256_cmp_ps(x.r, x.r, _CMP_UNORD_Q));
    }
    static bool any_nan(Vec a) {
        return _mm256_movemask_ps(_mm256_cmp_ps(a.r, a.r, _CMP_UNORD_Q)) != 0;
    }
    static Vec select(Mask m, Vec a, Vec b) { return {_mm256_blendv_ps(b.r, a.r, m)}; }
    static Mask equal(Vec a, Vec b) { return _mm256_cmp_ps(a.r, b.r, _CMP_EQ_OQ); }
    static Mask not_positive(Vec a) { return _mm256_cmp_ps(a.r, _mm256_setzero_ps(), _CMP_LE_OQ); }
    // The second operand wins where one is NaN.
    static Vec relu(Vec a) { return {_mm256_max_ps(_mm256_setzero_ps(), a.r)}; }

    // Lane i is lane index[i] of a.
    static Vec permute(Vec a, const int* index) {
        return {_mm256_permutevar8x32_ps(
            a.r, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)))};
    }

    // A bit for each lane that is not 0; and those lanes first, in their order.
    static unsigned nonzero(Vec a) {
        return static_cast<unsigned>(
            _mm256_movemask_ps(_mm256_cmp_ps(a.r, _mm256_setzero_ps(), _CMP_NEQ_UQ)));
    }
    static Vec pack(Vec a, unsigned bits) {
        const __m128i lanes =
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kPackedLanes.lanes[bits]));
        return {_mm256_permutevar8x32_ps(a.r, _mm256_cvtepu8_epi32(lanes))};
    }

    // Rows become columns: pairs, then quads, then halves.
    static void transpose(Vec (&m)[kLanes]) {
        __m256 t[8], u[8];
        for (int i = 0; i < 8; i += 2) {
            t[i] = _mm256_unpacklo_ps(m[i].r, m[i + 1].r);
            t[i + 1] = _mm256_unpackhi_ps(m[i].r, m[i + 1].r);
        }
        for (int i = 0; i < 8; i += 4) {
            u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
            u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
            u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
            u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
        }
        for (int i = 0; i < 4; ++i) {
            m[i].r = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
            m[i + 4].r = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
        }
    }
};

// Eight unsigned integers of 32 bits.
struct Words {
    __m256i r;

    static Words set1(unsigned x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
    static Words iota(unsigned x) {
        return {_mm256_add_epi32(set1(x).r, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
    }
    void store(unsigned* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), r); }
    friend Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.r, b.r)}; }
    // The 64 bits of each product, in two halves.
    static void multiply(Words a, unsigned b, Words& low, Words& high) {
        const __m256i factor = set1(b).r;
        const __m256i even = _mm256_mul_epu32(a.r, factor);
        const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.r, 32), factor);
        low.r = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
        high.r = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    }
};

// Sixteen unsigned integers of 16 bits.
typedef unsigned short Shorts __attribute__((vector_size(32)));

inline Shorts widen(const unsigned char* p) {
    return (Shorts)_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
// Values are below 2^15; those above 255 give 255.
inline void narrow(Shorts v, unsigned char* p) {
    const __m256i r = (__m256i)v;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packus_epi16(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1)));
}
// The upper halves of the products.
inline Shorts high_product(Shorts a, Shorts b) {
    return (Shorts)_mm256_mulhi_epu16((__m256i)a, (__m256i)b);
}

}  // namespace
