// The product that a convolution and its input gradient share: a convolution as a list of taps.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/shapes.h"

namespace pyconv {

// Products along k of one pass: (kMaxK, nr) of a panel stays in the first-level cache while all
// tiles of a block pass over it, and chains of kMaxK additions keep the error low.
constexpr int64_t kMaxK = 128;

// Where a tap reads, relative to the source pixel of a cell.
struct Tap {
    int64_t row, col;
};

// dst cell (image, i, j) = act(bias + sum over taps t and channels k of
//   src[image][i * sh + t.row][j * sw + t.col][k] * weights[t][k]); pixels outside src are 0.
struct TapConv {
    int64_t h, w;                         // source: rows, columns
    int64_t c, src_ld;                    // channels read, floats from one pixel to the next
    int64_t gh, gw;                       // cells of an image
    int64_t sh, sw;                       // source pixels from one cell to the next
    int64_t dst_image, dst_row, dst_col;  // floats from one cell to the next
    int64_t oc;                           // channels written
    std::vector<Tap> taps;
};

// The taps of a convolution, of its first group.
TapConv forward_taps(const Conv2dShape& s);

struct TapGeometry;

// What is known of such a product before its data, made once for any number of runs.
class TapPlan {
public:
    explicit TapPlan(TapConv conv);
    ~TapPlan();
    TapPlan(TapPlan&&) noexcept;

    // Floats of the packed weights: ceil(oc / nr) panels of (taps * c, nr).
    int64_t panels_size() const;

    // Packs them. The (c, oc) matrix of tap t begins at w + matrices[t], with rows ld apart;
    // `transposed` takes (oc, c) matrices.
    void pack(const float* w, const std::vector<int64_t>& matrices, int64_t ld, bool transposed,
              float* panels) const;

    // The product of the first `images` images. src and dst point at the first channel to read
    // and write. bias (oc,) or null.
    void run(int64_t images, const float* src, const float* panels, const float* bias,
             Activation activation, float* dst) const;

    TapConv conv;

private:
    std::unique_ptr<const TapGeometry> geometry_;
};

}  // namespace pyconv
