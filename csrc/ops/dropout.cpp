#include "ops/dropout.h"

#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "simd/kernels.h"

namespace pyconv {

void dropout(int64_t n, const float* x, double rate, uint64_t seed, uint64_t offset, float* y) {
    const double threshold = std::round(rate * 4294967296.0);
    if (threshold >= 4294967296.0) {
        std::fill(y, y + n, 0.f);
        return;
    }
    const float scale = static_cast<float>(1.0 / (1.0 - rate));
    parallel_elements(n, [&](int64_t begin, int64_t end) {
        simd::kernels().dropout(end - begin, x + begin, y + begin,
                                offset + static_cast<uint64_t>(begin), seed,
                                static_cast<uint32_t>(threshold), scale);
    });
}

}  // namespace pyconv
