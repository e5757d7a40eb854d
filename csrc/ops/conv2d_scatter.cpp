#include "ops/conv2d_scatter.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "ops/conv_taps.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

constexpr int64_t kBlockTiles = 16;
constexpr int64_t kBandRows = 16;

int64_t columns(const Conv2dShape& s) { return s.kernel.h * s.kernel.w * s.c; }

// parts (pixels, width) = dy (pixels, oc) x panels (oc, nr), one beside the other
void multiply(const float* dy, int64_t pixels, int64_t oc, const float* panels, int64_t width,
              float* parts) {
    const simd::Kernels& k = simd::kernels();
    const int64_t tiles = pixels / k.mr, offset = 0;
    const int rest = static_cast<int>(pixels % k.mr);
    for (int64_t column = 0; column < width; column += k.nr, panels += oc * k.nr) {
        for (int64_t k0 = 0; k0 < oc; k0 += kMaxK) {
            const int64_t kc = std::min(kMaxK, oc - k0);
            const int flags = k0 > 0 ? simd::kAccumulate : 0;
            const float* b = panels + k0 * k.nr;
            k.tile_row(tiles * k.mr, k.nr, 1, kc, dy + k0, oc, &offset, b, nullptr, parts + column,
                       width, flags);
            if (rest == 0) continue;
            const float* a[kMaxTileRows];
            float* y[kMaxTileRows];
            for (int i = 0; i < rest; ++i) {
                a[i] = dy + (tiles * k.mr + i) * oc;
                y[i] = parts + (tiles * k.mr + i) * width + column;
            }
            k.tile(rest, k.nr, 1, kc, a, k0, nullptr, 0, b, k.nr, nullptr, y, flags);
        }
    }
}

// Adds the parts of output pixel (oh, ow) to those cells of its window in rows h0 .. h1.
void scatter(const Conv2dShape& s, int64_t oh, int64_t ow, int64_t h0, int64_t h1,
             const float* part, float* image) {
    const int64_t top = oh * s.strides.h - s.padding.top;
    const int64_t left = ow * s.strides.w - s.padding.left;
    // Inside the image a filter row is one run of floats.
    const bool whole = s.dilation.w == 1 && left >= 0 && left + s.kernel.w <= s.w;
    const int64_t cells = whole ? 1 : s.kernel.w, run = whole ? s.kernel.w * s.c : s.c;
    for (int64_t kh = 0; kh < s.kernel.h; ++kh) {
        const int64_t h = top + kh * s.dilation.h;
        if (h < h0 || h >= h1) {
            part += s.kernel.w * s.c;
            continue;
        }
        for (int64_t i = 0; i < cells; ++i, part += run) {
            const int64_t w = left + i * s.dilation.w;
            if (w < 0 || w >= s.w) continue;
            float* cell = image + (h * s.w + w) * s.c;
            for (int64_t c = 0; c < run; ++c) cell[c] += part[c];
        }
    }
}

}  // namespace

bool scatter_pays(const Conv2dShape& s) {
    return s.groups == 1 && 2 * s.c <= simd::kernels().lanes && s.kernel.h * s.kernel.w > 1;
}

// (panels, oc, nr)
const float* scatter_filters(const Conv2dShape& s, const float* w, Workspace& workspace) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(columns(s), k.nr);
    float* packed = workspace.take<float>(s.oc * panels * k.nr);
    for (int64_t p = 0; p < panels; ++p)
        k.pack_panel_transposed(s.oc,
                                static_cast<int>(std::min<int64_t>(k.nr, columns(s) - p * k.nr)),
                                w + p * k.nr * s.oc, s.oc, packed + p * s.oc * k.nr);
    return packed;
}

void scatter_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                            const float* filters, float* dx) {
    const simd::Kernels& k = simd::kernels();
    const int64_t width = ceil_div(columns(s), k.nr) * k.nr;
    const int64_t block = kBlockTiles * k.mr, pixels = s.oh * s.ow;
    // Windows overlap, so that one thread takes a whole image, or of few images bands of rows,
    // whose neighbours multiply the output rows between them twice.
    const int64_t bands = images >= 2 * num_threads() ? 1 : ceil_div(s.h, kBandRows);
    const int64_t extent = (s.kernel.h - 1) * s.dilation.h;
    parallel_for(images * bands, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* parts = scratch.take<float>(block * width);
        for (int64_t task = begin; task < end; ++task) {
            const int64_t n = task / bands, band = task % bands;
            const int64_t h0 = s.h * band / bands, h1 = s.h * (band + 1) / bands;
            float* image = dx + n * s.h * s.w * s.c;
            std::memset(image + h0 * s.w * s.c, 0, sizeof(float) * (h1 - h0) * s.w * s.c);
            const int64_t row0 =
                std::max<int64_t>(0, ceil_div(h0 + s.padding.top - extent, s.strides.h));
            const int64_t row1 = std::min(s.oh, floor_div(h1 - 1 + s.padding.top, s.strides.h) + 1);
            for (int64_t first = row0 * s.ow; first < row1 * s.ow; first += block) {
                const int64_t count = std::min(block, row1 * s.ow - first);
                multiply(dy + (n * pixels + first) * s.oc, count, s.oc, filters, width, parts);
                int64_t oh = first / s.ow, ow = first % s.ow;
                for (int64_t i = 0; i < count; ++i) {
                    scatter(s, oh, ow, h0, h1, parts + i * width, image);
                    if (++ow == s.ow) ++oh, ow = 0;
                }
            }
        }
    });
}

}  // namespace pyconv
