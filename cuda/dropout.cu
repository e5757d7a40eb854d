// Inverted dropout. The generator is the CPU's (Philox4x32-10, Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", 2011): value 16 w + j of a block of 64 is word w of its counter j.
// A thread takes a counter, and with it four values 16 apart: 16 threads write whole sectors.

#include "dropout.h"

#include <cmath>

#include "elementwise.cuh"
#include "ops/dropout.h"

namespace pyconv {
namespace {

constexpr uint64_t kBlocksOfStream = uint64_t{1} << 58;

__device__ void philox(uint64_t counter, uint64_t seed, uint32_t (&words)[4]) {
    uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32);
    uint32_t c2 = 0, c3 = 0;
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = static_cast<uint64_t>(c0) * 0xD2511F53u;
        const uint64_t b = static_cast<uint64_t>(c2) * 0xCD9E8D57u;
        c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
        c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
        c1 = static_cast<uint32_t>(b);
        c3 = static_cast<uint32_t>(a);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

// x, y (n,), which are values first .. first + n of the stream, where `place` is null, else values
// place[0] .. place[0] + n; y may be x.
__global__ void dropout_kernel(int64_t n, const float* x, uint64_t seed, const uint64_t* place,
                               uint64_t first, uint32_t threshold, float scale, float* y) {
    if (place) first = *place;
    const int64_t skip = static_cast<int64_t>(first % 64);
    const int64_t counters = (skip + n + 63) / 64 * 16;
    for (int64_t i = cuda::first_task(); i < counters; i += cuda::task_step()) {
        const uint64_t block = (first / 64 + static_cast<uint64_t>(i / 16)) % kBlocksOfStream;
        uint32_t words[4];
        philox(block * 16 + static_cast<uint64_t>(i % 16), seed, words);
        const int64_t start = i / 16 * 64 + i % 16 - skip;
#pragma unroll
        for (int w = 0; w < 4; ++w) {
            const int64_t at = start + 16 * w;
            if (at < 0 || at >= n) continue;
            const float kept = x[at] * scale;
            y[at] = words[w] >= threshold ? kept : 0.f;
        }
    }
}

void drop(int64_t n, const float* x, double rate, uint64_t seed, const uint64_t* place,
          uint64_t offset, float* y) {
    if (n == 0) return;
    const double threshold = std::round(rate * 4294967296.0);
    if (threshold >= 4294967296.0) {
        cuda::check(cudaMemsetAsync(y, 0, static_cast<size_t>(n) * sizeof(float), cuda::stream()),
                    "dropout");
        return;
    }
    const int64_t most_counters = (63 + n + 63) / 64 * 16;
    cuda::launch(dropout_kernel, cuda::element_blocks(most_counters), cuda::kElementThreads, 0,
                 cuda::stream(), n, x, seed, place, offset, static_cast<uint32_t>(threshold),
                 static_cast<float>(1.0 / (1.0 - rate)), y);
}

}  // namespace

void dropout(int64_t n, const float* x, double rate, uint64_t seed, uint64_t offset, float* y) {
    drop(n, x, rate, seed, nullptr, offset, y);
}

void dropout_at(int64_t n, const float* x, double rate, uint64_t seed, const uint64_t* place,
                float* y) {
    drop(n, x, rate, seed, place, 0, y);
}

}  // namespace pyconv
