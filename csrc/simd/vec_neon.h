// Four floats: NEON of 64-bit Arm.
#pragma once

#include <arm_neon.h>

namespace {

// 24 accumulators, 4 registers for a row of the panel, 1 for the broadcast: 29 of 32.
constexpr int kTileRows = 6;
constexpr int kPackedRows = 6;
constexpr int kTileVecs = 4;

struct Vec {
    using Mask = uint32x4_t;
    static constexpr int kLanes = 4;
    float32x4_t r;

    static Vec zero() { return {vdupq_n_f32(0.f)}; }
    static Vec set1(float x) { return {vdupq_n_f32(x)}; }
    static Vec load(const float* p) { return {vld1q_f32(p)}; }
    void store(float* p) const { vst1q_f32(p, r); }
    // The first n < kLanes floats; the others are 0.
    static Vec load_part(const float* p, int n) {
        float buffer[kLanes] = {};
        for (int i = 0; i < n; ++i) buffer[i] = p[i];
        return load(buffer);
    }
    void store_part(float* p, int n) const {
        float buffer[kLanes];
        store(buffer);
        for (int i = 0; i < n; ++i) p[i] = buffer[i];
    }

    friend Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.r, a.r, b.r)}; }
    static Vec sqrt(Vec a) { return {vsqrtq_f32(a.r)}; }

    static Vec min(Vec a, Vec b) { return {vminq_f32(a.r, b.r)}; }
    static Vec max(Vec a, Vec b) { return {vmaxq_f32(a.r, b.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return vorrq_u32(vcgtq_f32(x.r, y.r), vmvnq_u32(vceqq_f32(x.r, x.r)));
    }
    static bool any_nan(Vec a) { return vminvq_u32(vceqq_f32(a.r, a.r)) == 0; }
    static Vec select(Mask m, Vec a, Vec b) { return {vbslq_f32(m, a.r, b.r)}; }
    static Mask equal(Vec a, Vec b) { return vceqq_f32(a.r, b.r); }
    static Mask not_positive(Vec a) { return vcleq_f32(a.r, vdupq_n_f32(0.f)); }
    static Vec relu(Vec a) { return select(vcltq_f32(a.r, vdupq_n_f32(0.f)), zero(), a); }

    // Lane i is lane index[i] of a.
    static Vec permute(Vec a, const int* index) {
        float from[kLanes], to[kLanes];
        a.store(from);
        for (int i = 0; i < kLanes; ++i) to[i] = from[index[i]];
        return load(to);
    }

    // A bit for each lane that is not 0; and those lanes first, in their order.
    static unsigned nonzero(Vec a) {
        float lanes[kLanes];
        a.store(lanes);
        unsigned bits = 0;
        for (int i = 0; i < kLanes; ++i) bits |= static_cast<unsigned>(lanes[i] != 0.f) << i;
        return bits;
    }
    static Vec pack(Vec a, unsigned bits) {
        float from[kLanes], to[kLanes] = {};
        a.store(from);
        for (int i = 0, n = 0; i < kLanes; ++i)
            if (bits >> i & 1) to[n++] = from[i];
        return load(to);
    }

    // Rows become columns.
    static void transpose(Vec (&m)[kLanes]) {
        const float32x4x2_t a = vtrnq_f32(m[0].r, m[1].r), b = vtrnq_f32(m[2].r, m[3].r);
        m[0].r = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
        m[1].r = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
        m[2].r = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
        m[3].r = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
    }
};

// Four unsigned integers of 32 bits.
struct Words {
    uint32x4_t r;

    static Words set1(unsigned x) { return {vdupq_n_u32(x)}; }
    static Words iota(unsigned x) { return {uint32x4_t{x, x + 1, x + 2, x + 3}}; }
    void store(unsigned* p) const { vst1q_u32(p, r); }
    friend Words operator^(Words a, Words b) { return {veorq_u32(a.r, b.r)}; }
    // The 64 bits of each product, in two halves.
    static void multiply(Words a, unsigned b, Words& low, Words& high) {
        const uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(a.r), b));
        const uint32x4_t second = vreinterpretq_u32_u64(vmull_n_u32(vget_high_u32(a.r), b));
        low.r = vuzp1q_u32(first, second);
        high.r = vuzp2q_u32(first, second);
    }
};

// Eight unsigned integers of 16 bits.
typedef unsigned short Shorts __attribute__((vector_size(16)));

inline Shorts widen(const unsigned char* p) { return (Shorts)vmovl_u8(vld1_u8(p)); }
// Values above 255 give 255.
inline void narrow(Shorts v, unsigned char* p) { vst1_u8(p, vqmovn_u16((uint16x8_t)v)); }
// The upper halves of the products.
inline Shorts high_product(Shorts a, Shorts b) {
    const uint16x8_t x = (uint16x8_t)a, y = (uint16x8_t)b;
    const uint32x4_t first = vmull_u16(vget_low_u16(x), vget_low_u16(y));
    const uint32x4_t second = vmull_high_u16(x, y);
    return (Shorts)vuzp2q_u16(vreinterpretq_u16_u32(first), vreinterpretq_u16_u32(second));
}

}  // namespace
