// The image is cut into tiles of 2x2 outputs. A tile's inputs, the filters and the outputs are
// transformed to 9 or 16 points each, between which the convolution is a matrix product a point
// over the channels: M[p] (tiles, oc) = V[p] (tiles, c) x U[p] (c, oc).

#include "ops/conv2d_winograd.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "check.h"
#include "ops/conv_taps.h"
#include "ops/far_results.h"
#include "ops/winograd_tiling.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

constexpr int64_t kMinChannels = 16;     // below, the transforms cost what the products save
constexpr int64_t kMinTiles = 32;        // below, the transform of the filters does
constexpr double kMinSaving = 1.4;       // of products, where tiles reach beyond the image
constexpr int64_t kBlockFloats = 65536;  // of the transformed input of a block

std::atomic<ConvAlgorithm> algorithm{ConvAlgorithm::kAuto};

// U (points, panels, c, nr): the transformed filters. `transposed` takes w (r, r, oc, c) instead
// of (r, r, c, oc), and turns it by half a turn, as the input gradient needs it.
const float* transform_filters(const simd::WinogradKernels& wk, int64_t c, int64_t oc,
                               const float* w, bool transposed, Workspace& workspace) {
    const simd::Kernels& k = simd::kernels();
    const int64_t points = wk.size * wk.size, taps = (wk.size - 1) * (wk.size - 1);
    const int64_t panels = ceil_div(oc, k.nr), panel = c * k.nr;
    float* u = workspace.take<float>(points * panels * panel);
    parallel_for(panels, [&](int64_t begin, int64_t end) {
        Scratch local;
        float* packed = local.take<float>(taps * panel);
        for (int64_t p = begin; p < end; ++p) {
            const int n = static_cast<int>(std::min<int64_t>(k.nr, oc - p * k.nr));
            for (int64_t tap = 0; tap < taps; ++tap) {
                if (transposed) {
                    k.pack_panel_transposed(c, n, w + (taps - 1 - tap) * c * oc + p * k.nr * c, c,
                                            packed + tap * panel);
                } else {
                    k.pack_panel(c, n, w + tap * c * oc + p * k.nr, oc, packed + tap * panel);
                }
            }
            wk.filter(panel, packed, panel, u + p * panel, panels * panel);
        }
    });
    return u;
}

// One block of tiles: its V, and the M of one panel of channels.
class Block {
public:
    Block(const WinogradTiling& g, const simd::WinogradKernels& wk, int64_t tiles, Scratch& scratch)
        : g_(g),
          wk_(wk),
          points_(wk.size * wk.size),
          v_plane_(tiles * g.c + kWinogradPlanePad),
          m_plane_(tiles * simd::kernels().nr + kWinogradPlanePad),
          v_(scratch.take<float>(points_ * v_plane_)),
          m_(scratch.take<float>(points_ * m_plane_)) {}

    void transform(const float* src, int64_t first, int64_t count) {
        first_ = first;
        count_ = count;
        g_.each_run(
            first, count, [&](int64_t at, int64_t image, int64_t i, int64_t j, int64_t tiles) {
                const float* values[kWinogradMaxSize];
                const simd::TileRow row = g_.source_run(src, wk_.size, image, i, j, tiles, values);
                wk_.input(row, g_.c, values, v_ + at * g_.c, g_.c, v_plane_, 16);
            });
        // Whole tiles of the product.
        const int mr = simd::kernels().mr;
        rows_ = ceil_div(count, mr) * mr;
        for (int64_t p = 0; p < points_; ++p)
            std::memset(v_ + p * v_plane_ + count * g_.c, 0,
                        sizeof(float) * (rows_ - count) * g_.c);
    }

    // u (points, c, nr), points u_plane apart; n channels of the result. Asks for the block's lines
    // of dst unless that is null.
    void multiply(const float* u, int64_t u_plane, int n, const float* dst) {
        const simd::Kernels& k = simd::kernels();
        const int vectors = static_cast<int>(ceil_div(n, k.lanes)) * k.lanes;
        const int64_t offset = 0;
        for (int64_t p = 0; p < points_; ++p) {
            if (dst) write_ahead(dst, count_ * p / points_, count_ * (p + 1) / points_);
            for (int64_t c0 = 0; c0 < g_.c; c0 += kMaxK)
                k.tile_row(rows_, vectors, 1, std::min(kMaxK, g_.c - c0), v_ + p * v_plane_ + c0,
                           g_.c, &offset, u + p * u_plane + c0 * k.nr, nullptr, m_ + p * m_plane_,
                           k.nr, c0 > 0 ? simd::kAccumulate : 0);
        }
    }

    // The largest of each tile: y and winners (n, oh / 2, ow / 2, oc).
    void finish_pooled(const float* bias, int n, int flags, float* y, float* winners) const {
        const int nr = simd::kernels().nr;
        const int64_t rows = g_.oh / 2, cols = g_.ow / 2;
        g_.each_run(
            first_, count_, [&](int64_t at, int64_t image, int64_t i, int64_t j, int64_t tiles) {
                if (i >= rows) return;
                const int64_t to = ((image * rows + i) * cols + j) * g_.oc;
                wk_.output_pooled(std::min(tiles, cols - j), n, m_ + at * nr, nr, m_plane_, bias,
                                  y + to, winners ? winners + to : nullptr, g_.oc, flags);
            });
    }

    void finish(const float* bias, int n, int flags, float* dst) const {
        const int nr = simd::kernels().nr;
        g_.each_run(
            first_, count_, [&](int64_t at, int64_t image, int64_t i, int64_t j, int64_t tiles) {
                float* values[2];
                const simd::TileRow row = g_.destination_run(dst, image, i, j, tiles, values);
                wk_.output(row, n, m_ + at * nr, nr, m_plane_, bias, values, flags);
            });
    }

private:
    // Tiles begin .. end of the block.
    void write_ahead(const float* dst, int64_t begin, int64_t end) const {
        g_.each_run(
            first_ + begin, end - begin,
            [&](int64_t, int64_t image, int64_t i, int64_t j, int64_t tiles) {
                const float* values[2];
                const simd::TileRow row = g_.destination_run(dst, image, i, j, tiles, values);
                const int64_t cells = std::min(2 * tiles, row.width - row.col);
                for (const float* r : values)
                    if (r) simd::kernels().write_ahead(1, cells * row.ld, r + row.col * row.ld, 0);
            });
    }

    const WinogradTiling& g_;
    const simd::WinogradKernels& wk_;
    const int64_t points_, v_plane_, m_plane_;
    float* v_;  // (points, tiles, c)
    float* m_;  // (points, tiles, nr)
    int64_t first_ = 0, count_ = 0, rows_ = 0;
};

// finish(block, column, n) takes the product with channels column .. column + n.
template <class Finish>
void multiply(const WinogradTiling& g, const simd::WinogradKernels& wk, const float* src,
              const float* u, const float* dst, const Finish& finish) {
    if (g.tiles() == 0) return;
    const simd::Kernels& k = simd::kernels();
    const int64_t points = wk.size * wk.size, unit = 4 * k.mr;  // tiles
    const int64_t most = std::clamp<int64_t>(kBlockFloats / (points * g.c) / unit, 1, 8) * unit;
    // As many blocks for each thread, of equal size.
    const int64_t share = ceil_div(g.tiles(), num_threads());
    const int64_t block = ceil_div(ceil_div(share, ceil_div(share, most)), k.mr) * k.mr;
    const int64_t panels = ceil_div(g.oc, k.nr), u_panel = g.c * k.nr;
    const bool far = dst && is_far(g.n * g.oh * g.ow * g.oc);
    parallel_for(ceil_div(g.tiles(), block), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        Block tiles(g, wk, block, scratch);
        for (int64_t b = begin; b < end; ++b) {
            const int64_t first = b * block;
            tiles.transform(src, first, std::min(block, g.tiles() - first));
            for (int64_t panel = 0; panel < panels; ++panel) {
                const int64_t column = panel * k.nr;
                const int n = static_cast<int>(std::min<int64_t>(k.nr, g.oc - column));
                tiles.multiply(u + panel * u_panel, panels * u_panel, n,
                               far && panel == 0 ? dst : nullptr);
                finish(tiles, column, n);
            }
        }
    });
}

int flags_of(Activation activation) { return activation == Activation::kRelu ? simd::kRelu : 0; }

}  // namespace

void set_conv_algorithm(ConvAlgorithm choice) { algorithm.store(choice); }
ConvAlgorithm conv_algorithm() { return algorithm.load(); }

bool uses_winograd(const Conv2dShape& s) {
    const ConvAlgorithm choice = algorithm.load(std::memory_order_relaxed);
    const bool applies = s.kernel.h == s.kernel.w && (s.kernel.h == 2 || s.kernel.h == 3) &&
                         s.strides.h == 1 && s.strides.w == 1 && s.dilation.h == 1 &&
                         s.dilation.w == 1 && s.groups == 1;
    if (!applies || choice == ConvAlgorithm::kDirect) return false;
    if (choice == ConvAlgorithm::kWinograd) return true;
    const WinogradTiling g = winograd_tiling(s);
    const double direct = static_cast<double>(s.kernel.h * s.kernel.w) * s.oh * s.ow;
    const double points = static_cast<double>((s.kernel.h + 1) * (s.kernel.w + 1));
    return s.c >= kMinChannels && s.oc >= kMinChannels && g.tiles() >= kMinTiles &&
           direct >= kMinSaving * points * g.rows() * g.cols();
}

const float* winograd_filters(const Conv2dShape& s, const float* w, Workspace& workspace) {
    return transform_filters(winograd_kernels(s), s.c, s.oc, w, false, workspace);
}

void winograd_forward(const Conv2dShape& s, int64_t images, const float* x, const float* filters,
                      const float* b, Activation activation, float* y) {
    WinogradTiling g = winograd_tiling(s);
    g.n = images;
    multiply(g, winograd_kernels(s), x, filters, y, [&](const Block& block, int64_t column, int n) {
        block.finish(b ? b + column : nullptr, n, flags_of(activation), y + column);
    });
}

void winograd_forward_pooled(const Conv2dShape& s, int64_t images, const float* x,
                             const float* filters, const float* b, Activation activation, float* y,
                             float* winners) {
    WinogradTiling g = winograd_tiling(s);
    g.n = images;
    multiply(g, winograd_kernels(s), x, filters, nullptr,
             [&](const Block& block, int64_t column, int n) {
                 block.finish_pooled(b ? b + column : nullptr, n, flags_of(activation), y + column,
                                     winners ? winners + column : nullptr);
             });
}

const float* winograd_backward_filters(const Conv2dShape& s, const float* w, Workspace& workspace) {
    return transform_filters(winograd_kernels(s), s.oc, s.c, w, true, workspace);
}

void winograd_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                             const float* filters, float* dx) {
    const int64_t reach = s.kernel.h - 1;
    const WinogradTiling g{images, s.oh, s.ow, s.oc, reach - s.padding.top, reach - s.padding.left,
                           s.h,    s.w,  s.c};
    multiply(g, winograd_kernels(s), dy, filters, dx,
             [&](const Block& block, int64_t column, int n) {
                 block.finish(nullptr, n, 0, dx + column);
             });
}

}  // namespace pyconv
