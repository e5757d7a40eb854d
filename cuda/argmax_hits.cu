// A warp a row.

#include "ops/argmax_hits.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

constexpr int kHitRows = 4;  // of a block

// The first of the largest values of x (c,), where NaN is larger than any number; in all lanes.
__device__ int64_t argmax(int64_t c, const float* x) {
    float best = 0.f;
    int64_t at = c;  // nothing yet
    const auto take = [&](float value, int64_t j) {
        const bool same = value == best || (isnan(value) && isnan(best));
        const bool larger = value > best || (isnan(value) && !isnan(best));
        if (j < c && (at == c || larger || (same && j < at))) {
            best = value;
            at = j;
        }
    };
    for (int64_t j = threadIdx.x; j < c; j += 32) take(x[j], j);
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const float value = __shfl_xor_sync(0xffffffff, best, lanes);
        const int64_t j = __shfl_xor_sync(0xffffffff, at, lanes);
        take(value, j);
    }
    return at;
}

// predictions (rows, c); classes (rows,) or labels (rows, c); hits (rows,)
__global__ void __launch_bounds__(32 * kHitRows)
    argmax_hits_kernel(int64_t rows, int64_t c, const float* predictions, const int64_t* classes,
                       const float* labels, float* hits) {
    const int64_t row = static_cast<int64_t>(blockIdx.x) * kHitRows + threadIdx.y;
    if (row >= rows) return;
    const int64_t wanted = classes ? classes[row] : argmax(c, labels + row * c);
    const int64_t found = argmax(c, predictions + row * c);
    if (threadIdx.x == 0) hits[row] = found == wanted ? 1.f : 0.f;
}

}  // namespace

void argmax_hits(int64_t rows, int64_t c, const float* predictions, const int64_t* classes,
                 const float* labels, float* hits) {
    cuda::launch(argmax_hits_kernel, (rows + kHitRows - 1) / kHitRows, dim3(32, kHitRows), 0,
                 cuda::stream(), rows, c, predictions, classes, labels, hits);
}

}  // namespace pyconv
