// Races that are planted here, and must be found; and what is none.

#include "check.h"
#include "ptx.cuh"

namespace pyconv::testing {
namespace {

enum class Order { none, warp, block };

// Each thread reads what its neighbour `distance` further wrote.
template <Order O>
__global__ void neighbour_kernel(float* y, unsigned distance) {
    PYCONV_SHARED(float, tile, [64]);
    tile[threadIdx.x] = 0;
    __syncthreads();
    tile[threadIdx.x] = 1;
    if constexpr (O == Order::warp) __syncwarp();
    if constexpr (O == Order::block) __syncthreads();
    y[threadIdx.x] = tile[(threadIdx.x + distance) % 64];
}

// A loop over tiles that must not be overwritten before all have read them.
__global__ void tiles_kernel(const float* x, float* y, bool second_barrier) {
    PYCONV_SHARED(float, tile, [64]);
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
        tile[threadIdx.x] = x[threadIdx.x];
        __syncthreads();
        sum += tile[63 - threadIdx.x];
        if (second_barrier) __syncthreads();
    }
    y[threadIdx.x] = sum;
}

// What one thread copies another reads: the barrier must be behind the wait.
template <bool Right>
__global__ void async_kernel(const float* x, float* y) {
    PYCONV_SHARED(float, tile, [64]);
    cuda::cp_async<4>(tile + threadIdx.x, x + threadIdx.x);
    cuda::cp_async_commit();
    if constexpr (!Right) __syncthreads();
    cuda::cp_async_wait<0>();
    if constexpr (Right) __syncthreads();
    y[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void all_write_kernel(float* y) { y[0] = static_cast<float>(blockIdx.x); }

__global__ void chain_kernel(float* y) {
    y[blockIdx.x * 32 + threadIdx.x] = blockIdx.x ? y[(blockIdx.x - 1) * 32 + threadIdx.x] + 1 : 0;
}

__global__ void atomic_kernel(float* y, bool all) {
    if (all || threadIdx.x)
        atomicAdd(y, 1.0f);
    else
        *y += 1;
}

__global__ void order_kernel(float* y) {
    atomicAdd(y, 1.0f / static_cast<float>(1 + threadIdx.x * threadIdx.x));
}

__global__ void bytes_kernel(unsigned char* y) { y[threadIdx.x] = 1; }

}  // namespace

void test_races() {
    const cudaStream_t stream = cuda::stream();
    const Memory x(std::vector<float>(64, 1));
    Memory y(64);
    expect_fault("a read before the barrier",
                 {"neighbour_kernel<", "race: writes at races.cu:", "reads at races.cu:",
                  " of tile (256 bytes, shared)", "with no barrier between"},
                 [&] { cuda::launch(neighbour_kernel<Order::none>, 1, 64, 0, stream, y, 1u); });
    expect_fault("a barrier of the warp in place of the block's",
                 {"race: ", "thread (31, 0, 0)", "thread (32, 0, 0)"},
                 [&] { cuda::launch(neighbour_kernel<Order::warp>, 1, 64, 0, stream, y, 1u); });
    expect("a barrier of the block", fault_of([&] {
                                         cuda::launch(neighbour_kernel<Order::block>, 1, 64, 0,
                                                      stream, y, 1u);
                                     }) == "");
    expect("a barrier of the warp", fault_of([&] {
                                        cuda::launch(neighbour_kernel<Order::warp>, 1, 32, 0,
                                                     stream, y, 0u);
                                    }) == "");
    expect_fault("a removed barrier at the end of a loop", {"tiles_kernel", "race: reads"},
                 [&] { cuda::launch(tiles_kernel, 1, 64, 0, stream, x, y, false); });
    expect("both barriers",
           fault_of([&] { cuda::launch(tiles_kernel, 1, 64, 0, stream, x, y, true); }) == "");
    expect_fault("a wait for cp.async behind the barrier", {"async_kernel<false>", "tile"},
                 [&] { cuda::launch(async_kernel<false>, 1, 64, 0, stream, x, y); });
    expect("a wait before it",
           fault_of([&] { cuda::launch(async_kernel<true>, 1, 64, 0, stream, x, y); }) == "");
    expect_fault("two blocks that write the same",
                 {"all_write_kernel, block (1, 0, 0), thread (0, 0, 0): race: writes",
                  "thread (0, 0, 0) of block (0, 0, 0) writes", "argument 0"},
                 [&] { cuda::launch(all_write_kernel, 2, 1, 0, stream, y); });
    expect_fault("a block that reads what another writes",
                 {"chain_kernel, block (1, 0, 0)", "race: reads"},
                 [&] { cuda::launch(chain_kernel, 2, 32, 0, stream, y); });
    cudaMemsetAsync(y, 0, 256, stream);
    expect("atomics do not race",
           fault_of([&] { cuda::launch(atomic_kernel, 4, 32, 0, stream, y, true); }) == "" &&
               y.values()[0] == 128);
    expect_fault("an atomic beside a plain access", {"atomic_kernel", "race: adds to"},
                 [&] { cuda::launch(atomic_kernel, 1, 32, 0, stream, y, false); });
    expect("bytes of one word", fault_of([&] {
                                    cuda::launch(
                                        bytes_kernel, 1, 64, 0, stream,
                                        reinterpret_cast<unsigned char*>(static_cast<float*>(y)));
                                }) == "");

    // A sum in the order in which threads come is another with another order.
    std::vector<float> sums;
    for (uint64_t seed = 0; seed < 8; ++seed) {
        emulation::set_seed(seed);
        cudaMemsetAsync(y, 0, 256, stream);
        cuda::launch(order_kernel, 1, 32, 0, stream, y);
        sums.push_back(y.values()[0]);
    }
    emulation::set_seed(0);
    expect("a result that depends on the order of threads",
           std::vector<float>(sums.size(), sums[0]) != sums);
}

}  // namespace pyconv::testing
