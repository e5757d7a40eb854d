#include "ops/bias.h"

#include <algorithm>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {

void bias_backward(int64_t rows, int64_t c, const float* dy, float* db) {
    // Short sums in float, then one of those in double: the error does not grow with the rows.
    constexpr int64_t kChunkRows = 32;
    const int64_t chunks = ceil_div(rows, kChunkRows);
    Scratch scratch;
    float* sums = scratch.take<float>(chunks * c);
    parallel_for(chunks, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            simd::kernels().column_sums(std::min(kChunkRows, rows - i * kChunkRows), c,
                                        dy + i * kChunkRows * c, c, sums + i * c);
    });
    for (int64_t j = 0; j < c; ++j) {
        double sum = 0;
        for (int64_t i = 0; i < chunks; ++i) sum += sums[i * c + j];
        db[j] = static_cast<float>(sum);
    }
}

}  // namespace pyconv
