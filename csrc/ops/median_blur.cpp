// Windows of up to 7x7 by networks over vectors of pixels; of more bytes by a histogram that
// moves along the row (Huang, Yang and Tang, "A fast two-dimensional median filtering algorithm",
// 1979).

#include "ops/median_blur.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kBandRows = 32;  // neighbours pad the rows between them twice
constexpr int64_t kNetwork = 7;    // the largest window for the networks
constexpr int64_t kSlack = 256;    // whole vectors are read and written

void network(int64_t k, int64_t n, int64_t c, const uint8_t* const* x, uint8_t* y) {
    simd::kernels().filters.median_u8(static_cast<int>(k), n, c, x, y);
}
void network(int64_t k, int64_t n, int64_t c, const float* const* x, float* y) {
    simd::kernels().filters.median_f32(static_cast<int>(k), n, c, x, y);
}

// Channel ch of a row of results; rows (k) are padded.
void select(int64_t w, int64_t c, int64_t ch, int64_t k, const uint8_t* const* rows, uint8_t* y) {
    int32_t counts[256] = {};
    int median = 0;
    int64_t less = 0;  // values of the window below the median so far
    const int64_t half = k * k / 2;
    for (int64_t j = 0; j < k - 1; ++j)
        for (int64_t a = 0; a < k; ++a) ++counts[rows[a][j * c + ch]];
    for (int64_t j = 0; j < w; ++j) {
        const int64_t in = (j + k - 1) * c + ch, out = (j - 1) * c + ch;
        for (int64_t a = 0; a < k; ++a) {
            const uint8_t value = rows[a][in];
            ++counts[value];
            less += value < median;
        }
        if (j > 0) {
            for (int64_t a = 0; a < k; ++a) {
                const uint8_t value = rows[a][out];
                --counts[value];
                less -= value < median;
            }
        }
        while (less > half) less -= counts[--median];
        while (less + counts[median] <= half) less += counts[median++];
        y[j * c + ch] = static_cast<uint8_t>(median);
    }
}

void select(int64_t w, int64_t c, int64_t ch, int64_t k, const float* const* rows, float* y) {
    Scratch scratch;
    float* window = scratch.take<float>(k * k);
    for (int64_t j = 0; j < w; ++j) {
        float* to = window;
        for (int64_t a = 0; a < k; ++a)
            for (int64_t b = 0; b < k; ++b) *to++ = rows[a][(j + b) * c + ch];
        // NaN last, so that there is an order
        std::nth_element(window, window + k * k / 2, window + k * k,
                         [](float p, float q) { return p < q || (p == p && q != q); });
        y[j * c + ch] = window[k * k / 2];
    }
}

template <class T>
void run(int64_t h, int64_t w, int64_t c, int64_t k, const T* x, T* y) {
    const int64_t n = w * c, before = k / 2 * c, ld = n + (k - 1) * c + kSlack;
    parallel_for(ceil_div(h, kBandRows), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        T* padded = scratch.take<T>((kBandRows + k - 1) * ld);
        T* line = scratch.take<T>(n + kSlack);
        const T** rows = scratch.take<const T*>(kBandRows + k - 1);
        for (int64_t band = begin; band < end; ++band) {
            const int64_t top = band * kBandRows, count = std::min(kBandRows, h - top);
            for (int64_t a = 0; a < count + k - 1; ++a) {
                T* row = padded + a * ld;
                std::memcpy(row + before, x + std::clamp<int64_t>(top + a - k / 2, 0, h - 1) * n,
                            sizeof(T) * n);
                fill_border(row + before, w, c, k / 2, k / 2, Border::kReplicate);
                rows[a] = row;
            }
            for (int64_t i = 0; i < count; ++i) {
                T* to = y + (top + i) * n;
                if (k <= kNetwork) {
                    network(k, n, c, rows + i, line);
                    std::memcpy(to, line, sizeof(T) * n);
                } else {
                    for (int64_t ch = 0; ch < c; ++ch) select(w, c, ch, k, rows + i, to);
                }
            }
        }
    });
}

}  // namespace

void median_blur(int64_t h, int64_t w, int64_t c, int64_t k, const uint8_t* x, uint8_t* y) {
    if (k == 1) {
        std::memcpy(y, x, h * w * c);
    } else {
        run(h, w, c, k, x, y);
    }
}

void median_blur(int64_t h, int64_t w, int64_t c, int64_t k, const float* x, float* y) {
    if (k == 1) {
        std::memcpy(y, x, sizeof(float) * h * w * c);
    } else {
        run(h, w, c, k, x, y);
    }
}

}  // namespace pyconv
