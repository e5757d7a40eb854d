#include "ops/conv_taps.h"

#include <algorithm>
#include <cstring>

#include "check.h"
#include "parallel.h"
#include "scratch.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

using simd::kMaxTileRows;

// Products along k before the accumulators are put down: (kMaxK, nr) of a panel stays in the
// first-level cache while all tiles of a block pass over it.
constexpr int64_t kMaxK = 384;
constexpr int64_t kBlockTiles = 16;
constexpr int64_t kMaxPointers = 16 * 1024;  // of one block's tiles

// Neighbouring taps of one filter row are neighbours in memory too, so that away from the border
// one segment of the product serves `run` of them.
int64_t run_length(const TapConv& conv) {
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

// The tiles of a block: for each, where its rows read and write.
class Block {
public:
    Block(const TapConv& conv, int64_t run, int mr, int64_t tiles, Scratch& scratch,
          const float* zeros)
        : conv_(conv), run_(run), mr_(mr), taps_(static_cast<int64_t>(conv.taps.size())),
          zeros_(zeros) {
        a_ = scratch.take<const float*>(std::max<int64_t>(tiles * taps_ * mr, 1));
        y_ = scratch.take<float*>(tiles * mr);
        merged_ = scratch.take<bool>(tiles);
        for (const Tap& tap : conv.taps) {
            top_ = std::min(top_, tap.row);
            bottom_ = std::max(bottom_, tap.row);
            left_ = std::min(left_, tap.col);
            right_ = std::max(right_, tap.col);
        }
    }

    // Points the tiles at cells first .. first + count of all.
    void aim(int64_t first, int64_t count, const float* src, float* dst) {
        const int64_t per_image = conv_.gh * conv_.gw;
        int64_t image = first / per_image;
        int64_t i = first % per_image / conv_.gw, j = first % conv_.gw;
        cells_ = count;
        Cell cells[kMaxTileRows];
        for (int64_t t = 0; t * mr_ < count; ++t) {
            bool inside = run_ > 1;
            for (int m = 0; m < rows(t); ++m) {
                const int64_t row = i * conv_.sh, col = j * conv_.sw;
                cells[m] = {src + (image * conv_.h * conv_.w + row * conv_.w + col) * conv_.src_ld,
                            row, col};
                inside = inside && row + top_ >= 0 && row + bottom_ < conv_.h && col + left_ >= 0 &&
                         col + right_ < conv_.w;
                y_[t * mr_ + m] =
                    dst + image * conv_.dst_image + i * conv_.dst_row + j * conv_.dst_col;
                if (++j == conv_.gw) {
                    j = 0;
                    if (++i == conv_.gh) {
                        i = 0;
                        ++image;
                    }
                }
            }
            merged_[t] = inside;
            point(a_ + t * taps_ * mr_, rows(t), cells, inside);
        }
    }

    int64_t tiles() const { return ceil_div(cells_, mr_); }
    int rows(int64_t tile) const {
        return static_cast<int>(std::min<int64_t>(mr_, cells_ - tile * mr_));
    }
    float* const* y(int64_t tile) const { return y_ + tile * mr_; }
    // Taps that one segment of this tile covers.
    int64_t taps_per_segment(int64_t tile) const { return merged_[tile] ? run_ : 1; }
    const float* const* a(int64_t tile, int64_t tap) const {
        return a_ + tile * taps_ * mr_ + tap / taps_per_segment(tile) * mr_;
    }

private:
    struct Cell {
        const float* pixel;
        int64_t row, col;
    };

    void point(const float** a, int rows, const Cell* cells, bool inside) const {
        const int64_t step = inside ? run_ : 1;
        for (int64_t t = 0; t < taps_; t += step, a += mr_) {
            const Tap tap = conv_.taps[t];
            const int64_t offset = (tap.row * conv_.w + tap.col) * conv_.src_ld;
            for (int m = 0; m < rows; ++m) {
                const Cell& cell = cells[m];
                const bool hit = inside || (cell.row + tap.row >= 0 &&
                                            cell.row + tap.row < conv_.h &&
                                            cell.col + tap.col >= 0 &&
                                            cell.col + tap.col < conv_.w);
                a[m] = hit ? cell.pixel + offset : zeros_;
            }
        }
    }

    const TapConv& conv_;
    const int64_t run_;
    const int mr_;
    const int64_t taps_;
    const float* zeros_;
    int64_t top_ = 0, bottom_ = 0, left_ = 0, right_ = 0;
    int64_t cells_ = 0;
    const float** a_;  // (tiles, taps, mr)
    float** y_;        // (tiles, mr)
    bool* merged_;
};

// All products of a block with one panel (taps * c, nr).
void multiply(const TapConv& conv, const Block& block, int64_t run, const float* panel, int n,
              const float* bias, Activation activation, int64_t column) {
    const simd::Kernels& k = simd::kernels();
    const int64_t taps = static_cast<int64_t>(conv.taps.size());
    const int64_t step = std::max(run, kMaxK / conv.c / run * run);  // taps of a pass
    float* y[kMaxTileRows];
    for (int64_t t0 = 0; t0 == 0 || t0 < taps; t0 += step) {
        const int64_t t1 = std::min(taps, t0 + step);
        const bool last = t1 >= taps;
        for (int64_t tile = 0; tile < block.tiles(); ++tile) {
            const int m = block.rows(tile);
            for (int i = 0; i < m; ++i) y[i] = block.y(tile)[i] + column;
            const int64_t merge = block.taps_per_segment(tile);
            const int flags = (t0 > 0 ? simd::kAccumulate : 0) |
                              (last && activation == Activation::kRelu ? simd::kRelu : 0);
            k.tile(m, n, (t1 - t0) / merge, merge * conv.c, block.a(tile, t0),
                   panel + t0 * conv.c * k.nr, k.nr, t0 == 0 ? bias : nullptr, y, flags);
        }
    }
}

}  // namespace

int64_t tap_panels_size(const TapConv& conv) {
    const int nr = simd::kernels().nr;
    return ceil_div(conv.oc, nr) * nr * static_cast<int64_t>(conv.taps.size()) * conv.c;
}

void tap_conv(const TapConv& conv, const float* src, const float* panels, const float* bias,
              Activation activation, float* dst) {
    const int mr = simd::kernels().mr, nr = simd::kernels().nr;
    const int64_t cells = conv.n * conv.gh * conv.gw;
    const int64_t taps = static_cast<int64_t>(conv.taps.size());
    if (cells == 0) return;
    const int64_t run = run_length(conv);
    const int64_t panel_size = taps * conv.c * nr, panel_count = ceil_div(conv.oc, nr);

    Scratch shared;
    float* zeros = shared.take<float>(conv.c);
    std::memset(zeros, 0, sizeof(float) * conv.c);

    const int64_t fit = std::max<int64_t>(1, kMaxPointers / std::max<int64_t>(1, taps * mr));
    const int64_t tiles = ceil_div(cells, mr);
    const int64_t block_tiles = std::min({kBlockTiles, fit, ceil_div(tiles, num_threads())});
    const int64_t blocks = ceil_div(tiles, block_tiles);
    // With few pixels the panels are shared out as well.
    const int64_t parts = blocks >= 4 * num_threads() ? 1 : panel_count;
    parallel_for(blocks * parts, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        Block block(conv, run, mr, block_tiles, scratch, zeros);
        int64_t aimed = -1;
        for (int64_t task = begin; task < end; ++task) {
            const int64_t b = task / parts, part = task % parts;
            if (b != aimed) {
                const int64_t first = b * block_tiles * mr;
                block.aim(first, std::min(block_tiles * mr, cells - first), src, dst);
                aimed = b;
            }
            const int64_t p0 = parts == 1 ? 0 : part, p1 = parts == 1 ? panel_count : part + 1;
            for (int64_t p = p0; p < p1; ++p) {
                const int n = static_cast<int>(std::min<int64_t>(nr, conv.oc - p * nr));
                multiply(conv, block, run, panels + p * panel_size, n,
                         bias ? bias + p * nr : nullptr, activation, p * nr);
            }
        }
    });
}

}  // namespace pyconv
