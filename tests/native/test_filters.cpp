#include "test_filters.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "counts.h"
#include "ops/bilateral_filter.h"
#include "ops/box_filter.h"
#include "ops/filter2d.h"
#include "ops/gaussian_blur.h"
#include "ops/median_blur.h"
#include "parallel.h"
#include "simd/kernels.h"

using namespace pyconv;

namespace {

// Exactly as long as an image: a sanitizer sees what is read beyond it.
template <class T>
using Pixels = std::vector<T>;

// Value (i, j, k) of an image, beyond its edges too.
template <class T>
double at(const FilterShape& s, const Pixels<T>& x, int64_t i, int64_t j, int64_t k) {
    const int64_t row = border_index(i, s.h, s.border), col = border_index(j, s.w, s.border);
    return row < 0 || col < 0 ? 0.0 : x[(row * s.w + col) * s.c + k];
}

template <class T, class Weight>
std::vector<double> correlated(const FilterShape& s, const Pixels<T>& x, const Weight& weight) {
    std::vector<double> y;
    for (int64_t i = 0; i < s.oh; ++i)
        for (int64_t j = 0; j < s.ow; ++j)
            for (int64_t k = 0; k < s.c; ++k) {
                double sum = 0;
                for (int64_t a = 0; a < s.kernel.h; ++a)
                    for (int64_t b = 0; b < s.kernel.w; ++b)
                        sum += weight(a, b) * at(s, x, i + a - s.top, j + b - s.left, k);
                y.push_back(sum);
            }
    return y;
}

template <class T>
void check(const char* what, const Pixels<T>& got, const std::vector<double>& wanted, double most) {
    double error = 0;
    for (size_t i = 0; i < got.size(); ++i)
        error = std::max(error, std::abs(got[i] - std::clamp(wanted[i], -1e9, 1e9)));
    const bool ok = got.size() == wanted.size() && error <= most;
    ++(ok ? passed : failed);
    if (!ok) std::printf("%s %s: error %g\n", simd::kernels().isa, what, error);
}

template <class T>
void test_type(std::mt19937_64& engine) {
    const auto pick = [&](int64_t low, int64_t high) {
        return std::uniform_int_distribution<int64_t>(low, high)(engine);
    };
    constexpr bool kBytes = sizeof(T) == 1;
    const double most = kBytes ? 0.51 : 1e-3;
    FilterShape s{pick(1, 40), pick(1, 80), pick(1, 2) * 2 - 1,
                  {},          0,           0,
                  0,           0,           static_cast<Border>(pick(0, 4))};
    s.kernel = {2 * pick(0, 4) + 1, 2 * pick(0, 4) + 1};
    s.top = s.kernel.h / 2, s.left = s.kernel.w / 2;
    s.oh = s.h, s.ow = s.w;
    Pixels<T> x(s.h * s.w * s.c), y(x.size());
    for (T& value : x) value = static_cast<T>(pick(0, 255));

    const int64_t cells = s.kernel.h * s.kernel.w;
    std::vector<float> kernel(cells);
    for (float& w : kernel) w = static_cast<float>(pick(0, 100)) / static_cast<float>(100 * cells);
    const PixelType type = kBytes ? PixelType::kUint8 : PixelType::kFloat32;
    filter2d(s, x.data(), type, kernel.data(), 0.f, y.data(), type);
    check("filter2d", y,
          correlated(s, x, [&](int64_t a, int64_t b) { return kernel[a * s.kernel.w + b]; }), most);

    box_filter(s, x.data(), true, y.data());
    check("box_filter", y, correlated(s, x, [&](int64_t, int64_t) { return 1.0 / cells; }), most);

    if constexpr (kBytes) {
        const auto weights = [&](int64_t n) {  // all but the middle are 8
            std::vector<uint16_t> w(n, 8);
            w[n / 2] = static_cast<uint16_t>(256 - 8 * (n - 1));
            return w;
        };
        const auto rows = weights(s.kernel.h), cols = weights(s.kernel.w);
        gaussian_blur(s, x.data(), rows.data(), cols.data(), y.data());
        check("gaussian_blur", y,
              correlated(s, x, [&](int64_t a, int64_t b) { return rows[a] * cols[b] / 65536.0; }),
              most);
    }

    const int64_t k = 2 * pick(0, 4) + 1;
    FilterShape square = s;
    square.kernel = {k, k};
    square.border = Border::kReplicate;
    median_blur(s.h, s.w, s.c, k, x.data(), y.data());
    std::vector<double> medians;
    for (int64_t i = 0; i < s.h * s.w * s.c; ++i) {
        std::vector<double> window;
        for (int64_t a = 0; a < k * k; ++a)
            window.push_back(at(square, x, i / (s.w * s.c) + a / k - k / 2,
                                i / s.c % s.w + a % k - k / 2, i % s.c));
        std::sort(window.begin(), window.end());
        medians.push_back(window[k * k / 2]);
    }
    check("median_blur", y, medians, 0);

    // Colours hardly matter: a round mean.
    s.kernel = {5, 5};
    s.top = s.left = 2;
    bilateral_filter(s, {2, 1e6, 1e6}, x.data(), type, y.data());
    check("bilateral_filter", y,
          correlated(s, x,
                     [](int64_t a, int64_t b) {
                         return (a - 2) * (a - 2) + (b - 2) * (b - 2) <= 4 ? 1.0 / 13 : 0.0;
                     }),
          most);

    Pixels<T> alone(x.size());
    const int threads = num_threads();
    set_num_threads(1);
    bilateral_filter(s, {2, 1e6, 1e6}, x.data(), type, alone.data());
    set_num_threads(threads);
    ++(alone == y ? passed : failed);
}

}  // namespace

void test_filters(std::mt19937_64& engine) {
    test_type<uint8_t>(engine);
    test_type<float>(engine);
}
