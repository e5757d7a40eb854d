// Gradient of the filters: dw (kh * kw * c, oc) = sum over pixels of patch x dy, as tiles of
// (mr, nr) accumulators that stay in registers while the pixels of a block pass by.
//
// The pixels are cut into chunks whose number depends on the problem alone; each chunk has its
// own sums, and the chunks are added in order: the same bits for any number of threads.

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "check.h"
#include "ops/conv2d.h"
#include "ops/conv2d_depthwise.h"
#include "ops/conv2d_groups.h"
#include "ops/conv2d_kn2row.h"
#include "ops/conv2d_winograd.h"
#include "ops/gemm_outer.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxOuterRows;

constexpr int64_t kUnitPixels = 128;    // of one visit: long chains of additions lose precision
constexpr int64_t kChunkPixels = 1024;  // at least, so that adding the chunks costs little
constexpr int64_t kMaxSums = 1 << 20;   // floats of all chunks' sums
constexpr int64_t kTasks = 16;
constexpr int64_t kGroupTiles = 8;    // at least
constexpr int64_t kPixelsAhead = 32;  // that dy is asked for: a core's own reading ahead is late
constexpr int64_t kWideChannels =
    128;  // of pixels too far apart for it, so that x is asked for as well
constexpr int64_t kNearChannels = 64;   // of pixels so near that their lines share the first cache
constexpr int64_t kBlockChannels = 64;  // of a unit, that share it where they lie side by side
constexpr int64_t kFarChannels = 384;   // of pixels whose lines fall on the same places of it
constexpr int64_t kShortPixels = 256, kProductChannels = 128;  // of 1x1 filters as one product

// How the work is cut; nothing here may depend on the number of threads.
struct Plan {
    int64_t unit_images, unit_rows;  // one visit: whole images, or rows of one
    int64_t image_units, row_units;  // units over the batch, over an image
    int64_t chunks;
    int64_t mr;                                  // rows of a tile
    int64_t k, k_tiles;                          // rows of dw, tiles of them
    int64_t panels, group_panels, panel_groups;  // of dw's columns
    bool in_place;                               // x is read where it lies
    bool blocks;                                 // or the channels of a task are copied
    int64_t tile_groups;
};

// Whether each result meets the pixel at its place alone.
bool is_pointwise(const Conv2dShape& s) {
    return s.kernel.h * s.kernel.w == 1 && s.oh == s.h && s.ow == s.w && s.padding.top == 0 &&
           s.padding.left == 0 && s.strides.h == 1 && s.strides.w == 1;
}

// Few pixels of many channels: one product, written to dw without sums of chunks.
bool is_short_product(const Conv2dShape& s) {
    return is_pointwise(s) && s.groups == 1 && s.n * s.h * s.w <= kShortPixels &&
           std::min(s.c, s.oc) >= kProductChannels;
}

// The pixels of 1x1 filters lie in a row: as few long rows as divide them.
Conv2dShape long_rows(Conv2dShape s) {
    if (!is_pointwise(s)) return s;
    const int64_t pixels = s.n * s.h * s.w;
    int64_t width = std::min(kUnitPixels, pixels);
    while (pixels % width != 0) --width;
    if (width <= s.w) return s;
    s.n = 1;
    s.h = s.oh = pixels / width;
    s.w = s.ow = width;
    return s;
}

int64_t extent_h(const Conv2dShape& s) { return (s.kernel.h - 1) * s.dilation.h + 1; }
int64_t extent_w(const Conv2dShape& s) { return (s.kernel.w - 1) * s.dilation.w + 1; }

Plan plan(const Conv2dShape& s) {
    const simd::Kernels& kernels = simd::kernels();
    const int64_t nr = kernels.nr;
    Plan p;
    p.mr = s.group_oc() <= kernels.lanes ? 2 * kernels.mr : kernels.mr;
    const int64_t pixels = s.oh * s.ow;
    p.unit_rows = std::clamp<int64_t>(kUnitPixels / s.ow, 1, s.oh);
    p.unit_images = p.unit_rows < s.oh ? 1 : std::clamp<int64_t>(kUnitPixels / pixels, 1, s.n);
    p.image_units = ceil_div(s.n, p.unit_images);
    p.row_units = ceil_div(s.oh, p.unit_rows);
    p.k = s.kernel.h * s.kernel.w * s.group_c();
    p.k_tiles = ceil_div(p.k, p.mr);
    p.panels = ceil_div(s.group_oc(), nr);
    const int64_t sums = p.k_tiles * p.mr * p.panels * nr;
    const int64_t most = std::min(
        {s.n * pixels / kChunkPixels, kMaxSums / sums, p.image_units * p.row_units, int64_t{32}});
    p.chunks = 1;
    while (p.chunks * 2 <= most) p.chunks *= 2;
    p.group_panels = std::max<int64_t>(1, p.panels * p.chunks / kTasks);
    p.panel_groups = ceil_div(p.panels, p.group_panels);
    p.in_place = s.padding.top == 0 && s.padding.left == 0 &&
                 (s.oh - 1) * s.strides.h + extent_h(s) <= s.h &&
                 (s.ow - 1) * s.strides.w + extent_w(s) <= s.w;
    p.blocks = p.in_place && s.kernel.h * s.kernel.w == 1 && s.group_c() >= kFarChannels &&
               2 * s.group_oc() <= s.group_c() && p.panels > 1;
    if (p.blocks) {
        p.tile_groups = ceil_div(p.k_tiles * p.mr, kBlockChannels);
        p.group_panels =
            std::clamp<int64_t>(p.panels * p.chunks * p.tile_groups / kTasks, 1, p.panels);
        p.panel_groups = ceil_div(p.panels, p.group_panels);
        return p;
    }
    // Tasks that share a panel copy dy each, and would copy x.
    p.tile_groups = p.in_place ? std::clamp<int64_t>(kTasks / (p.chunks * p.panel_groups), 1,
                                                     ceil_div(p.k_tiles, kGroupTiles))
                               : 1;
    return p;
}

// One operand of a unit, in place or copied.
struct View {
    const float* data;
    int64_t image, row, col;  // floats from one to the next
};

// Adds the gradient of some units and panels of one group of channels to its sums.
class FilterGradient {
public:
    FilterGradient(const Conv2dShape& s, const Plan& p, const float* x, const float* dy,
                   int64_t group)
        : s_(s),
          p_(p),
          k_(simd::kernels()),
          x_(x + group * s.group_c()),
          dy_(dy + group * s.group_oc()) {
        // A copy of dy pays when many tiles read it; a part of a vector must not be read past dy.
        copy_dy_ = p.k_tiles >= (s.oc <= kNearChannels ? 8 : 4) || s.group_oc() % k_.lanes != 0;
        far_x_ = p.in_place && !p.blocks && s.c >= kWideChannels;
        find_offsets();
    }

    // sums (panels, k_tiles, mr, nr)
    void run(int64_t chunk, int64_t panel_group, int64_t tile_group, float* sums) const {
        const int64_t units = p_.image_units * p_.row_units;
        const int64_t u0 = units * chunk / p_.chunks, u1 = units * (chunk + 1) / p_.chunks;
        const int64_t panel0 = panel_group * p_.group_panels;
        const int64_t panel1 = std::min(p_.panels, panel0 + p_.group_panels);
        const int64_t tile0 = p_.k_tiles * tile_group / p_.tile_groups;
        const int64_t tile1 = p_.k_tiles * (tile_group + 1) / p_.tile_groups;
        Scratch scratch;
        const int64_t channel0 = tile0 * p_.mr;
        const int64_t channels = std::min(p_.k, tile1 * p_.mr) - channel0;
        float* x_copy = p_.blocks     ? scratch.take<float>(unit_pixels() * channels)
                        : p_.in_place ? nullptr
                                      : scratch.take<float>(x_copy_size());
        float* dy_copy = copy_dy_ ? scratch.take<float>(dy_copy_size()) : nullptr;
        for (int64_t unit = u0; unit < u1; ++unit) {
            const Unit u = unit_at(unit);
            const View x =
                p_.blocks ? view_block(u, channel0, channels, x_copy) : view_x(u, x_copy);
            for (int64_t panel = panel0; panel < panel1; ++panel) {
                const View dy = view_dy(u, panel, dy_copy);
                tiles(u, x, dy, panel, tile0, tile1, unit > u0,
                      sums + panel * p_.k_tiles * p_.mr * k_.nr);
            }
        }
    }

private:
    struct Unit {
        int64_t image, images, row, rows;
    };

    int64_t copy_rows(int64_t rows) const { return (rows - 1) * s_.strides.h + extent_h(s_); }
    int64_t copy_cols() const { return (s_.ow - 1) * s_.strides.w + extent_w(s_); }
    int64_t x_copy_size() const {
        return p_.unit_images * copy_rows(p_.unit_rows) * copy_cols() * s_.group_c();
    }
    int64_t unit_pixels() const { return p_.unit_images * p_.unit_rows * s_.ow; }
    int64_t dy_copy_size() const { return unit_pixels() * k_.nr; }

    Unit unit_at(int64_t index) const {
        Unit u;
        u.image = index / p_.row_units * p_.unit_images;
        u.row = index % p_.row_units * p_.unit_rows;
        u.images = std::min(p_.unit_images, s_.n - u.image);
        u.rows = std::min(p_.unit_rows, s_.oh - u.row);
        return u;
    }

    // The input under a unit's windows, with the padding's zeros.
    View view_x(const Unit& u, float* copy) const {
        if (p_.in_place)
            return {x_ + (u.image * s_.h + u.row * s_.strides.h) * s_.w * s_.c, s_.h * s_.w * s_.c,
                    s_.w * s_.c, s_.c};
        const int64_t c = s_.group_c(), rows = copy_rows(u.rows), cols = copy_cols();
        const View view{copy, rows * cols * c, cols * c, c};
        for (int64_t image = 0; image < u.images; ++image)
            for (int64_t r = 0; r < rows; ++r)
                copy_row(u.image + image, u.row * s_.strides.h - s_.padding.top + r,
                         copy + image * view.image + r * view.row);
        return view;
    }

    // Some channels of the pixels of a unit of 1x1 filters; its data lies where the first would.
    View view_block(const Unit& u, int64_t channel0, int64_t channels, float* copy) const {
        const View x = view_x(u, nullptr);
        float* to = copy;
        for (int64_t image = 0; image < u.images; ++image)
            for (int64_t row = 0; row < u.rows; ++row)
                for (int64_t col = 0; col < s_.ow; ++col, to += channels)
                    std::memcpy(to,
                                x.data + image * x.image + row * s_.strides.h * x.row +
                                    col * s_.strides.w * x.col + channel0,
                                sizeof(float) * channels);
        const int64_t row = s_.ow * channels;
        return {copy - channel0, u.rows * row, row, channels};
    }

    void copy_row(int64_t image, int64_t row, float* dst) const {
        const int64_t c = s_.group_c(), cols = copy_cols();
        if (row < 0 || row >= s_.h) {
            std::memset(dst, 0, sizeof(float) * cols * c);
            return;
        }
        const int64_t before = std::min(s_.padding.left, cols);
        const int64_t real = std::max<int64_t>(0, std::min(cols - before, s_.w));
        const float* src = x_ + (image * s_.h + row) * s_.w * s_.c;
        std::memset(dst, 0, sizeof(float) * before * c);
        if (c == s_.c) {
            std::memcpy(dst + before * c, src, sizeof(float) * real * c);
        } else {
            for (int64_t j = 0; j < real; ++j)
                std::memcpy(dst + (before + j) * c, src + j * s_.c, sizeof(float) * c);
        }
        std::memset(dst + (before + real) * c, 0, sizeof(float) * (cols - before - real) * c);
    }

    View view_dy(const Unit& u, int64_t panel, float* copy) const {
        const float* src = dy_ + (u.image * s_.oh + u.row) * s_.ow * s_.oc + panel * k_.nr;
        const int64_t image = s_.oh * s_.ow * s_.oc, pixels = u.rows * s_.ow;
        if (!copy_dy_) return {src, image, s_.ow * s_.oc, s_.oc};
        for (int64_t i = 0; i < u.images; ++i)
            k_.pack_panel(pixels, columns(panel), src + i * image, s_.oc,
                          copy + i * pixels * k_.nr);
        return {copy, pixels * k_.nr, s_.ow * k_.nr, k_.nr};
    }

    int columns(int64_t panel) const {
        return static_cast<int>(std::min<int64_t>(k_.nr, s_.group_oc() - panel * k_.nr));
    }

    // Tiles tile0 .. tile1 of one panel.
    void tiles(const Unit& u, const View& x, const View& dy, int64_t panel, int64_t tile0,
               int64_t tile1, bool accumulate, float* sums) const {
        const int whole_vectors = static_cast<int>(ceil_div(columns(panel), k_.lanes)) * k_.lanes;
        simd::PixelWalk walk;
        walk.images = u.images;
        const Size2 steps = p_.blocks ? Size2{1, 1} : s_.strides;
        walk.a_image = x.image, walk.a_row = x.row * steps.h, walk.a_col = x.col * steps.w;
        walk.b_image = dy.image, walk.b_row = dy.row, walk.b_col = dy.col;
        for (int64_t tile = tile0; tile < tile1; ++tile) {
            const Reach& reach = tiles_[tile];
            const int64_t row = std::clamp<int64_t>(reach.row0 - u.row, 0, u.rows);
            const int64_t col = reach.col0;
            walk.rows = std::clamp<int64_t>(reach.row1 - u.row, row, u.rows) - row;
            walk.cols = reach.col1 - col;
            const int m = static_cast<int>(std::min<int64_t>(p_.mr, p_.k - tile * p_.mr));
            const float* first = x.data + row * walk.a_row + col * walk.a_col;
            const float* a[kMaxOuterRows];
            for (int i = 0; i < m; ++i) a[i] = first + offsets_[tile * p_.mr + i];
            walk.a_ahead = far_x_ ? kPixelsAhead / 2 * x.col : 0;
            walk.b_ahead = copy_dy_ || tile > tile0 ? 0 : kPixelsAhead * dy.col;
            k_.outer_tile(m, whole_vectors, walk, a, dy.data + row * dy.row + col * dy.col,
                          sums + tile * p_.mr * k_.nr, k_.nr, accumulate ? simd::kAccumulate : 0);
        }
    }

    // Results that the taps of a tile reach in the image; the others would be multiplied by 0.
    struct Reach {
        int64_t row0, row1, col0, col1;
    };

    void find_offsets() {
        const int64_t c = s_.group_c(), col = p_.in_place ? s_.c : c;
        const int64_t row = p_.in_place ? s_.w * s_.c : copy_cols() * c;
        for (int64_t kh = 0; kh < s_.kernel.h; ++kh)
            for (int64_t kw = 0; kw < s_.kernel.w; ++kw)
                for (int64_t i = 0; i < c; ++i)
                    offsets_.push_back(kh * s_.dilation.h * row + kw * s_.dilation.w * col + i);
        for (int64_t k = 0; k < p_.k; k += p_.mr) {
            const int64_t tap0 = k / c, tap1 = std::min(p_.k - 1, k + p_.mr - 1) / c;
            const int64_t kh0 = tap0 / s_.kernel.w, kh1 = tap1 / s_.kernel.w;
            const bool one_row = kh0 == kh1;
            const auto [row0, row1] =
                reach(kh0, kh1, s_.dilation.h, s_.strides.h, s_.padding.top, s_.h, s_.oh);
            const auto [col0, col1] = reach(
                one_row ? tap0 % s_.kernel.w : 0, one_row ? tap1 % s_.kernel.w : s_.kernel.w - 1,
                s_.dilation.w, s_.strides.w, s_.padding.left, s_.w, s_.ow);
            tiles_.push_back({row0, row1, col0, col1});
        }
    }

    // From the first to before the last result of an axis that some tap from k0 to k1 reaches.
    static std::pair<int64_t, int64_t> reach(int64_t k0, int64_t k1, int64_t dilation,
                                             int64_t stride, int64_t pad, int64_t size,
                                             int64_t results) {
        const int64_t first = ceil_div(pad - k1 * dilation, stride);
        const int64_t last = floor_div(size - 1 + pad - k0 * dilation, stride);
        const int64_t from = std::clamp<int64_t>(first, 0, results);
        return {from, std::clamp<int64_t>(last + 1, from, results)};
    }

    const Conv2dShape& s_;
    const Plan& p_;
    const simd::Kernels& k_;
    const float* x_;
    const float* dy_;
    std::vector<int64_t> offsets_;  // of the rows of dw in x
    std::vector<Reach> tiles_;
    bool copy_dy_, far_x_;
};

}  // namespace

void conv2d_backward_filter(const Conv2dShape& shape, const float* x, const float* dy, float* dw) {
    const simd::Kernels& k = simd::kernels();
    if (shape.n == 0) {
        std::memset(dw, 0,
                    sizeof(float) * shape.kernel.h * shape.kernel.w * shape.group_c() * shape.oc);
        return;
    }
    if (is_short_product(shape))
        return gemm_outer(shape.c, shape.oc, shape.n * shape.h * shape.w, x, dy, dw);
    const Conv2dShape s = long_rows(shape);
    const int64_t oc = s.group_oc();
    if (uses_winograd(s)) return winograd_backward_filter(s, x, dy, dw);
    if (uses_kn2row(s)) return kn2row_backward_filter(s, x, dy, dw);
    if (uses_depthwise(s))
        return DepthwisePlan(forward_taps(s), s.groups).backward_weights(s.n, x, dy, dw);
    if (spreading_pays(s.group_c(), oc, s.groups))
        return SpreadPlan({{forward_taps(s), 0}}, s.groups).backward_weights(s.n, x, dy, dw);
    const Plan p = plan(s);
    const int64_t panel_size = p.k_tiles * p.mr * k.nr;
    const int64_t chunk_size = p.panels * panel_size;
    for (int64_t g = 0; g < s.groups; ++g) {
        Scratch scratch;
        float* sums = scratch.take<float>(p.chunks * chunk_size);
        const FilterGradient gradient(s, p, x, dy, g);
        const int64_t chunk_tasks = p.panel_groups * p.tile_groups;
        parallel_for(p.chunks * chunk_tasks, [&](int64_t begin, int64_t end) {
            for (int64_t task = begin; task < end; ++task) {
                const int64_t chunk = task / chunk_tasks, rest = task % chunk_tasks;
                gradient.run(chunk, rest / p.tile_groups, rest % p.tile_groups,
                             sums + chunk * chunk_size);
            }
        });
        // Rows of dw, each the sum of the chunks' in order.
        parallel_for(p.k, [&](int64_t begin, int64_t end) {
            for (int64_t panel = 0; panel < p.panels; ++panel) {
                const int64_t columns = std::min<int64_t>(k.nr, oc - panel * k.nr);
                for (int64_t row = begin; row < end; ++row) {
                    float* out = dw + row * s.oc + g * oc + panel * k.nr;
                    const float* sum = sums + panel * panel_size + row * k.nr;
                    std::memcpy(out, sum, sizeof(float) * columns);
                    for (int64_t chunk = 1; chunk < p.chunks; ++chunk)
                        k.add(columns, sum + chunk * chunk_size, out);
                }
            }
        });
    }
}

}  // namespace pyconv
