// Faults that are planted here, and must be found by the checks of each access.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "check.h"
#include "ptx.cuh"

namespace pyconv::testing {
namespace {

__global__ void fill_kernel(float* y) { y[threadIdx.x] = 1; }

__global__ void shared_index_kernel(float* y, int i) {
    PYCONV_SHARED(float, tile, [4][8]);
    PYCONV_SHARED(float, other, [32]);
    other[threadIdx.x] = tile[threadIdx.x / 8][threadIdx.x % 8] = 1;
    __syncthreads();
    y[threadIdx.x] = tile[0][i] + other[threadIdx.x];
}

__global__ void unwritten_shared_kernel(float* y) {
    PYCONV_SHARED(float, tile, [32]);
    if (threadIdx.x != 7) tile[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = tile[31 - threadIdx.x];
}

__global__ void copy_kernel(const float* x, float* y, int count) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < count) y[i] = x[i];
}

template <int Groups>
__global__ void async_kernel(const float* x, float* y) {
    PYCONV_SHARED(float, tile, [2][32][4]);
    const unsigned t = threadIdx.x;
    for (int i = 0; i < 2; ++i) {
        cuda::cp_async<16>(tile[i][t], x + 4 * t);
        cuda::cp_async_commit();
    }
    cuda::cp_async_wait<Groups>();
    __syncthreads();
    y[t] = tile[1][31 - t][1];
}

// How a process ends in which the host reads the address.
int signal_of_read(const float* address) {
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*const_cast<const volatile float*>(address) == 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

void test_accesses() {
    const cudaStream_t stream = cuda::stream();
    Memory y(64);
    expect_fault("an index past the end of shared memory",
                 {"shared_index_kernel, block (0, 0, 0), thread (0, 0, 0): reads 4 bytes at "
                  "accesses.cu:",
                  "0 bytes past the end of tile (128 bytes, shared)"},
                 [&] { cuda::launch(shared_index_kernel, 1, 32, 0, stream, y, 32); });
    expect_fault("an index before the start of shared memory",
                 {"4 bytes before tile (128 bytes, shared)"},
                 [&] { cuda::launch(shared_index_kernel, 1, 32, 0, stream, y, -1); });
    expect("no fault in shared memory",
           fault_of([&] { cuda::launch(shared_index_kernel, 1, 32, 0, stream, y, 31); }) == "");
    expect_fault("a read of shared memory that nobody wrote",
                 {"unwritten_shared_kernel, block (0, 0, 0), thread (24, 0, 0): reads 4 bytes",
                  "byte 28 of tile (128 bytes, shared), which nobody wrote"},
                 [&] { cuda::launch(unwritten_shared_kernel, 1, 32, 0, stream, y); });

    const Memory x(std::vector<float>(128, 1)), empty(64);
    expect_fault("an index just before the start", {"fill_kernel", "4 bytes before the 256 bytes"},
                 [&] { cuda::launch(fill_kernel, 1, 32, 0, stream, y - 1); });
    expect_fault("a read of memory that nobody wrote",
                 {"copy_kernel, block (0, 0, 0), thread (0, 0, 0): reads 4 bytes",
                  "byte 0 of the 256 bytes at", "argument 0, which nobody wrote"},
                 [&] { cuda::launch(copy_kernel, 2, 32, 0, stream, empty, y, 64); });
    expect_fault("an output that nobody wrote",
                 {"cudaMemcpy: nobody wrote byte 200 of the 256 bytes"}, [&] {
                     const Memory output(64);
                     cuda::launch(copy_kernel, 2, 32, 0, stream, x, output, 50);
                     output.values();
                 });
    expect_fault(
        "a read past the end",
        {"copy_kernel, block (1, 0, 0), thread (0, 0, 0)", "0 bytes past the end of the 128 bytes"},
        [&] {
            const Memory small(std::vector<float>(32, 1));
            cuda::launch(copy_kernel, 2, 32, 0, stream, small, y, 64);
            cudaDeviceSynchronize();
        });
    expect_fault("memory that was freed", {"copy_kernel", "which were freed, argument 0"}, [&] {
        float* freed = nullptr;
        cudaMalloc(&freed, 256);
        cudaFree(freed);
        cuda::launch(copy_kernel, 2, 32, 0, stream, freed, y, 64);
    });
    expect_fault("memory of the host", {"copy_kernel", "memory of the host"}, [&] {
        const std::vector<float> host(64, 1);
        cuda::launch(copy_kernel, 2, 32, 0, stream, host.data(), y, 64);
        cudaDeviceSynchronize();
    });
    expect("the host reads memory of the device", signal_of_read(x) == SIGSEGV);
    const Memory shared(std::vector<float>(64, 1));
    emulation::share_with_host(shared + 5);
    expect("the host reads what is shared with it", signal_of_read(shared) == 0);
    const std::vector<float> host(64, 3);
    emulation::share_with_device(host.data(), 256);
    expect(
        "the device reads what is shared with it",
        fault_of([&] { cuda::launch(copy_kernel, 2, 32, 0, stream, host.data(), y, 64); }) == "" &&
            y.values() == host);
    emulation::withdraw_from_device(host.data());
    expect_fault("a cp.async that is not waited for",
                 {"async_kernel<1>, block (0, 0, 0), thread (0, 0, 0): reads 4 bytes",
                  "byte 1012 of tile", "to which a cp.async copies that was not waited for"},
                 [&] { cuda::launch(async_kernel<1>, 1, 32, 0, stream, x, y); });
    expect("a cp.async that is waited for",
           fault_of([&] { cuda::launch(async_kernel<0>, 1, 32, 0, stream, x, y); }) == "");
}

}  // namespace pyconv::testing
