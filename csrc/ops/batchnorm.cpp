// Two passes over memory each way. Sums are taken in chunks of rows that fit into the nearest
// caches, in float, and put together in double, in the order of the chunks.
// Ioffe and Szegedy, "Batch normalization", 2015; the chunks' variances are put together as in
// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm", 1979.

#include "ops/batchnorm.h"

#include <algorithm>
#include <cmath>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kChunkFloats = 8192;

// Chunks of rows, the same for any number of threads.
struct Chunks {
    explicit Chunks(const BatchNormShape& s)
        : rows(s.rows),
          each(std::clamp<int64_t>(kChunkFloats / s.c, 32, 128)),
          count(ceil_div(s.rows, each)) {}
    int64_t begin(int64_t i) const { return i * each; }
    int64_t size(int64_t i) const { return std::min(each, rows - i * each); }

    // body(chunk), in parallel
    template <class Body>
    void run(const Body& body) const {
        parallel_for(count, [&](int64_t from, int64_t to) {
            for (int64_t i = from; i < to; ++i) body(i);
        });
    }

    int64_t rows, each, count;
};

double inverse_deviation(const BatchNormShape& s, float variance) {
    return 1.0 / std::sqrt(static_cast<double>(variance) + s.epsilon);
}

// totals[j] = sum over chunks of parts[chunk * c + j]
void total(const Chunks& chunks, int64_t c, const float* parts, double* totals) {
    std::fill(totals, totals + c, 0.0);
    for (int64_t i = 0; i < chunks.count; ++i)
        for (int64_t j = 0; j < c; ++j) totals[j] += parts[i * c + j];
}

}  // namespace

void batchnorm_moments(const BatchNormShape& s, const float* x, float* mean, float* rest,
                       float* variance) {
    const Chunks chunks(s);
    const int64_t c = s.c;
    Scratch scratch;
    float* means = scratch.take<float>(chunks.count * c);
    float* squares = scratch.take<float>(chunks.count * c);
    double* center = scratch.take<double>(c);
    double* spread = scratch.take<double>(c);
    chunks.run([&](int64_t i) {
        simd::kernels().column_moments(chunks.size(i), c, x + chunks.begin(i) * c, c, means + i * c,
                                       squares + i * c);
    });
    const auto mean_of = [&](int64_t i, int64_t j) {
        return static_cast<double>(x[chunks.begin(i) * c + j]) + means[i * c + j];
    };
    std::fill(center, center + c, 0.0);
    for (int64_t i = 0; i < chunks.count; ++i) {
        const double weight = static_cast<double>(chunks.size(i));
        for (int64_t j = 0; j < c; ++j) center[j] += weight * mean_of(i, j);
    }
    const double rows = static_cast<double>(s.rows);
    for (int64_t j = 0; j < c; ++j) center[j] /= rows;
    total(chunks, c, squares, spread);
    for (int64_t i = 0; i < chunks.count; ++i) {
        const double weight = static_cast<double>(chunks.size(i));
        for (int64_t j = 0; j < c; ++j) {
            const double off = mean_of(i, j) - center[j];
            spread[j] += weight * off * off;
        }
    }
    for (int64_t j = 0; j < c; ++j) {
        mean[j] = static_cast<float>(center[j]);
        rest[j] = static_cast<float>(center[j] - mean[j]);
        variance[j] = static_cast<float>(spread[j] / rows);
    }
}

void moving_average(int64_t n, float* average, const float* values, double momentum) {
    const auto kept = static_cast<float>(momentum), taken = static_cast<float>(1 - momentum);
    for (int64_t i = 0; i < n; ++i) average[i] = average[i] * kept + values[i] * taken;
}

void batchnorm_forward(const BatchNormShape& s, const float* x, const float* gamma,
                       const float* beta, const float* mean, const float* rest,
                       const float* variance, const NormEnd& end, float* y) {
    const Chunks chunks(s);
    const int64_t c = s.c;
    Scratch scratch;
    float* scale = scratch.take<float>(c);
    float* shift = scratch.take<float>(c);
    for (int64_t j = 0; j < c; ++j) {
        const double factor = (gamma ? gamma[j] : 1.f) * inverse_deviation(s, variance[j]);
        scale[j] = static_cast<float>(factor);
        shift[j] = static_cast<float>((beta ? beta[j] : 0.f) - (rest ? factor * rest[j] : 0.0));
    }
    const int flags = end.activation == Activation::kRelu ? simd::kRelu : 0;
    chunks.run([&](int64_t i) {
        const int64_t at = chunks.begin(i) * c;
        const float* addend = end.addend ? end.addend + at : nullptr;
        simd::kernels().normalize_rows(chunks.size(i), c, x + at, mean, scale, shift, addend,
                                       y + at, flags);
    });
}

void batchnorm_backward(const BatchNormShape& s, const float* x, const float* y, float* dy,
                        const float* gamma, const float* mean, const float* rest,
                        const float* variance, bool of_batch, float* dgamma, float* dbeta,
                        float* dx) {
    const Chunks chunks(s);
    const int64_t c = s.c;
    Scratch scratch;
    double* sum = scratch.take<double>(c);
    double* product = scratch.take<double>(c);
    if (dgamma || dbeta || of_batch || y) {
        float* sums = scratch.take<float>(chunks.count * c);
        float* products = scratch.take<float>(chunks.count * c);
        chunks.run([&](int64_t i) {
            const int64_t at = chunks.begin(i) * c;
            simd::kernels().column_products(chunks.size(i), c, x + at, mean, y ? y + at : nullptr,
                                            dy + at, sums + i * c, products + i * c);
        });
        total(chunks, c, sums, sum);
        total(chunks, c, products, product);
        for (int64_t j = 0; rest && j < c; ++j) product[j] -= rest[j] * sum[j];
    }
    float* of_dy = scratch.take<float>(c);
    float* of_x = scratch.take<float>(c);
    float* shift = scratch.take<float>(c);
    const double rows = static_cast<double>(s.rows);
    for (int64_t j = 0; j < c; ++j) {
        const double inverse = inverse_deviation(s, variance[j]);
        if (dgamma) dgamma[j] = static_cast<float>(product[j] * inverse);
        if (dbeta) dbeta[j] = static_cast<float>(sum[j]);
        const double scale = (gamma ? gamma[j] : 1.f) * inverse;
        of_dy[j] = static_cast<float>(scale);
        const double through = of_batch ? -scale * inverse * inverse * product[j] / rows : 0.0;
        of_x[j] = static_cast<float>(through);
        const double constant = of_batch ? -scale * sum[j] / rows : 0.0;
        shift[j] = static_cast<float>(constant - (rest ? through * rest[j] : 0.0));
    }
    if (!dx) return;
    chunks.run([&](int64_t i) {
        const int64_t at = chunks.begin(i) * c;
        simd::kernels().normalize_backward(chunks.size(i), c, x + at, mean, dy + at, of_dy, of_x,
                                           shift, dx + at);
    });
}

}  // namespace pyconv
