#include "ops/peak.h"

#include <cstring>

#include "ops/elementwise.h"
#include "parallel.h"
#include "simd/kernels.h"
#include "simd/peak.h"

namespace pyconv {
namespace simd {

#if defined(__x86_64__)
extern const Peak kernels_avx512_peak, kernels_avx2_peak;
#elif defined(__aarch64__)
extern const Peak kernels_neon_peak;
#endif
extern const Peak kernels_baseline_peak;

}  // namespace simd

namespace {

const simd::Peak& peak() {
    static const simd::Peak* const known[] = {
#if defined(__x86_64__)
        &simd::kernels_avx512_peak,
        &simd::kernels_avx2_peak,
#elif defined(__aarch64__)
        &simd::kernels_neon_peak,
#endif
    };
    for (const simd::Peak* p : known)
        if (std::strcmp(p->isa, simd::kernels().isa) == 0) return *p;
    return simd::kernels_baseline_peak;
}

}  // namespace

int64_t peak_arithmetic(int64_t rounds) {
    const int64_t threads = num_threads();
    parallel_for(threads, [&](int64_t begin, int64_t end) {
        float sink[64];
        peak().arithmetic((end - begin) * rounds, sink);
    });
    return threads * rounds * peak().flops_per_round;
}

void peak_triad(int64_t n, const float* a, const float* b, float* y) {
    parallel_elements(n, [&](int64_t begin, int64_t end) {
        peak().triad(end - begin, a + begin, b + begin, y + begin);
    });
}

}  // namespace pyconv
