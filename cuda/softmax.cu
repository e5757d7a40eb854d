// A warp a row where rows are short, else a block. Sums and exponentials in double, as on the CPU:
// rows are few beside the arithmetic of a network, and 1 - p of a sure prediction keeps its digits.
// Loops are not unrolled: several exponentials at a time would spill.

#include "ops/softmax.h"

#include "elementwise.cuh"
#include "reduce.cuh"

namespace pyconv {
namespace {

constexpr int kRows = 4;  // of a block, where a warp has a row
constexpr int kWarps = 8;
constexpr int64_t kShortRow = 1024;

template <int kGroup>
constexpr int kThreads = 32 * (kGroup > 1 ? kGroup : kRows);

// Larger, or NaN.
struct Larger {
    __device__ float operator()(float a, float b) const { return a > b || isnan(a) ? a : b; }
};

// The row of this thread's group of kGroup warps, and its place in it.
template <int kGroup>
__device__ int64_t my_row() {
    return kGroup > 1 ? blockIdx.x : static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.y;
}

// Of a row x (c,): its maximum, and the sum of exp(x - max), in all threads.
template <int kGroup>
__device__ double exponentials(int64_t c, const float* x, float& max) {
    max = -INFINITY;
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32) max = Larger{}(x[j], max);
    max = cuda::reduce<kGroup>(max, Larger{});
    double sum = 0;
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
        sum += exp(static_cast<double>(x[j]) - static_cast<double>(max));
    return cuda::reduce<kGroup>(sum, cuda::Sum{});
}

// x, y (rows, c); y may be x: each thread writes where it alone has read.
template <int kGroup>
__global__ void __launch_bounds__(kThreads<kGroup>)
    softmax_kernel(int64_t rows, int64_t c, const float* x, float* y) {
    const int64_t row = my_row<kGroup>();
    if (row >= rows) return;
    x += row * c;
    y += row * c;
    float max;
    const double scale = 1.0 / exponentials<kGroup>(c, x, max);
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
        y[j] =
            static_cast<float>(exp(static_cast<double>(x[j]) - static_cast<double>(max)) * scale);
}

// y, dy, dx (rows, c); dx may be one of the others
template <int kGroup>
__global__ void __launch_bounds__(kThreads<kGroup>)
    softmax_backward_kernel(int64_t rows, int64_t c, const float* y, const float* dy, float* dx) {
    const int64_t row = my_row<kGroup>();
    if (row >= rows) return;
    y += row * c;
    dy += row * c;
    dx += row * c;
    double dot = 0;
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
        dot += static_cast<double>(y[j]) * static_cast<double>(dy[j]);
    dot = cuda::reduce<kGroup>(dot, cuda::Sum{});
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
        dx[j] = static_cast<float>(static_cast<double>(y[j]) * (static_cast<double>(dy[j]) - dot));
}

template <int kGroup>
__global__ void __launch_bounds__(kThreads<kGroup>) cross_entropy_kernel(const CrossEntropy ce) {
    const int64_t row = my_row<kGroup>(), c = ce.c;
    if (row >= ce.rows) return;
    const float* x = ce.logits + row * c;
    float* grad = ce.grad + row * c;
    const double scale = ce.row_scale ? static_cast<double>(ce.row_scale[row]) : 1.0;
    float max;
    const double sum = exponentials<kGroup>(c, x, max);
    const double log_sum = static_cast<double>(max) + log(sum);
    const double of_sum = 1.0 / sum;
    const auto probability = [&](int64_t j) {
        return exp(static_cast<double>(x[j]) - static_cast<double>(max)) * of_sum;
    };
    if (ce.classes) {
        const int64_t label = ce.classes[row];
        if (threadIdx.x == 0)
            ce.loss[row] = static_cast<float>(log_sum - static_cast<double>(x[label]));
#pragma unroll 1
        for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
            grad[j] = static_cast<float>((probability(j) - (j == label ? 1.0 : 0.0)) * scale);
        return;
    }
    const float* t = ce.distributions + row * c;
    double loss = 0, mass = 0;
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32) {
        // A class of probability 0 adds nothing, also where its logit is -inf.
        if (t[j] != 0.f) loss += static_cast<double>(t[j]) * (log_sum - static_cast<double>(x[j]));
        mass += static_cast<double>(t[j]);
    }
    loss = cuda::reduce<kGroup>(loss, cuda::Sum{});
    mass = cuda::reduce<kGroup>(mass, cuda::Sum{});
    if (threadIdx.x == 0) ce.loss[row] = static_cast<float>(loss);
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < c; j += kGroup * 32)
        grad[j] = static_cast<float>((probability(j) * mass - static_cast<double>(t[j])) * scale);
}

// Launches `of_warp` or `of_block` for the rows.
template <class... Params>
void launch_rows(int64_t rows, int64_t c, void (*of_warp)(Params...), void (*of_block)(Params...),
                 std::type_identity_t<Params>... args) {
    if (c <= kShortRow)
        cuda::launch(of_warp, (rows + kRows - 1) / kRows, dim3(32, kRows), 0, cuda::stream(),
                     args...);
    else
        cuda::launch(of_block, rows, 32 * kWarps, 0, cuda::stream(), args...);
}

}  // namespace

void softmax_forward(int64_t rows, int64_t c, const float* x, float* y) {
    launch_rows(rows, c, softmax_kernel<1>, softmax_kernel<kWarps>, rows, c, x, y);
}

void softmax_backward(int64_t rows, int64_t c, const float* y, const float* dy, float* dx) {
    launch_rows(rows, c, softmax_backward_kernel<1>, softmax_backward_kernel<kWarps>, rows, c, y,
                dy, dx);
}

void softmax_cross_entropy(const CrossEntropy& ce) {
    launch_rows(ce.rows, ce.c, cross_entropy_kernel<1>, cross_entropy_kernel<kWarps>, ce);
}

}  // namespace pyconv
