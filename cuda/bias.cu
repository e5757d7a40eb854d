// Gradient of a bias: blocks add up pieces of the rows, whose sums a second kernel adds up. How
// many there are depends on the rows alone: the same bits on every GPU.

#include "ops/bias.h"

#include <algorithm>

#include "elementwise.cuh"
#include "reduce.cuh"
#include "scratch.h"

namespace pyconv {
namespace {

// dy (rows, c) -> partial (gridDim.y, c). A block has `lanes` columns and cuda::kThreads / lanes
// rows at a time; lanes is a power of two up to 32, so that few channels leave no threads idle.
__global__ void bias_kernel(int64_t rows, int64_t c, int64_t piece, int lanes, const float* dy,
                            float* partial) {
    PYCONV_SHARED(float, sums, [cuda::kThreads]);
    const int lane = threadIdx.x % lanes, line = threadIdx.x / lanes,
              lines = cuda::kThreads / lanes;
    const int64_t j = static_cast<int64_t>(blockIdx.x) * lanes + lane;
    const int64_t begin = blockIdx.y * piece, end = min(rows, begin + piece);
    float sum = 0.f;
    if (j < c)
        for (int64_t r = begin + line; r < end; r += lines) sum += dy[r * c + j];
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = lines / 2; half > 0; half /= 2) {
        if (line < half) sums[threadIdx.x] += sums[threadIdx.x + half * lanes];
        __syncthreads();
    }
    if (line == 0 && j < c) partial[blockIdx.y * c + j] = sums[lane];
}

}  // namespace

void bias_backward(int64_t rows, int64_t c, const float* dy, float* db) {
    constexpr int64_t kMostPieces = 512, kLeastRows = 8;  // of the latter, for each thread
    int lanes = 1;
    while (lanes < 32 && lanes < c) lanes *= 2;
    const int64_t piece =
        std::max(kLeastRows * (cuda::kThreads / lanes), (rows + kMostPieces - 1) / kMostPieces);
    const int64_t pieces = (rows + piece - 1) / piece, groups = (c + lanes - 1) / lanes;
    Scratch scratch;
    float* partial = scratch.take<float>(pieces * c);
    cuda::launch(bias_kernel, dim3(static_cast<unsigned>(groups), static_cast<unsigned>(pieces)),
                 cuda::kThreads, 0, cuda::stream(), rows, c, piece, lanes, dy, partial);
    cuda::sum_parts(pieces, c, partial, nullptr, 1, Activation::kLinear, db);
}

}  // namespace pyconv
