#include "ops/conv2d_col2im.h"

#include <algorithm>
#include <vector>

#include "check.h"
#include "ops/conv_taps.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

constexpr int64_t kBandRows = 16;
constexpr int64_t kPartFloats = 1 << 17;  // that lie in the second cache

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

// Cells first .. end of a phase, those of a row of the image that lie a stride apart, which a tap
// reaches: each from the result after that of the cell before.
struct TapCells {
    const float* parts;  // of the tap, at the result of cell `first`
    int64_t first, end;
};

// Rows h0 .. h1 of an image, of which parts (rows from row0 on, ow, width) hold all that they need.
class Rows {
public:
    Rows(const Conv2dShape& s, int64_t width) : s_(s), width_(width) {}

    void sum(const float* parts, int64_t row0, int64_t h0, int64_t h1, float* image) {
        for (int64_t h = h0; h < h1; ++h)
            for (int64_t phase = 0; phase < std::min(s_.strides.w, s_.w); ++phase) {
                find_taps(parts, row0, h, phase);
                sum_phase(image + (h * s_.w + phase) * s_.c, ceil_div(s_.w - phase, s_.strides.w));
            }
    }

private:
    void find_taps(const float* parts, int64_t row0, int64_t h, int64_t phase) {
        taps_.clear();
        ends_.clear();
        const int64_t cells = ceil_div(s_.w - phase, s_.strides.w);
        for (int64_t kh = 0; kh < s_.kernel.h; ++kh) {
            const int64_t top = h + s_.padding.top - kh * s_.dilation.h;
            const int64_t oh = floor_div(top, s_.strides.h);
            if (floor_mod(top, s_.strides.h) != 0 || oh < 0 || oh >= s_.oh) continue;
            for (int64_t kw = 0; kw < s_.kernel.w; ++kw) {
                const int64_t left = phase + s_.padding.left - kw * s_.dilation.w;
                if (floor_mod(left, s_.strides.w) != 0) continue;
                const int64_t ow = floor_div(left, s_.strides.w);  // that cell 0 would meet
                const int64_t first = std::clamp<int64_t>(-ow, 0, cells);
                const int64_t end = std::clamp(s_.ow - ow, first, cells);
                if (first == end) continue;
                const float* tap = parts + (kh * s_.kernel.w + kw) * s_.c;
                taps_.push_back({tap + ((oh - row0) * s_.ow + ow + first) * width_, first, end});
                ends_.push_back(first);
                ends_.push_back(end);
            }
        }
        ends_.push_back(cells);
        std::sort(ends_.begin(), ends_.end());
    }

    // Runs of cells that the same taps reach.
    void sum_phase(float* cells, int64_t count) {
        for (int64_t first = 0, i = 0; first < count; first = ends_[i]) {
            while (ends_[i] <= first) ++i;
            sources_.clear();
            for (const TapCells& tap : taps_)
                if (tap.first <= first && first < tap.end)
                    sources_.push_back(tap.parts + (first - tap.first) * width_);
            const int64_t step = s_.strides.w * s_.c;
            simd::kernels().sum_parts(ends_[i] - first, static_cast<int>(s_.c),
                                      static_cast<int>(sources_.size()), sources_.data(), width_,
                                      cells + first * step, step);
        }
    }

    const Conv2dShape& s_;
    const int64_t width_;
    std::vector<TapCells> taps_;
    std::vector<int64_t> ends_;  // cells at which the taps that reach them change
    std::vector<const float*> sources_;
};

}  // namespace

bool col2im_pays(const Conv2dShape& s) {
    return s.groups == 1 && 2 * s.c <= simd::kernels().lanes && s.kernel.h * s.kernel.w > 1;
}

// (panels, oc, nr)
const float* col2im_filters(const Conv2dShape& s, const float* w, Workspace& workspace) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(columns(s), k.nr);
    float* packed = workspace.take<float>(s.oc * panels * k.nr);
    for (int64_t p = 0; p < panels; ++p)
        k.pack_panel_transposed(s.oc,
                                static_cast<int>(std::min<int64_t>(k.nr, columns(s) - p * k.nr)),
                                w + p * k.nr * s.oc, s.oc, packed + p * s.oc * k.nr);
    return packed;
}

void col2im_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                           const float* filters, float* dx) {
    const simd::Kernels& k = simd::kernels();
    const int64_t width = ceil_div(columns(s), k.nr) * k.nr;
    const int64_t extent = (s.kernel.h - 1) * s.dilation.h;
    // Neighbouring bands of rows both multiply the results between them, so that they are as large
    // as the second cache allows, or with few images as the threads do.
    const int64_t rows = std::max(kPartFloats / (s.ow * width) * s.strides.h - extent, kBandRows);
    const int64_t band_rows = images >= 2 * num_threads() ? rows : std::min(rows, kBandRows);
    const int64_t bands = ceil_div(s.h, band_rows);
    const int64_t most = std::min(s.oh, (ceil_div(s.h, bands) + extent) / s.strides.h + 1);
    parallel_for(images * bands, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* parts = scratch.take<float>(most * s.ow * width + k.lanes);
        Rows cells(s, width);
        for (int64_t task = begin; task < end; ++task) {
            const int64_t n = task / bands, band = task % bands;
            const int64_t h0 = s.h * band / bands, h1 = s.h * (band + 1) / bands;
            const int64_t row0 =
                std::clamp<int64_t>(ceil_div(h0 + s.padding.top - extent, s.strides.h), 0, s.oh);
            const int64_t row1 =
                std::clamp(floor_div(h1 - 1 + s.padding.top, s.strides.h) + 1, row0, s.oh);
            multiply(dy + (n * s.oh + row0) * s.ow * s.oc, (row1 - row0) * s.ow, s.oc, filters,
                     width, parts);
            cells.sum(parts, row0, h0, h1, dx + n * s.h * s.w * s.c);
        }
    });
}

}  // namespace pyconv
