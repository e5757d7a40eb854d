// Sums, ReLU, dropout, mixtures and conversions.
// Part of kernels.cpp.
#pragma once

#include "simd/access.h"

namespace pyconv::simd {
namespace {

void column_sums(int64_t rows, int64_t cols, const float* x, int64_t ld, float* y) {
    each_vector(cols, [&](int64_t j, auto at) {
        // Four sums hide the latency of the addition.
        Vec sum[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
        int64_t r = 0;
        const float* p = x + j;
        for (; r + 4 <= rows; r += 4, p += 4 * ld) {
            sum[0] = sum[0] + at.load(p);
            sum[1] = sum[1] + at.load(p + ld);
            sum[2] = sum[2] + at.load(p + 2 * ld);
            sum[3] = sum[3] + at.load(p + 3 * ld);
        }
        for (; r < rows; ++r, p += ld) sum[0] = sum[0] + at.load(p);
        at.store((sum[0] + sum[1]) + (sum[2] + sum[3]), y + j);
    });
}

void add(int64_t n, const float* x, float* y) {
    each_vector(n, [&](int64_t i, auto at) { at.store(at.load(y + i) + at.load(x + i), y + i); });
}

void sum(int64_t n, const float* a, const float* b, float* y, int flags) {
    if (flags & kRelu)
        each_vector(n, [&](int64_t i, auto at) {
            at.store(Vec::relu(at.load(a + i) + at.load(b + i)), y + i);
        });
    else
        each_vector(n,
                    [&](int64_t i, auto at) { at.store(at.load(a + i) + at.load(b + i), y + i); });
}

void relu(int64_t n, const float* x, float* y) {
    each_vector(n, [&](int64_t i, auto at) { at.store(Vec::relu(at.load(x + i)), y + i); });
}

void relu_backward(int64_t n, const float* y, const float* dy, float* dx) {
    each_vector(n, [&](int64_t i, auto at) {
        const auto off = Vec::not_positive(at.load(y + i));
        at.store(Vec::select(off, Vec::zero(), at.load(dy + i)), dx + i);
    });
}

// One block of the stream of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", 2011): word w of counter j of 16 is value 16 * w + j.
void philox_block(uint64_t block, uint64_t seed, uint32_t* out) {
    for (int j = 0; j < 16; j += kLanes) {
        const uint64_t counter = block * 16 + j;
        // 16 counters never cross a multiple of 2^32.
        Words c0 = Words::iota(static_cast<uint32_t>(counter));
        Words c1 = Words::set1(static_cast<uint32_t>(counter >> 32));
        Words c2 = Words::set1(0), c3 = Words::set1(0);
        uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
        for (int round = 0; round < 10; ++round) {
            Words a_low, a_high, b_low, b_high;
            Words::multiply(c0, 0xD2511F53u, a_low, a_high);
            Words::multiply(c2, 0xCD9E8D57u, b_low, b_high);
            c0 = b_high ^ c1 ^ Words::set1(k0);
            c2 = a_high ^ c3 ^ Words::set1(k1);
            c1 = b_low;
            c3 = a_low;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        c0.store(out + j);
        c1.store(out + 16 + j);
        c2.store(out + 32 + j);
        c3.store(out + 48 + j);
    }
}

void dropout(int64_t n, const float* x, float* y, uint64_t first, uint64_t seed, uint32_t threshold,
             float scale) {
    constexpr int kBlock = 64;
    uint32_t bits[kBlock];
    float kept[kBlock];
    const Vec factor = Vec::set1(scale);
    for (int64_t i = 0; i < n;) {
        const uint64_t index = first + static_cast<uint64_t>(i);
        const int skip = static_cast<int>(index % kBlock);
        philox_block(index / kBlock, seed, bits);
        const int64_t left = n - i;
        const int count = left < kBlock - skip ? static_cast<int>(left) : kBlock - skip;
        for (int j = 0; j < kBlock; ++j) kept[j] = bits[j] >= threshold ? 1.f : 0.f;
        each_vector(count, [&](int64_t j, auto at) {
            const auto off = Vec::not_positive(at.load(kept + skip + j));
            at.store(Vec::select(off, Vec::zero(), at.load(x + i + j) * factor), y + i + j);
        });
        i += count;
    }
}

void mix4(int64_t n, const float* const* taps, const float* weights, float* y) {
    const Vec a = Vec::set1(weights[0]), b = Vec::set1(weights[1]);
    const Vec c = Vec::set1(weights[2]), d = Vec::set1(weights[3]);
    each_vector(n, [&](int64_t i, auto at) {
        const Vec upper = a * at.load(taps[0] + i) + b * at.load(taps[1] + i);
        const Vec lower = c * at.load(taps[2] + i) + d * at.load(taps[3] + i);
        at.store(upper + lower, y + i);
    });
}

void convert_u8(int64_t n, const uint8_t* x, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

void convert_f64(int64_t n, const double* x, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

}  // namespace
}  // namespace pyconv::simd
