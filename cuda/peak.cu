// The limits of the device: float32 on CUDA cores, and its memory.

#include "ops/peak.h"

#include "elementwise.cuh"
#include "scratch.h"

namespace pyconv {
namespace {

constexpr int kBlocks = 1024, kSums = 16, kSteps = 64;

// sums (blocks * threads,): each is written, so that the arithmetic is not left out.
__global__ void peak_arithmetic_kernel(int64_t rounds, float factor, float* sums) {
    float sum[kSums];
#pragma unroll
    for (int i = 0; i < kSums; ++i) sum[i] = static_cast<float>(threadIdx.x + i);
    for (int64_t round = 0; round < rounds; ++round) {
#pragma unroll 4
        for (int step = 0; step < kSteps; ++step) {
#pragma unroll
            for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * factor + 1.f;
        }
    }
    float total = 0.f;
#pragma unroll
    for (int i = 0; i < kSums; ++i) total += sum[i];
    sums[cuda::first_task()] = total;
}

struct Triad {
    __device__ float operator()(float a, float b) const { return a + 0.5f * b; }
};

}  // namespace

int64_t peak_arithmetic(int64_t rounds) {
    Scratch scratch;
    float* sums = scratch.take<float>(kBlocks * cuda::kThreads);
    cuda::launch(peak_arithmetic_kernel, kBlocks, cuda::kThreads, 0, cuda::stream(), rounds, 0.5f,
                 sums);
    cuda::synchronize();
    return rounds * kBlocks * cuda::kThreads * kSteps * kSums * 2;
}

void peak_triad(int64_t n, const float* a, const float* b, float* y) {
    cuda::map(n, Triad{}, a, b, y);
}

}  // namespace pyconv
