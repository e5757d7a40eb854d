#include "test_prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "counts.h"
#include "denormals.h"
#include "ops/conv2d.h"
#include "ops/conv2d_maxpool2d.h"
#include "ops/dense.h"
#include "ops/maxpool2d.h"
#include "ops/prediction.h"
#include "ops/relu.h"
#include "ops/softmax.h"
#include "simd/kernels.h"

using namespace pyconv;

namespace {

using Floats = std::vector<float>;

void check_same(const char* what, const Conv2dShape& s, const Floats& a, const Floats& b) {
    const bool ok = a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    ++(ok ? passed : failed);
    if (!ok)
        std::printf("%s %s differs: %d x %d x %d x %d, %d filters of %d x %d\n",
                    simd::kernels().isa, what, int(s.n), int(s.h), int(s.w), int(s.c), int(s.oc),
                    int(s.kernel.h), int(s.kernel.w));
}

// Sums of the same products in another order.
void check_near(const char* what, const Conv2dShape& s, const Floats& a, const Floats& b) {
    float largest = 1, error = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(b[i]));
        error = std::max(error, std::abs(a[i] - b[i]));
    }
    check_same(what, s, error <= 1e-5f * largest ? b : a, b);
}

}  // namespace

void test_prediction(std::mt19937_64& engine) {
    const FlushDenormals flush;  // as in workers, and in whoever calls an operation from Python
    const auto pick = [&](int64_t low, int64_t high) {
        return std::uniform_int_distribution<int64_t>(low, high)(engine);
    };
    const auto noise = [&](int64_t n) {
        std::normal_distribution<float> normal;
        Floats values(n);
        for (float& v : values) v = normal(engine);
        return values;
    };
    const int64_t k = pick(1, 3), n = pick(0, 12);
    const WindowShape window = window_shape(
        "test", n, pick(4, 12), pick(4, 12), pick(0, 1) ? pick(1, 5) : 16, {k, pick(1, 3)},
        {pick(1, 2), 1}, {pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)}, {1, 1});
    const Conv2dShape s = conv2d_shape("test", window, pick(0, 1) ? pick(1, 40) : 16, 1);
    if (s.oh < 2 || s.ow < 2) return;
    const int64_t size = pick(0, 2) ? 2 : 1;
    const WindowShape pool =
        pool2d_shape("test", n, s.oh, s.ow, s.oc, {size, 2}, {size, 2}, {0, 0, 0, 0});
    const int64_t features = pool.oh * pool.ow * pool.c, classes = pick(1, 20);
    const Floats x = noise(n * s.h * s.w * s.c), w = noise(s.kernel.h * s.kernel.w * s.c * s.oc);
    const Floats b = noise(s.oc), dense = noise(features * classes), dy = noise(n * features);

    Floats maps(n * s.oh * s.ow * s.oc), pooled(n * features), dx(maps.size());
    conv2d_forward(s, x.data(), w.data(), b.data(), Activation::kRelu, maps.data());
    maxpool2d_forward(pool, maps.data(), pooled.data());
    maxpool2d_backward(pool, maps.data(), dy.data(), dx.data());

    Floats together(pooled.size()), winners(pooled.size());
    conv2d_maxpool2d_forward(s, pool, x.data(), w.data(), b.data(), Activation::kRelu,
                             together.data(), winners.data());
    check_same("conv2d_maxpool2d_forward", s, together, pooled);

    relu_backward(dx.size(), maps.data(), dx.data(), dx.data());
    Floats of_image(x.size()), of_both(x.size()), dw(w.size()), db(s.oc);
    conv2d_backward_input(s, dx.data(), w.data(), of_image.data());
    conv2d_maxpool2d_backward(s, pool, x.data(), w.data(), Activation::kRelu, together.data(),
                              winners.data(), dy.data(), of_both.data(), dw.data(), db.data());
    check_near("conv2d_maxpool2d_backward", s, of_both, of_image);

    Floats y(n * classes), of_stack(n * classes);
    dense_forward({n, features, classes}, pooled.data(), dense.data(), nullptr, Activation::kLinear,
                  y.data());
    softmax_forward(n, classes, y.data(), y.data());
    Conv2dShape sample = s;
    WindowShape pool_of_sample = pool;
    sample.n = pool_of_sample.n = 1;
    Prediction prediction;
    if (pick(0, 1)) {
        prediction.conv2d_maxpool2d(sample, pool_of_sample, w.data(), b.data(), Activation::kRelu);
    } else {
        prediction.conv2d(sample, w.data(), b.data(), Activation::kRelu);
        prediction.maxpool2d(pool_of_sample);
    }
    prediction.dense(features, classes, dense.data(), nullptr, Activation::kLinear);
    prediction.softmax(classes);
    prediction.run(n, x.data(), of_stack.data());
    check_same("prediction", s, of_stack, y);
}
