#include "simd/peak.h"

#include PYCONV_VEC_HEADER

#define PYCONV_JOIN_(a, b) a##b
#define PYCONV_JOIN(a, b) PYCONV_JOIN_(a, b)

namespace pyconv::simd {
namespace {

// More than latency times throughput of any core's FMA units; with the two factors they fit into
// 16 registers.
constexpr int kChains = 12;

void arithmetic(int64_t rounds, float* sink) {
    Vec chain[kChains];
    const Vec half = Vec::set1(0.5f);
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = Vec::set1(static_cast<float>(i));
    for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i) chain[i] = Vec::fmadd(chain[i], half, half);
    Vec sum = Vec::zero();
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum = sum + chain[i];
    sum.store(sink);
}

void triad(int64_t n, const float* a, const float* b, float* y) {
    const Vec half = Vec::set1(0.5f);
    int64_t i = 0;
    for (; i + Vec::kLanes <= n; i += Vec::kLanes)
        Vec::fmadd(Vec::load(b + i), half, Vec::load(a + i)).store(y + i);
    for (; i < n; ++i) y[i] = a[i] + 0.5f * b[i];
}

}  // namespace

extern const Peak PYCONV_JOIN(PYCONV_TABLE, _peak);
const Peak PYCONV_JOIN(PYCONV_TABLE, _peak) = {PYCONV_ISA_NAME, int64_t{2} * kChains * Vec::kLanes,
                                               arithmetic, triad};

}  // namespace pyconv::simd
