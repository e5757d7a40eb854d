// Counts of transactions and bank conflicts against what can be counted by hand.

#include "traffic.h"

#include "check.h"

namespace pyconv::testing {
namespace {

// Reads x at a stride, and a tile by columns of a row of `Row` floats.
template <int Row>
__global__ void strides_kernel(const float* x, float* y, unsigned stride) {
    PYCONV_SHARED(float, tile, [32][Row]);
    tile[0][threadIdx.x] = x[stride * threadIdx.x];
    for (int i = 1; i < 32; ++i) tile[i][threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x][0];
}

// Passes for reads of 16 bytes whose lanes are `Step` vectors apart.
template <int Step>
__global__ void vectors_kernel(float* y) {
    PYCONV_SHARED(float4, tile, [32 * Step]);
    for (unsigned i = threadIdx.x; i < 32 * Step; i += 32) tile[i] = make_float4(1, 2, 3, 4);
    __syncthreads();
    reinterpret_cast<float4*>(y)[threadIdx.x] = tile[threadIdx.x * Step];
}

// Sums over the kernel's instructions.
emulation::Traffic sum(bool shared, bool write) {
    emulation::Traffic sum{};
    for (const emulation::Traffic& one : emulation::traffic()) {
        if (one.shared != shared || one.write != write) continue;
        sum.requests += one.requests;
        sum.transactions += one.transactions;
        sum.ideal += one.ideal;
    }
    return sum;
}

bool is(const emulation::Traffic& t, int64_t requests, int64_t transactions, int64_t ideal) {
    return t.requests == requests && t.transactions == transactions && t.ideal == ideal;
}

template <class F>
void count(F work) {
    emulation::count_traffic(true);
    work();
    cuda::synchronize();
    emulation::count_traffic(false);
}

}  // namespace

void test_traffic() {
    const cudaStream_t stream = cuda::stream();
    const Memory x(std::vector<float>(256, 1));
    Memory y(128);
    count([&] { cuda::launch(strides_kernel<32>, 1, 32, 0, stream, x, y, 1u); });
    expect("side by side", is(sum(false, false), 1, 4, 4) && is(sum(false, true), 1, 4, 4));
    expect("32 lanes in one bank", is(sum(true, false), 1, 32, 1));
    expect("rows without conflicts", is(sum(true, true), 32, 32, 32));
    bool named = true;
    for (const emulation::Traffic& one : emulation::traffic())
        named = named && one.kernel == "strides_kernel<32>" &&
                one.place.rfind("traffic.cu:", 0) == 0 && one.bytes == 4;
    expect("names of kernel and line", named);
    count([&] { cuda::launch(strides_kernel<33>, 1, 32, 0, stream, x, y, 8u); });
    expect("a sector for each lane", is(sum(false, false), 1, 32, 4));
    expect("a row of 33 has no conflicts", is(sum(true, false), 1, 1, 1));
    count([&] { cuda::launch(vectors_kernel<1>, 1, 32, 0, stream, y); });
    expect("vectors side by side",
           is(sum(true, false), 1, 4, 4) && is(sum(false, true), 1, 16, 16));
    count([&] { cuda::launch(vectors_kernel<2>, 1, 32, 0, stream, y); });
    expect("every other vector", is(sum(true, false), 1, 8, 4) && is(sum(true, true), 2, 8, 8));
}

}  // namespace pyconv::testing
