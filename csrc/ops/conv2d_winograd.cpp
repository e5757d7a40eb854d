// The image is cut into tiles of 2x2 outputs. A tile's 4x4 inputs, the filters and the outputs
// are transformed to 16 values each, between which the convolution is 16 matrix products over
// the channels: M[p] (tiles, oc) = V[p] (tiles, c) x U[p] (c, oc).

#include "ops/conv2d_winograd.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

constexpr int kPoints = 16;
constexpr int64_t kMinChannels = 32;       // below, the transforms cost what the products save
constexpr int64_t kBlockFloats = 65536;    // of the transformed input of a block
constexpr int64_t kBatchFloats = 1 << 19;  // of both operands of the filter gradient
constexpr int64_t kGroup = 16;             // channels that lie together, a cache line

std::atomic<ConvAlgorithm> algorithm{ConvAlgorithm::kAuto};

// A source (n, h, w, c), padded, and a destination (n, oh, ow, oc) in tiles of 2x2.
struct Tiling {
    int64_t n, h, w, c, top, left, oh, ow, oc;

    int64_t rows() const { return ceil_div(oh, 2); }
    int64_t cols() const { return ceil_div(ow, 2); }
    int64_t tiles() const { return n * rows() * cols(); }

    // The size x size values of tile t, from pixel (2i - top, 2j - left) of an image (h, w, c)
    // on; `outside` stands for pixels that the image has not.
    template <int size, class Float>
    static void point(int64_t tile, int64_t rows, int64_t cols, int64_t top, int64_t left,
                      int64_t h, int64_t w, int64_t c, Float* image, Float* outside,
                      Float** values) {
        const int64_t i = tile / cols % rows * 2 - top, j = tile % cols * 2 - left;
        Float* base = image + tile / cols / rows * h * w * c;
        for (int64_t r = 0; r < size; ++r)
            for (int64_t q = 0; q < size; ++q) {
                const bool inside = i + r >= 0 && i + r < h && j + q >= 0 && j + q < w;
                values[r * size + q] = inside ? base + ((i + r) * w + j + q) * c : outside;
            }
    }
    void inputs(int64_t tile, const float* src, const float* zeros, const float** values) const {
        point<4>(tile, rows(), cols(), top, left, h, w, c, src, zeros, values);
    }
    template <class Float>
    void outputs(int64_t tile, Float* dst, Float* outside, Float** values) const {
        point<2>(tile, rows(), cols(), 0, 0, oh, ow, oc, dst, outside, values);
    }
};

Tiling forward_tiling(const Conv2dShape& s) {
    return {s.n, s.h, s.w, s.c, s.padding.top, s.padding.left, s.oh, s.ow, s.oc};
}

const float* zero_floats(int64_t count, Scratch& scratch) {
    float* zeros = scratch.take<float>(count);
    std::memset(zeros, 0, sizeof(float) * count);
    return zeros;
}

// U (16, panels, c, nr): the transformed filters. `transposed` takes w (3, 3, oc, c) instead of
// (3, 3, c, oc), and turns it by half a turn, as the input gradient needs it.
const float* transform_filters(int64_t c, int64_t oc, const float* w, bool transposed,
                               Scratch& scratch) {
    const simd::Kernels& k = simd::kernels();
    const int64_t panels = ceil_div(oc, k.nr), panel = c * k.nr;
    float* u = scratch.take<float>(kPoints * panels * panel);
    parallel_for(panels, [&](int64_t begin, int64_t end) {
        Scratch local;
        float* packed = local.take<float>(9 * panel);
        for (int64_t p = begin; p < end; ++p) {
            const int n = static_cast<int>(std::min<int64_t>(k.nr, oc - p * k.nr));
            for (int64_t tap = 0; tap < 9; ++tap) {
                if (transposed) {
                    k.pack_panel_transposed(c, n, w + (8 - tap) * c * oc + p * k.nr * c, c,
                                            packed + tap * panel);
                } else {
                    k.pack_panel(c, n, w + tap * c * oc + p * k.nr, oc, packed + tap * panel);
                }
            }
            k.winograd_filter(panel, packed, panel, u + p * panel, panels * panel);
        }
    });
    return u;
}

void multiply(const Tiling& g, const float* src, const float* u, const float* bias,
              Activation activation, float* dst) {
    const simd::Kernels& k = simd::kernels();
    const int64_t unit = 4 * k.mr;  // tiles
    const int64_t block = std::clamp<int64_t>(kBlockFloats / (kPoints * g.c) / unit, 1, 4) * unit;
    const int64_t panels = ceil_div(g.oc, k.nr);
    const int flags = activation == Activation::kRelu ? simd::kRelu : 0;
    Scratch shared;
    const float* zeros = zero_floats(g.c, shared);
    parallel_for(ceil_div(g.tiles(), block), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* v = scratch.take<float>(kPoints * block * g.c);
        float* m = scratch.take<float>(kPoints * block * k.nr);
        float unused[simd::kMaxTileCols];
        const int64_t offset = 0;
        for (int64_t b = begin; b < end; ++b) {
            const int64_t first = b * block, count = std::min(block, g.tiles() - first);
            const int64_t rows = ceil_div(count, k.mr);  // of tiles of the product
            for (int64_t t = 0; t < count; ++t) {
                const float* values[16];
                g.inputs(first + t, src, zeros, values);
                k.winograd_input(g.c, values, v + t * g.c, block * g.c, 16);
            }
            for (int64_t p = 0; p < kPoints; ++p)
                std::memset(v + (p * block + count) * g.c, 0,
                            sizeof(float) * (rows * k.mr - count) * g.c);
            for (int64_t panel = 0; panel < panels; ++panel) {
                const int64_t column = panel * k.nr;
                const int n = static_cast<int>(std::min<int64_t>(k.nr, g.oc - column));
                const int vectors = static_cast<int>(ceil_div(n, k.lanes)) * k.lanes;
                for (int64_t p = 0; p < kPoints; ++p)
                    k.tile_row(rows, vectors, 1, g.c, v + p * block * g.c, g.c, &offset,
                               u + (p * panels + panel) * g.c * k.nr, nullptr, m + p * block * k.nr,
                               k.nr, 0);
                for (int64_t t = 0; t < count; ++t) {
                    float* y[4];
                    g.outputs(first + t, dst + column, unused, y);
                    k.winograd_output(n, m + t * k.nr, block * k.nr, bias ? bias + column : nullptr,
                                      y, flags);
                }
            }
        }
    });
}

}  // namespace

void set_conv_algorithm(ConvAlgorithm choice) { algorithm.store(choice); }
ConvAlgorithm conv_algorithm() { return algorithm.load(); }

bool uses_winograd(const Conv2dShape& s) {
    const ConvAlgorithm choice = algorithm.load(std::memory_order_relaxed);
    const bool applies = s.kernel.h == 3 && s.kernel.w == 3 && s.strides.h == 1 &&
                         s.strides.w == 1 && s.dilation.h == 1 && s.dilation.w == 1 &&
                         s.groups == 1;
    if (!applies || choice == ConvAlgorithm::kDirect) return false;
    if (choice == ConvAlgorithm::kWinograd) return true;
    return s.c >= kMinChannels && s.oc >= kMinChannels && s.oh >= 2 && s.ow >= 2;
}

void winograd_forward(const Conv2dShape& s, const float* x, const float* w, const float* b,
                      Activation activation, float* y) {
    Scratch scratch;
    const float* u = transform_filters(s.c, s.oc, w, false, scratch);
    multiply(forward_tiling(s), x, u, b, activation, y);
}

void winograd_backward_input(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
    Scratch scratch;
    const float* u = transform_filters(s.oc, s.c, w, true, scratch);
    const Tiling g{s.n, s.oh, s.ow, s.oc, 2 - s.padding.top, 2 - s.padding.left, s.h, s.w, s.c};
    multiply(g, dy, u, nullptr, Activation::kLinear, dx);
}

// dU[p] (c, oc) = sum over tiles of V[p]' x dM[p], in batches of tiles that all threads
// transform, then share out by points and panels: each sum is one thread's, in a fixed order.
void winograd_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    const simd::Kernels& k = simd::kernels();
    const Tiling g = forward_tiling(s);
    const int64_t panels = ceil_div(s.oc, k.nr), groups = ceil_div(s.c, kGroup);
    const int64_t batch =
        std::clamp<int64_t>(kBatchFloats / (kPoints * (groups * kGroup + panels * k.nr)), 32,
                            std::max<int64_t>(32, g.tiles()));
    Scratch scratch;
    // Channels in groups, so that a tile of the product reads consecutive lines.
    float* v = scratch.take<float>(kPoints * groups * batch * kGroup);  // (16, groups, batch, 16)
    float* dm = scratch.take<float>(kPoints * panels * batch * k.nr);   // (16, panels, batch, nr)
    float* du = scratch.take<float>(kPoints * panels * s.c * k.nr);     // (16, panels, c, nr)
    const float* zeros = zero_floats(std::max(s.c, s.oc), scratch);
    std::memset(dm, 0, sizeof(float) * kPoints * panels * batch * k.nr);
    for (int64_t first = 0; first < g.tiles(); first += batch) {
        const int64_t count = std::min(batch, g.tiles() - first);
        parallel_for(count, [&](int64_t begin, int64_t end) {
            for (int64_t t = begin; t < end; ++t) {
                const float* values[16];
                g.inputs(first + t, x, zeros, values);
                k.winograd_input(s.c, values, v + t * kGroup, groups * batch * kGroup,
                                 batch * kGroup);
                for (int64_t panel = 0; panel < panels; ++panel) {
                    const int64_t column = panel * k.nr;
                    g.outputs(first + t, dy + column, zeros, values);
                    k.winograd_output_backward(std::min<int64_t>(k.nr, s.oc - column), values,
                                               dm + (panel * batch + t) * k.nr,
                                               panels * batch * k.nr);
                }
            }
        });
        const simd::PixelWalk walk{1, 1, count, 0, 0, kGroup, 0, 0, k.nr};
        parallel_for(kPoints * panels, [&](int64_t begin, int64_t end) {
            for (int64_t task = begin; task < end; ++task) {
                const int64_t point = task / panels, column = task % panels * k.nr;
                const int n = static_cast<int>(
                    ceil_div(std::min<int64_t>(k.nr, s.oc - column), k.lanes) * k.lanes);
                for (int64_t c = 0; c < s.c; c += k.mr) {
                    const float* a[kMaxTileRows];
                    const int m = static_cast<int>(std::min<int64_t>(k.mr, s.c - c));
                    for (int i = 0; i < m; ++i)
                        a[i] = v + (point * groups + (c + i) / kGroup) * batch * kGroup +
                               (c + i) % kGroup;
                    k.outer_tile(m, n, walk, a, dm + task * batch * k.nr,
                                 du + (task * s.c + c) * k.nr, k.nr,
                                 first > 0 ? simd::kAccumulate : 0);
                }
            }
        });
    }
    parallel_for(s.c, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c)
            for (int64_t panel = 0; panel < panels; ++panel)
                k.winograd_filter_backward(std::min<int64_t>(k.nr, s.oc - panel * k.nr),
                                           du + (panel * s.c + c) * k.nr, panels * s.c * k.nr,
                                           dw + c * s.oc + panel * k.nr, s.c * s.oc);
    });
}

}  // namespace pyconv
