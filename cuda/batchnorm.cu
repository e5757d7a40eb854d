// Batch normalization. A block takes 32 channels and a part of the rows: 8 rows of threads add
// every eighth row each, in float, off the part's first row; parts are put together in double, in
// their order, by one thread a channel. The rest is one thread an element, in strides of the grid.

#include "ops/batchnorm.h"
#include "ops/merge.h"
#include "ops/relu.h"

#include "check.h"
#include "elementwise.cuh"
#include "scratch.h"

namespace pyconv {
namespace {

constexpr int kChannels = 32, kRowThreads = 8, kPartRows = 256;

struct Factors {
    const float *mean, *of_dy, *of_x, *shift;  // (c,)
};

// In one dimension, as the others end at 65535.
int64_t part_blocks(const BatchNormShape& s) {
    return ceil_div(s.c, kChannels) * ceil_div(s.rows, kPartRows);
}

// The block's part of the rows, this thread's channel, and where that is in the part's first row.
struct Part {
    int64_t number, channel, first;
    int rows;
    __device__ explicit Part(const BatchNormShape& s) {
        const auto groups = static_cast<unsigned>((s.c + kChannels - 1) / kChannels);
        number = blockIdx.x / groups;
        channel = static_cast<int64_t>(blockIdx.x % groups) * kChannels + threadIdx.x;
        first = number * kPartRows * s.c + channel;
        rows = static_cast<int>(min(s.rows - number * kPartRows, int64_t{kPartRows}));
    }
};

// The sum over the block's rows of threads, in all of them.
__device__ double row_total(float value) {
    PYCONV_SHARED(float, values, [kRowThreads][kChannels]);
    __syncthreads();
    values[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    double sum = 0;
    for (int i = 0; i < kRowThreads; ++i) sum += values[i][threadIdx.x];
    return sum;
}

// means, squares (parts, c)
__global__ void moments_kernel(BatchNormShape s, const float* x, double* means, double* squares) {
    const Part part(s);
    const int64_t j = part.channel;
    const bool inside = j < s.c;
    x += part.first;
    const float first = inside ? *x : 0.f;
    float sum = 0.f;
    for (int r = threadIdx.y; inside && r < part.rows; r += kRowThreads) sum += x[r * s.c] - first;
    const double mean = row_total(sum) / part.rows;
    float square = 0.f, left = 0.f;
    for (int r = threadIdx.y; inside && r < part.rows; r += kRowThreads) {
        const float off = x[r * s.c] - first - static_cast<float>(mean);
        left += off;
        square += off * off;
    }
    const double total = row_total(square), corrected = row_total(left) / part.rows;
    if (!inside || threadIdx.y != 0) return;
    means[part.number * s.c + j] =
        static_cast<double>(first) + static_cast<float>(mean) + corrected;
    squares[part.number * s.c + j] = total;
}

__device__ double part_size(const BatchNormShape& s, int64_t part) {
    const int64_t left = s.rows - part * kPartRows;
    return static_cast<double>(left < kPartRows ? left : kPartRows);
}

__global__ void join_moments_kernel(BatchNormShape s, int64_t parts, const double* means,
                                    const double* squares, float* mean, float* rest,
                                    float* variance) {
    const int64_t j = cuda::first_task();
    if (j >= s.c) return;
    const double rows = static_cast<double>(s.rows);
    double center = 0, spread = 0;
    for (int64_t i = 0; i < parts; ++i) center += part_size(s, i) * means[i * s.c + j];
    center /= rows;
    for (int64_t i = 0; i < parts; ++i) {
        const double off = means[i * s.c + j] - center;
        spread += squares[i * s.c + j] + part_size(s, i) * off * off;
    }
    mean[j] = static_cast<float>(center);
    rest[j] = static_cast<float>(center - mean[j]);
    variance[j] = static_cast<float>(spread / rows);
}

// sums of dy and products of dy and x - mean, (parts, c)
__global__ void products_kernel(BatchNormShape s, const float* x, const float* dy,
                                const float* mean, double* sums, double* products) {
    const Part part(s);
    const int64_t j = part.channel;
    const bool inside = j < s.c;
    x += part.first;
    dy += part.first;
    const float center = inside ? mean[j] : 0.f;
    float sum = 0.f, product = 0.f;
    for (int r = threadIdx.y; inside && r < part.rows; r += kRowThreads) {
        const float grad = dy[r * s.c];
        sum += grad;
        product += grad * (x[r * s.c] - center);
    }
    const double all = row_total(sum), weighted = row_total(product);
    if (!inside || threadIdx.y != 0) return;
    sums[part.number * s.c + j] = all;
    products[part.number * s.c + j] = weighted;
}

__device__ double inverse_deviation(const BatchNormShape& s, float variance) {
    return 1.0 / sqrt(static_cast<double>(variance) + s.epsilon);
}

__global__ void forward_factors_kernel(BatchNormShape s, const float* gamma, const float* beta,
                                       const float* rest, const float* variance, float* scale,
                                       float* shift) {
    const int64_t j = cuda::first_task();
    if (j >= s.c) return;
    const double factor = (gamma ? gamma[j] : 1.f) * inverse_deviation(s, variance[j]);
    scale[j] = static_cast<float>(factor);
    shift[j] = static_cast<float>((beta ? beta[j] : 0.f) - (rest ? factor * rest[j] : 0.0));
}

__global__ void backward_factors_kernel(BatchNormShape s, int64_t parts, const double* sums,
                                        const double* products, const float* gamma,
                                        const float* rest, const float* variance, bool of_batch,
                                        float* dgamma, float* dbeta, float* of_dy, float* of_x,
                                        float* shift) {
    const int64_t j = cuda::first_task();
    if (j >= s.c) return;
    double sum = 0, product = 0;
    for (int64_t i = 0; i < parts; ++i) {
        sum += sums[i * s.c + j];
        product += products[i * s.c + j];
    }
    if (rest) product -= rest[j] * sum;
    const double inverse = inverse_deviation(s, variance[j]);
    if (dgamma) dgamma[j] = static_cast<float>(product * inverse);
    if (dbeta) dbeta[j] = static_cast<float>(sum);
    const double scale = (gamma ? gamma[j] : 1.f) * inverse;
    const double rows = static_cast<double>(s.rows);
    const double through = of_batch ? -scale * inverse * inverse * product / rows : 0.0;
    const double constant = of_batch ? -scale * sum / rows : 0.0;
    of_dy[j] = static_cast<float>(scale);
    of_x[j] = static_cast<float>(through);
    shift[j] = static_cast<float>(constant - (rest ? through * rest[j] : 0.0));
}

// out = dy * of_dy + (x - mean) * of_x + shift; dy null for none. out may be x or dy.
__global__ void apply_kernel(int64_t n, int64_t c, const float* x, const float* dy, Factors f,
                             float* out) {
    for (int64_t i = cuda::first_task(); i < n; i += cuda::task_step()) {
        const int64_t j = i % c;
        const float through = (x[i] - f.mean[j]) * f.of_x[j] + f.shift[j];
        out[i] = dy ? dy[i] * f.of_dy[j] + through : through;
    }
}

}  // namespace

void batchnorm_moments(const BatchNormShape& s, const float* x, float* mean, float* rest,
                       float* variance) {
    const int64_t parts = ceil_div(s.rows, kPartRows);
    Scratch scratch;
    double* means = scratch.take<double>(parts * s.c);
    double* squares = scratch.take<double>(parts * s.c);
    cuda::launch(moments_kernel, part_blocks(s), dim3(kChannels, kRowThreads), 0, cuda::stream(), s,
                 x, means, squares);
    cuda::launch(join_moments_kernel, ceil_div(s.c, cuda::kThreads), cuda::kThreads, 0,
                 cuda::stream(), s, parts, means, squares, mean, rest, variance);
}

void batchnorm_forward(const BatchNormShape& s, const float* x, const float* gamma,
                       const float* beta, const float* mean, const float* rest,
                       const float* variance, const NormEnd& end, float* y) {
    Scratch scratch;
    float* scale = scratch.take<float>(s.c);
    float* shift = scratch.take<float>(s.c);
    cuda::launch(forward_factors_kernel, ceil_div(s.c, cuda::kThreads), cuda::kThreads, 0,
                 cuda::stream(), s, gamma, beta, rest, variance, scale, shift);
    const int64_t n = s.rows * s.c;
    // What is added lies where the result goes.
    float* normalized = end.addend == y ? scratch.take<float>(n) : y;
    cuda::launch(apply_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0, cuda::stream(), n,
                 s.c, x, nullptr, Factors{mean, nullptr, scale, shift}, normalized);
    if (end.addend)
        add_forward(n, normalized, end.addend, end.activation, y);
    else if (end.activation == Activation::kRelu)
        relu_forward(n, y, y);
}

void batchnorm_backward(const BatchNormShape& s, const float* x, const float* y, float* dy,
                        const float* gamma, const float* mean, const float* rest,
                        const float* variance, bool of_batch, float* dgamma, float* dbeta,
                        float* dx) {
    if (y) relu_backward(s.rows * s.c, y, dy, dy);
    const int64_t parts = dgamma || dbeta || of_batch ? ceil_div(s.rows, kPartRows) : 0;
    Scratch scratch;
    double* sums = scratch.take<double>(parts * s.c);
    double* products = scratch.take<double>(parts * s.c);
    if (parts > 0)
        cuda::launch(products_kernel, part_blocks(s), dim3(kChannels, kRowThreads), 0,
                     cuda::stream(), s, x, dy, mean, sums, products);
    float* of_dy = scratch.take<float>(s.c);
    float* of_x = scratch.take<float>(s.c);
    float* shift = scratch.take<float>(s.c);
    cuda::launch(backward_factors_kernel, ceil_div(s.c, cuda::kThreads), cuda::kThreads, 0,
                 cuda::stream(), s, parts, sums, products, gamma, rest, variance, of_batch, dgamma,
                 dbeta, of_dy, of_x, shift);
    if (!dx) return;
    const int64_t n = s.rows * s.c;
    cuda::launch(apply_kernel, cuda::element_blocks(n), cuda::kElementThreads, 0, cuda::stream(), n,
                 s.c, x, dy, Factors{mean, of_dy, of_x, shift}, dx);
}

}  // namespace pyconv
