// Checks the operations without Python, for sanitizers and emulated CPUs: random shapes against
// plain loops in double, and equal bits for any number of threads, on every instruction set that
// the CPU runs. Usage: test_ops [CASES] [SEED]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "counts.h"
#include "ops/conv2d.h"
#include "ops/conv2d_winograd.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/maxpool2d.h"
#include "ops/optimizers.h"
#include "parallel.h"
#include "simd/kernels.h"
#include "test_augment.h"
#include "test_filters.h"
#include "test_prediction.h"
#include "trace.h"

using namespace pyconv;

namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

std::mt19937_64 engine;

int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
}

Floats noise(int64_t n) {
    std::normal_distribution<float> normal;
    Floats values(n);
    for (float& v : values) v = normal(engine);
    return values;
}

void check(const char* what, const std::string& shape, const Floats& got, const Doubles& wanted,
           double terms) {
    double largest = 0, error = 0;
    for (size_t i = 0; i < got.size(); ++i) {
        largest = std::max(largest, std::abs(wanted[i]));
        error = std::max(error, std::abs(got[i] - wanted[i]));
    }
    const bool ok = error <= 1.2e-7 * (4 + std::sqrt(terms)) * std::max(largest, 1.0);
    ++(ok ? passed : failed);
    if (!ok)
        std::printf("%s %s %s: error %g of %g\n", simd::kernels().isa, what, shape.c_str(), error,
                    largest);
}

void check_same(const char* what, const Floats& a, const Floats& b) {
    const bool ok = std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    ++(ok ? passed : failed);
    if (!ok) std::printf("%s %s: bits depend on the threads\n", simd::kernels().isa, what);
}

Conv2dShape random_conv() {
    Conv2dShape s;
    s.groups = pick(0, 2) ? 1 : pick(2, 24);
    s.n = pick(1, 3);
    const bool depthwise = s.groups > 1 && pick(0, 1);
    const bool small = s.groups > 1 && pick(0, 2);  // groups that are spread
    s.c = s.groups * (depthwise ? 1 : pick(1, small ? 9 : 20));
    s.oc = s.groups * (depthwise ? 1 : pick(1, small ? 9 : 36));
    s.kernel = {pick(1, 4), pick(1, 4)};
    s.strides = {pick(1, 3), pick(1, 3)};
    s.dilation = {pick(1, 2), pick(1, 2)};
    if (pick(0, 3) == 0) {  // what kn2row takes
        s.groups = 1;
        s.c = pick(20, 150);
        s.oc = pick(1, 10);
        s.strides = {1, pick(1, 2)};
    }
    if (pick(0, 2) == 0) {  // what Winograd takes
        const int64_t size = pick(2, 3);
        s.kernel = {size, size};
        s.strides = s.dilation = {1, 1};
    }
    s.padding = {pick(0, 4), pick(0, 4), pick(0, 4), pick(0, 4)};
    s.h = s.kernel.h * s.dilation.h + pick(0, 9);
    s.w = s.kernel.w * s.dilation.w + pick(0, 9);
    const auto out = [](int64_t size, int64_t pad, int64_t k, int64_t stride, int64_t dilation) {
        return (size + pad - (k - 1) * dilation - 1) / stride + 1;
    };
    s.oh = out(s.h, s.padding.top + s.padding.bottom, s.kernel.h, s.strides.h, s.dilation.h);
    s.ow = out(s.w, s.padding.left + s.padding.right, s.kernel.w, s.strides.w, s.dilation.w);
    return s;
}

std::string text(const Conv2dShape& s) {
    char line[160];
    std::snprintf(line, sizeof line, "x(%ld,%ld,%ld,%ld) oc %ld k(%ld,%ld) s(%ld,%ld) g %ld",
                  long(s.n), long(s.h), long(s.w), long(s.c), long(s.oc), long(s.kernel.h),
                  long(s.kernel.w), long(s.strides.h), long(s.strides.w), long(s.groups));
    return line;
}

// Calls term(x index, w index, y index) for every product of the convolution.
template <class Term>
void for_each_product(const Conv2dShape& s, const Term& term) {
    for (int64_t n = 0; n < s.n; ++n)
        for (int64_t oh = 0; oh < s.oh; ++oh)
            for (int64_t ow = 0; ow < s.ow; ++ow)
                for (int64_t oc = 0; oc < s.oc; ++oc)
                    for (int64_t kh = 0; kh < s.kernel.h; ++kh)
                        for (int64_t kw = 0; kw < s.kernel.w; ++kw) {
                            const int64_t h = oh * s.strides.h + kh * s.dilation.h - s.padding.top;
                            const int64_t w = ow * s.strides.w + kw * s.dilation.w - s.padding.left;
                            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                            for (int64_t c = 0; c < s.group_c(); ++c)
                                term(((n * s.h + h) * s.w + w) * s.c +
                                         oc / s.group_oc() * s.group_c() + c,
                                     ((kh * s.kernel.w + kw) * s.group_c() + c) * s.oc + oc,
                                     ((n * s.oh + oh) * s.ow + ow) * s.oc + oc);
                        }
}

void test_conv2d() {
    const Conv2dShape s = random_conv();
    set_conv_algorithm(pick(0, 1) ? ConvAlgorithm::kWinograd : ConvAlgorithm::kDirect);
    const int64_t x_size = s.n * s.h * s.w * s.c, y_size = s.n * s.oh * s.ow * s.oc;
    const int64_t w_size = s.kernel.h * s.kernel.w * s.group_c() * s.oc;
    const Floats x = noise(x_size), w = noise(w_size), b = noise(s.oc), dy = noise(y_size);
    Floats y(y_size), dx(x_size), dw(w_size);
    Doubles y_ref(y_size), dx_ref(x_size), dw_ref(w_size);
    for (int64_t i = 0; i < y_size; ++i) y_ref[i] = b[i % s.oc];
    for_each_product(s, [&](int64_t xi, int64_t wi, int64_t yi) {
        y_ref[yi] += double(x[xi]) * w[wi];
        dx_ref[xi] += double(dy[yi]) * w[wi];
        dw_ref[wi] += double(dy[yi]) * x[xi];
    });
    conv2d_forward(s, x.data(), w.data(), b.data(), Activation::kLinear, y.data());
    conv2d_backward_input(s, dy.data(), w.data(), dx.data());
    conv2d_backward_filter(s, x.data(), dy.data(), dw.data());
    check("conv2d_forward", text(s), y, y_ref, double(w_size) / s.oc);
    check("conv2d_backward_input", text(s), dx, dx_ref, double(w_size) / s.group_c());
    check("conv2d_backward_filter", text(s), dw, dw_ref, double(y_size) / s.oc);

    const int threads = num_threads();
    Floats y1(y_size), dx1(x_size), dw1(w_size);
    set_num_threads(1);
    conv2d_forward(s, x.data(), w.data(), b.data(), Activation::kLinear, y1.data());
    conv2d_backward_input(s, dy.data(), w.data(), dx1.data());
    conv2d_backward_filter(s, x.data(), dy.data(), dw1.data());
    set_num_threads(threads);
    check_same("conv2d_forward", y, y1);
    check_same("conv2d_backward_input", dx, dx1);
    check_same("conv2d_backward_filter", dw, dw1);
}

void test_dense() {
    const DenseShape s{pick(0, 2) ? pick(1, 40) : pick(1, 4), pick(1, 600), pick(1, 80)};
    const Floats x = noise(s.n * s.in), w = noise(s.in * s.units), dy = noise(s.n * s.units);
    Floats y(dy.size()), dx(x.size()), dw(w.size());
    Doubles y_ref(dy.size()), dx_ref(x.size()), dw_ref(w.size());
    for (int64_t n = 0; n < s.n; ++n)
        for (int64_t i = 0; i < s.in; ++i)
            for (int64_t u = 0; u < s.units; ++u) {
                y_ref[n * s.units + u] += double(x[n * s.in + i]) * w[i * s.units + u];
                dx_ref[n * s.in + i] += double(dy[n * s.units + u]) * w[i * s.units + u];
                dw_ref[i * s.units + u] += double(x[n * s.in + i]) * dy[n * s.units + u];
            }
    for (double& v : y_ref) v = std::max(v, 0.0);
    dense_forward(s, x.data(), w.data(), nullptr, Activation::kRelu, y.data());
    dense_backward_input(s, dy.data(), w.data(), dx.data());
    dense_backward_weights(s, x.data(), dy.data(), dw.data());
    const std::string shape =
        std::to_string(s.n) + " x " + std::to_string(s.in) + " x " + std::to_string(s.units);
    check("dense_forward", shape, y, y_ref, s.in);
    check("dense_backward_input", shape, dx, dx_ref, s.units);
    check("dense_backward_weights", shape, dw, dw_ref, s.n);
}

void test_maxpool2d() {
    const int64_t n = pick(1, 3), h = pick(2, 9), w = pick(2, 9), c = pick(1, 40);
    const Size2 pool{pick(1, 2), pick(1, 2)}, strides{pick(1, 3), pick(1, 3)};
    const WindowShape s = pool2d_shape("test", n, h, w, c, pool, strides, {0, 0, 0, 0});
    const Floats x = noise(n * h * w * c), dy = noise(n * s.oh * s.ow * c);
    Floats y(dy.size()), dx(x.size());
    Doubles y_ref(dy.size()), dx_ref(x.size());
    for (int64_t i = 0; i < int64_t(dy.size()); ++i) {
        const int64_t ch = i % c, ow = i / c % s.ow, oh = i / c / s.ow % s.oh,
                      image = i / c / s.ow / s.oh;
        int64_t best = -1;
        for (int64_t r = 0; r < pool.h; ++r)
            for (int64_t q = 0; q < pool.w; ++q) {
                const int64_t at =
                    ((image * h + oh * strides.h + r) * w + ow * strides.w + q) * c + ch;
                if (best < 0 || x[at] > x[best]) best = at;
            }
        y_ref[i] = x[best];
        dx_ref[best] += dy[i];
    }
    maxpool2d_forward(s, x.data(), y.data());
    maxpool2d_backward(s, x.data(), dy.data(), dx.data());
    check("maxpool2d_forward", "", y, y_ref, 0);
    check("maxpool2d_backward", "", dx, dx_ref, 4);
}

void test_elementwise() {
    const int64_t n = pick(1, 50000);
    const Floats x = noise(n), g = noise(n);
    const uint64_t first = pick(0, 1000);
    Floats whole(n), part(n);
    dropout(n, x.data(), 0.3, 7, first, whole.data());
    const int64_t cut = pick(0, n);
    dropout(cut, x.data(), 0.3, 7, first, part.data());
    dropout(n - cut, x.data() + cut, 0.3, 7, first + cut, part.data() + cut);
    check_same("dropout", whole, part);

    Floats w = x, v(n, 0.5f);
    Doubles w_ref(n);
    for (int64_t i = 0; i < n; ++i)
        w_ref[i] = x[i] - 0.01 * g[i] / std::sqrt(0.9 * 0.5 + 0.1 * g[i] * g[i] + 1e-7);
    rmsprop_update({{n, w.data(), g.data(), {v.data(), nullptr, nullptr}}},
                   {0.01f, 0.9f, 0.f, 1e-7f, 0.f, false});
    check("rmsprop", std::to_string(n), w, w_ref, 4);
}

}  // namespace

int main(int argc, char** argv) {
    const int cases = argc > 1 ? std::atoi(argv[1]) : 50;
    engine.seed(argc > 2 ? std::atoi(argv[2]) : 1);
    set_num_threads(4);
    for (const char* const* isa = simd::available_isas(); *isa; ++isa) {
        simd::set_isa(*isa);
        for (int i = 0; i < cases; ++i) {
            if (i % 2) trace::start();
            test_conv2d();
            test_dense();
            test_maxpool2d();
            test_elementwise();
            test_augment(engine);
            test_filters(engine);
            test_prediction(engine);
            trace::stop();
        }
        std::printf("%s: tile %d x %d\n", *isa, simd::kernels().mr, simd::kernels().nr);
    }
    test_threads();
    test_trace();
    std::printf("%d passed, %d failed\n", passed.load(), failed.load());
    return failed != 0;
}
