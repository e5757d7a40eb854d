#include "test_augment.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "counts.h"
#include "ops/augment.h"
#include "simd/kernels.h"

using namespace pyconv;

namespace {

// The value between cells of x (h, w, c), whose edge goes on beyond it.
double value_at(const std::vector<float>& x, const ImageBatch& s, double row, double column,
                int64_t k) {
    const double top = std::floor(row), left = std::floor(column);
    const auto cell = [&](double r, double q) {
        const int64_t i = static_cast<int64_t>(std::clamp(r, 0.0, double(s.h - 1)));
        const int64_t j = static_cast<int64_t>(std::clamp(q, 0.0, double(s.w - 1)));
        return static_cast<double>(x[(i * s.w + j) * s.c + k]);
    };
    const double down = row - top, right = column - left;
    return (cell(top, left) * (1 - right) + cell(top, left + 1) * right) * (1 - down) +
           (cell(top + 1, left) * (1 - right) + cell(top + 1, left + 1) * right) * down;
}

}  // namespace

void test_augment(std::mt19937_64& engine) {
    const auto pick = [&](int64_t low, int64_t high) {
        return std::uniform_int_distribution<int64_t>(low, high)(engine);
    };
    std::normal_distribution<float> normal;
    const ImageBatch s{1, pick(1, 40), pick(1, 40), pick(1, 4)};
    std::vector<float> x(s.h * s.w * s.c), y(x.size());
    for (float& v : x) v = normal(engine);
    double matrix[] = {1, 0, 0, 0, 1, 0};
    for (double& v : matrix) v += 0.4 * normal(engine);
    matrix[2] += pick(-9, 9);
    matrix[5] += pick(-9, 9);
    AugmentStage stage{AugmentStage::kAffine, s.h, s.w};
    stage.matrices = matrix;
    stage.outside.mode = Outside::kNearest;
    augment(s, x.data(), RowType::kFloat32, nullptr, {stage}, y.data());
    double error = 0;
    for (int64_t i = 0; i < s.h; ++i)
        for (int64_t j = 0; j < s.w; ++j)
            for (int64_t k = 0; k < s.c; ++k)
                error = std::max(error,
                                 std::abs(y[(i * s.w + j) * s.c + k] -
                                          value_at(x, s, matrix[0] * i + matrix[1] * j + matrix[2],
                                                   matrix[3] * i + matrix[4] * j + matrix[5], k)));
    const bool ok = error < 5e-5;
    ++(ok ? passed : failed);
    if (!ok)
        std::printf("%s warp of %d x %d x %d: error %g\n", simd::kernels().isa, int(s.h), int(s.w),
                    int(s.c), error);
}
