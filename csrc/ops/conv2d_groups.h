// Convolution of many small groups, whose channels do not fill a vector: the input is spread, so
// that vectors run over the outputs of several groups. No group meets another's values.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/conv_taps.h"
#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

// Whether it is faster than a product for each group of c channels with oc outputs.
bool spreading_pays(int64_t c, int64_t oc, int64_t groups);

// A TapConv (conv_taps.h) for each of the groups, which lie side by side in src and dst.
class SpreadPlan {
public:
    // Products of one source that differ in taps, cells and where they begin in dst; the first has
    // the most cells.
    struct Phase {
        TapConv conv;
        int64_t dst;
    };
    SpreadPlan(std::vector<Phase> phases, int64_t groups);

    // Packs weight(tap, c, output), of all phases' taps and all groups' outputs, into workspace.
    template <class Weight>
    const float* pack(const Weight& weight, Workspace& workspace) const {
        const int64_t terms = this->terms();
        float* packed = workspace.take<float>(blocks_ * terms * lanes_);
        for (int64_t block = 0; block < blocks_; ++block)
            for (int64_t t = 0; t < terms; ++t)
                for (int64_t lane = 0; lane < lanes_; ++lane)
                    packed[(block * terms + t) * lanes_ + lane] =
                        lane < outputs(block) ? weight(t / c_, t % c_, first_output(block) + lane)
                                              : 0.f;
        return packed;
    }

    // As TapPlan's, for all groups.
    void run(int64_t images, const float* src, const float* packed, const float* bias,
             Activation activation, float* dst) const;

    // Of one phase: dw (tap, c, output) = sum over the cells of n images of src * ddst
    void backward_weights(int64_t n, const float* src, const float* ddst, float* dw) const;

private:
    // Source rows (or columns) of a tile of cells that are spread.
    struct Axis {
        Axis(const std::vector<Phase>& phases, int64_t Tap::* at, int64_t stride);
        int64_t start(int64_t cell) const { return cell * stride + first; }
        int64_t size(int64_t cells) const { return (cells - 1) * (stride / step) + extent; }
        int64_t stride, first, extent;  // first and number of those under cell 0
        int64_t step;                   // from one to the next: those between that no tap reads
    };
    struct Tile {
        int64_t image, row, rows, col, cols;
    };

    int64_t terms() const { return static_cast<int64_t>(offsets_.size()); }
    int64_t first_output(int64_t block) const { return block * block_groups_ * oc_; }
    int64_t outputs(int64_t block) const;
    int64_t tiles() const { return row_tiles_ * col_tiles_; }  // of an image
    Tile tile(int64_t index) const;
    int64_t spread_size() const { return rows_.size(tile_rows_) * row_size(); }
    int64_t row_size() const { return cols_.size(tile_cols_) * pixel_size(); }
    int64_t pixel_size() const { return c_ * lanes_; }
    std::vector<int> inputs(int64_t block) const;
    void spread(const Tile& tile, int64_t block, const float* src, float* dst) const;
    // From one cell to the next in what was spread.
    int64_t row_step() const { return rows_.stride / rows_.step * row_size(); }
    int64_t col_step() const { return cols_.stride / cols_.step * pixel_size(); }

    std::vector<Phase> phases_;
    int64_t c_, oc_, groups_, lanes_;
    int64_t block_groups_, blocks_;  // groups of a vector, vectors
    std::vector<int> inputs_, last_inputs_;
    Axis rows_, cols_;
    int64_t tile_rows_, tile_cols_, row_tiles_, col_tiles_;  // in cells, in tiles
    std::vector<int64_t> offsets_;                           // of each term in a tile
};

}  // namespace pyconv
