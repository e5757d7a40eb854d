// Four floats: NEON of 64-bit Arm.
#pragma once

#include <arm_neon.h>

namespace {

// 24 accumulators, 4 registers for a row of the panel, 1 for the broadcast: 29 of 32.
constexpr int kTileRows = 6;
constexpr int kTileVecs = 4;

struct Vec {
    using Mask = uint32x4_t;
    static constexpr int kLanes = 4;
    float32x4_t r;

    static Vec zero() { return {vdupq_n_f32(0.f)}; }
    static Vec set1(float x) { return {vdupq_n_f32(x)}; }
    static Vec load(const float* p) { return {vld1q_f32(p)}; }
    void store(float* p) const { vst1q_f32(p, r); }

    friend Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.r, b.r)}; }
    friend Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.r, b.r)}; }
    friend Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.r, b.r)}; }
    friend Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.r, b.r)}; }
    static Vec fmadd(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.r, a.r, b.r)}; }
    static Vec sqrt(Vec a) { return {vsqrtq_f32(a.r)}; }

    static Mask greater_or_nan(Vec x, Vec y) {
        return vorrq_u32(vcgtq_f32(x.r, y.r), vmvnq_u32(vceqq_f32(x.r, x.r)));
    }
    static Vec select(Mask m, Vec a, Vec b) { return {vbslq_f32(m, a.r, b.r)}; }
    static Mask equal(Vec a, Vec b) { return vceqq_f32(a.r, b.r); }
    static Mask not_positive(Vec a) { return vcleq_f32(a.r, vdupq_n_f32(0.f)); }
    static Vec relu(Vec a) { return select(vcltq_f32(a.r, vdupq_n_f32(0.f)), zero(), a); }
};

}  // namespace
