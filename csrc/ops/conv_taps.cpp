#include "ops/conv_taps.h"

#include <algorithm>
#include <utility>

#include "check.h"
#include "ops/far_results.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

constexpr int64_t kCachedPanels = 1 << 17;  // floats
constexpr int64_t kBlockTiles = 16;
constexpr int64_t kNearPanels = 1 << 13;  // floats that stay in the first cache

}  // namespace

// What all blocks of a product share.
struct TapGeometry {
    TapGeometry(const TapConv& conv, int mr, int nr)
        : mr(mr), nr(nr), taps(conv.taps.size()), zeros(conv.c, 0.f) {
        for (const Tap& tap : conv.taps) {
            offsets.push_back((tap.row * conv.w + tap.col) * conv.src_ld);
            top = std::min(top, tap.row);
            bottom = std::max(bottom, tap.row);
            left = std::min(left, tap.col);
            right = std::max(right, tap.col);
        }
        run = run_length(conv);
        for (int64_t t = 0; t < taps; t += run) run_offsets.push_back(offsets[t]);
        step = std::max(run, kMaxK / conv.c / run * run);
        inner0 = std::min(conv.gw, ceil_div(-left, conv.sw));
        inner1 = std::clamp(floor_div(conv.w - 1 - right, conv.sw) + 1, inner0, conv.gw);
        // Whole rows of cells, where a row is not longer than a block; more where products are
        // short, so that fewer cells are left over.
        const int64_t k = std::max<int64_t>(1, taps * conv.c);
        block_cells = std::clamp(kBlockTiles * kMaxK / k, kBlockTiles, 4 * kBlockTiles) * mr;
        if (conv.gw <= 2 * block_cells)
            block_cells = std::max<int64_t>(1, block_cells / conv.gw) * conv.gw;
        panel_size = taps * conv.c * nr;
        any_rows = conv.oc <= simd::kernels().lanes;
    }

    // Neighbouring taps of one filter row are neighbours in memory too, so that away from the
    // border one segment of the product serves `run` of them.
    static int64_t run_length(const TapConv& conv) {
        if (conv.c != conv.src_ld || conv.taps.empty()) return 1;
        const int64_t count = static_cast<int64_t>(conv.taps.size());
        const auto follows = [&](int64_t t) {
            return conv.taps[t].row == conv.taps[t - 1].row &&
                   conv.taps[t].col == conv.taps[t - 1].col + 1;
        };
        int64_t run = 1;
        while (run < count && follows(run)) ++run;
        if (count % run != 0 || run * conv.c > 2 * kMaxK) return 1;
        for (int64_t t = 0; t < count; ++t)
            if (t % run != 0 && !follows(t)) return 1;
        return run;
    }

    int mr, nr;
    int64_t taps, run;
    int64_t step;                                      // taps of one pass over a block
    int64_t top = 0, bottom = 0, left = 0, right = 0;  // reach of the taps
    int64_t inner0, inner1;  // cells of a row whose taps all lie between its ends
    int64_t block_cells, panel_size;
    bool any_rows;                              // whether strips need not be whole tiles
    std::vector<int64_t> offsets, run_offsets;  // of the taps and of the runs, in floats
    std::vector<float> zeros;                   // a pixel outside the source
};

namespace {

// Cells that are left over, gathered into tiles; each has a pointer for each segment. Segments that
// are zeros for all cells of a tile are left out.
class Leftovers {
public:
    // Segments at `nothing` are zeros.
    Leftovers(const TapGeometry& plan, int64_t segments, const float* nothing, Scratch& scratch)
        : mr_(plan.mr), segments_(segments), nothing_(nothing) {
        const int64_t tiles = ceil_div(plan.block_cells, mr_);
        a_ = scratch.take<const float*>(tiles * segments_ * mr_);
        y_ = scratch.take<float*>(tiles * mr_);
        filled_ = scratch.take<bool>(segments_);
        kept_ = scratch.take<int64_t>(tiles * segments_);
        kept_counts_ = scratch.take<int64_t>(tiles);
    }

    void clear() { cells_ = 0; }

    // source(s) points at segment s of the cell.
    template <class Source>
    void add(float* y, const Source& source) {
        const int64_t slot = cells_ % mr_;
        const float** a = a_ + (cells_ - slot) * segments_ + slot;
        for (int64_t s = 0; s < segments_; ++s, a += mr_) {
            *a = source(s);
            filled_[s] = (slot > 0 && filled_[s]) || *a != nothing_;
        }
        y_[cells_++] = y;
        if (slot + 1 == mr_) leave_out();
    }

    // After the last cell.
    void finish() {
        if (cells_ % mr_ > 0) leave_out();
    }

    // Products of `count` segments from `first` on, each `length` floats after the first a_offset.
    void multiply(int64_t first, int64_t count, int64_t length, int64_t a_offset, const float* b,
                  int n, const float* bias, int64_t column, int flags) const {
        const simd::Kernels& k = simd::kernels();
        float* y[kMaxTileRows];
        for (int64_t cell = 0; cell < cells_; cell += mr_) {
            const int m = static_cast<int>(std::min<int64_t>(mr_, cells_ - cell));
            for (int i = 0; i < m; ++i) y[i] = y_[cell + i] + column;
            const int64_t* kept = kept_ + cell / mr_ * segments_;
            const int64_t* end = kept + kept_counts_[cell / mr_];
            const int64_t* from = std::lower_bound(kept, end, first);
            const int64_t* to = std::lower_bound(from, end, first + count);
            k.tile(m, n, to - from, length, a_ + cell * segments_ + (from - kept) * mr_, a_offset,
                   from, first, b, k.nr, bias, y, flags);
        }
    }

private:
    // Moves the segments of the last tile that are kept together.
    void leave_out() {
        const int64_t tile = (cells_ - 1) / mr_;
        const float** a = a_ + tile * mr_ * segments_;
        int64_t* kept = kept_ + tile * segments_;
        int64_t count = 0;
        for (int64_t s = 0; s < segments_; ++s) {
            if (!filled_[s]) continue;
            if (count < s) std::copy(a + s * mr_, a + (s + 1) * mr_, a + count * mr_);
            kept[count++] = s;
        }
        kept_counts_[tile] = count;
    }

    const int mr_;
    const int64_t segments_;
    const float* nothing_;
    const float** a_;  // (tiles, segments kept, mr)
    float** y_;        // (tiles * mr)
    bool* filled_;     // (segments), of the last tile
    int64_t* kept_;    // (tiles, segments): their numbers
    int64_t* kept_counts_;
    int64_t cells_ = 0;
};

// Some cells, cut into tiles: strips inside one row, and leftovers. Away from the
// left and right border a cell needs a pointer for each run only, at the border for each tap.
class Block {
public:
    // `far` as of is_far.
    Block(const TapConv& conv, const TapGeometry& plan, bool far, Scratch& scratch)
        : conv_(conv),
          plan_(plan),
          far_(far),
          inner_(plan, plan.taps / plan.run, nullptr, scratch),
          border_(plan, plan.taps, plan.zeros.data(), scratch) {
        strips_ = scratch.take<Strip>(plan.block_cells / plan.mr + 1);
        rows_ = scratch.take<Row>(plan.block_cells / conv.gw + 2);
    }

    // Cells first .. first + count of all.
    void aim(int64_t first, int64_t count, const float* src, float* dst) {
        strip_count_ = row_count_ = 0;
        inner_.clear();
        border_.clear();
        int64_t row = first / conv_.gw, j = first % conv_.gw;
        for (; count > 0; ++row, j = 0) {
            const int64_t end = std::min(conv_.gw, j + count);
            count -= end - j;
            aim_row(row / conv_.gh, row % conv_.gh, j, end, src, dst);
        }
        // Column by column: the cells of a tile then miss the same taps.
        for (j = 0; j < plan_.inner0; ++j) add_column(j);
        for (j = plan_.inner1; j < conv_.gw; ++j) add_column(j);
        for (const Row* r = rows_; r != rows_ + row_count_; ++r)
            for (j = r->rest; j < r->inner1; ++j) add_border(*r, j);
        inner_.finish();
        border_.finish();
    }

    // All products with panels panel0 .. panel1 of (taps * c, nr).
    void multiply(const float* panels, int64_t panel0, int64_t panel1, const float* bias,
                  Activation activation) const {
        // Results are written line after line where all panels are near.
        const int64_t together = (panel1 - panel0) * plan_.panel_size <= kNearPanels
                                     ? std::max<int64_t>(1, panel1 - panel0)
                                     : 1;
        for (int64_t panel = panel0; panel < panel1; panel += together)
            multiply_some({panels, bias, panel, panel + together}, activation);
    }

private:
    // Panels begin .. end.
    struct Panels {
        const float* first;
        const float* bias;  // or null
        int64_t begin, end;
    };

    void multiply_some(const Panels& panels, Activation activation) const {
        const int64_t taps = plan_.taps, c = conv_.c, chunk = std::min(c, kMaxK);
        const int ahead = far_ ? simd::kWriteAhead : 0;
        for (int64_t t0 = 0; t0 == 0 || t0 < taps; t0 += plan_.step) {
            for (int64_t c0 = 0; c0 < c; c0 += chunk) {
                const bool first = t0 == 0 && c0 == 0;
                const bool last = t0 + plan_.step >= taps && c0 + chunk >= c;
                const int flags = (first ? ahead : simd::kAccumulate) |
                                  (last && activation == Activation::kRelu ? simd::kRelu : 0);
                pass({t0, std::min(plan_.step, taps - t0), c0, std::min(chunk, c - c0)},
                     {panels.first, first ? panels.bias : nullptr, panels.begin, panels.end},
                     flags);
            }
        }
    }

    // Taps t0 .. t0 + taps and channels c0 .. c0 + c: part of a tap's channels only where taps = 1.
    struct Pass {
        int64_t t0, taps, c0, c;
    };

    // Cells side by side; taps from t0 to t1 lie in rows of the image.
    struct Strip {
        const float* a;
        float* y;
        int64_t cells, t0, t1;
    };

    void pass(const Pass& p, const Panels& panels, int flags) const {
        const simd::Kernels& k = simd::kernels();
        const int64_t run = plan_.run, length = run * p.c;
        const auto with_each = [&](const auto& body) {
            for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
                const int64_t column = panel * k.nr;
                body(panels.first + panel * plan_.panel_size + (p.t0 * conv_.c + p.c0) * k.nr,
                     static_cast<int>(std::min<int64_t>(k.nr, conv_.oc - column)),
                     panels.bias ? panels.bias + column : nullptr, column);
            }
        };
        for (const Strip* s = strips_; s != strips_ + strip_count_; ++s) {
            const int64_t t0 = std::max(p.t0, s->t0);
            const int64_t t1 = std::max(t0, std::min(p.t0 + p.taps, s->t1));
            with_each([&](const float* b, int n, const float* bias, int64_t column) {
                k.tile_row(s->cells, n, (t1 - t0) / run, length, s->a + p.c0,
                           conv_.sw * conv_.src_ld, plan_.run_offsets.data() + t0 / run,
                           b + (t0 - p.t0) * p.c * k.nr, bias, s->y + column, conv_.dst_col, flags);
            });
        }
        with_each([&](const float* b, int n, const float* bias, int64_t column) {
            inner_.multiply(p.t0 / run, p.taps / run, length, p.c0, b, n, bias, column, flags);
            border_.multiply(p.t0, p.taps, p.c, p.c0, b, n, bias, column, flags);
        });
    }

    // Cells of one row that are added to `border_`: j0 .. j1 but for the strip and what follows it.
    struct Row {
        const float* pixels;
        float* y;
        int64_t row, j0, j1, rest, inner1;
    };

    // Cells j0 .. j1 of row i of an image.
    void aim_row(int64_t image, int64_t i, int64_t j0, int64_t j1, const float* src, float* dst) {
        const int64_t row = i * conv_.sh, ld = conv_.sw * conv_.src_ld;
        const float* pixels = src + (image * conv_.h + row) * conv_.w * conv_.src_ld;
        float* y = dst + image * conv_.dst_image + i * conv_.dst_row;
        const bool all_rows = row + plan_.top >= 0 && row + plan_.bottom < conv_.h;
        const int64_t inner0 = std::clamp(plan_.inner0, j0, j1);
        const int64_t inner1 = std::clamp(plan_.inner1, inner0, j1);
        const int64_t tiles = (inner1 - inner0) / plan_.mr;
        const bool whole = tiles > 0 && plan_.any_rows;
        const int64_t rest = whole ? inner1 : inner0 + tiles * plan_.mr;
        if (tiles > 0) {
            Strip& strip = strips_[strip_count_++];
            strip = {pixels + inner0 * ld, y + inner0 * conv_.dst_col, rest - inner0, 0,
                     plan_.taps};
            if (!all_rows) limit_taps(row, strip);
        }
        rows_[row_count_++] = {pixels, y, row, j0, j1, all_rows ? inner1 : rest, inner1};
        if (!all_rows) return;
        for (int64_t j = rest; j < inner1; ++j)
            inner_.add(y + j * conv_.dst_col,
                       [&](int64_t s) { return pixels + j * ld + plan_.run_offsets[s]; });
    }

    void add_column(int64_t j) {
        for (const Row* r = rows_; r != rows_ + row_count_; ++r)
            if (r->j0 <= j && j < r->j1) add_border(*r, j);
    }

    // Taps are sorted by their rows.
    void limit_taps(int64_t row, Strip& strip) const {
        const auto& taps = conv_.taps;
        while (strip.t0 < strip.t1 && row + taps[strip.t0].row < 0) ++strip.t0;
        while (strip.t0 < strip.t1 && row + taps[strip.t1 - 1].row >= conv_.h) --strip.t1;
    }

    void add_border(const Row& r, int64_t j) {
        const int64_t col = j * conv_.sw;
        const float* pixel = r.pixels + col * conv_.src_ld;
        border_.add(r.y + j * conv_.dst_col, [&](int64_t t) {
            const int64_t row = r.row + conv_.taps[t].row, q = col + conv_.taps[t].col;
            const bool hit = row >= 0 && row < conv_.h && q >= 0 && q < conv_.w;
            return hit ? pixel + plan_.offsets[t] : plan_.zeros.data();
        });
    }

    const TapConv& conv_;
    const TapGeometry& plan_;
    const bool far_;
    Strip* strips_;
    Row* rows_;
    int64_t strip_count_ = 0, row_count_ = 0;
    Leftovers inner_, border_;
};

}  // namespace

TapConv forward_taps(const Conv2dShape& s) {
    TapConv conv{s.h,         s.w,         s.group_c(),        s.c,         s.oh, s.ow,
                 s.strides.h, s.strides.w, s.oh * s.ow * s.oc, s.ow * s.oc, s.oc, s.group_oc(),
                 {}};
    for (int64_t kh = 0; kh < s.kernel.h; ++kh)
        for (int64_t kw = 0; kw < s.kernel.w; ++kw)
            conv.taps.push_back(
                {kh * s.dilation.h - s.padding.top, kw * s.dilation.w - s.padding.left});
    return conv;
}

TapPlan::TapPlan(TapConv given)
    : conv(std::move(given)),
      geometry_(std::make_unique<TapGeometry>(conv, simd::kernels().mr, simd::kernels().nr)) {}
TapPlan::~TapPlan() = default;
TapPlan::TapPlan(TapPlan&&) noexcept = default;

int64_t TapPlan::panels_size() const {
    return ceil_div(conv.oc, geometry_->nr) * geometry_->panel_size;
}

void TapPlan::pack(const float* w, const std::vector<int64_t>& matrices, int64_t ld,
                   bool transposed, float* panels) const {
    const simd::Kernels& k = simd::kernels();
    const int64_t taps = static_cast<int64_t>(conv.taps.size());
    parallel_for(ceil_div(conv.oc, k.nr) * taps, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const int64_t column = i / taps * k.nr;
            const int n = static_cast<int>(std::min<int64_t>(k.nr, conv.oc - column));
            const float* matrix = w + matrices[i % taps];
            float* panel = panels + i * conv.c * k.nr;
            if (transposed) {
                k.pack_panel_transposed(conv.c, n, matrix + column * ld, ld, panel);
            } else {
                k.pack_panel(conv.c, n, matrix + column, ld, panel);
            }
        }
    });
}

void TapPlan::run(int64_t images, const float* src, const float* panels, const float* bias,
                  Activation activation, float* dst) const {
    const int64_t cells = images * conv.gh * conv.gw;
    if (cells == 0) return;
    const TapGeometry& plan = *geometry_;
    const int64_t blocks = ceil_div(cells, plan.block_cells);
    const int64_t panel_count = ceil_div(conv.oc, plan.nr);
    // With few pixels the panels are shared out as well. Many of them are read from memory once, by
    // all blocks one after the other.
    const int64_t parts = blocks >= 4 * num_threads() ? 1 : panel_count;
    const int64_t part_panels = panel_count / parts;
    const bool blocks_inside = panels_size() >= kCachedPanels;
    parallel_for(blocks * parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        Block block(conv, plan, is_far(cells * conv.oc), scratch);
        int64_t aimed = -1;
        for (int64_t task = begin; task < end; ++task) {
            const int64_t part = blocks_inside ? task / blocks : task % parts;
            const int64_t first = (blocks_inside ? task % blocks : task / parts) * plan.block_cells;
            if (first != aimed)
                block.aim(first, std::min(plan.block_cells, cells - first), src, dst);
            aimed = first;
            block.multiply(panels, part * part_panels, (part + 1) * part_panels, bias, activation);
        }
    });
}

}  // namespace pyconv
