// Tomasi and Manduchi, "Bilateral filtering for gray and color images", 1998.

#include "ops/bilateral_filter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kBandRows = 16;
constexpr int64_t kMaxChannels = 3;
constexpr int64_t kSlack = 64;  // whole vectors are read and written
constexpr double kLog2E = 1.4426950408889634;

// A padded row, each of whose channels becomes a plane.
template <class T>
void split_row(const FilterShape& s, const T* row, float* const* planes) {
    for (int64_t k = 0; k < s.c; ++k) {
        float* to = planes[k] + s.left;
        for (int64_t j = 0; j < s.w; ++j) to[j] = static_cast<float>(row[j * s.c + k]);
        fill_border(to, s.w, 1, s.left, s.right(), s.border);
    }
}

void store(int64_t n, const float* line, uint8_t* y) {
    simd::kernels().filters.round_u8(n, line, y);
}
void store(int64_t n, const float* line, float* y) { std::copy_n(line, n, y); }

template <class T>
void run(const FilterShape& s, const BilateralParams& p, const T* x, T* y) {
    const int64_t ld = s.w + s.kernel.w - 1 + kSlack, rows = kBandRows + s.kernel.h - 1;
    std::vector<int64_t> offsets;  // from the first cell of a window
    std::vector<float> space;
    for (int64_t i = -p.radius; i <= p.radius; ++i) {
        for (int64_t j = -p.radius; j <= p.radius; ++j) {
            const int64_t square = i * i + j * j;
            if (square > p.radius * p.radius) continue;
            offsets.push_back(i * ld + j);
            space.push_back(static_cast<float>(-kLog2E * static_cast<double>(square) /
                                               (2 * p.sigma_space * p.sigma_space)));
        }
    }
    const float colour = static_cast<float>(-kLog2E / (2 * p.sigma_colour * p.sigma_colour));
    parallel_for(ceil_div(s.oh, kBandRows), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        T* zeros = scratch.take<T>(s.line());
        std::fill_n(zeros, s.line(), T{0});
        const SourceRows<T> source(s, x, zeros);
        float* padded = scratch.take<float>(s.c * rows * ld);  // (c, rows, ld)
        float* line = scratch.take<float>(s.ow * s.c);
        float *planes[kMaxChannels], *sums[kMaxChannels];
        for (int64_t k = 0; k < s.c; ++k) sums[k] = scratch.take<float>(s.ow + kSlack);
        for (int64_t band = begin; band < end; ++band) {
            const int64_t top = band * kBandRows, count = std::min(kBandRows, s.oh - top);
            for (int64_t a = 0; a < count + s.kernel.h - 1; ++a) {
                for (int64_t k = 0; k < s.c; ++k) planes[k] = padded + (k * rows + a) * ld;
                split_row(s, source[top + a], planes);
            }
            for (int64_t i = 0; i < count; ++i) {
                const float* centres[kMaxChannels];
                for (int64_t k = 0; k < s.c; ++k)
                    centres[k] = padded + (k * rows + i + p.radius) * ld + p.radius;
                simd::kernels().filters.bilateral(static_cast<int>(s.c), s.ow,
                                                  static_cast<int>(offsets.size()), centres,
                                                  offsets.data(), space.data(), colour, sums);
                for (int64_t k = 0; k < s.c; ++k)
                    for (int64_t j = 0; j < s.ow; ++j) line[j * s.c + k] = sums[k][j];
                store(s.ow * s.c, line, y + (top + i) * s.ow * s.c);
            }
        }
    });
}

}  // namespace

void bilateral_filter(const FilterShape& s, const BilateralParams& p, const void* x, PixelType type,
                      void* y) {
    if (type == PixelType::kUint8) {
        run(s, p, static_cast<const uint8_t*>(x), static_cast<uint8_t*>(y));
    } else {
        run(s, p, static_cast<const float*>(x), static_cast<float*>(y));
    }
}

}  // namespace pyconv
