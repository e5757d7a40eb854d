// Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
// networks", 2012, section 3.3.

#include "ops/lrn.h"

#include <algorithm>

#include "ops/elementwise.h"
#include "scratch.h"

namespace pyconv {
namespace {

// body(first row, rows, workspace of `padded` rows), in parallel
template <class Body>
void each_rows(int64_t rows, int64_t c, const LrnParams& p, int64_t padded, const Body& body) {
    const int64_t piece = std::max<int64_t>(kElementwisePiece / 4 / std::max<int64_t>(c, 1), 1);
    parallel_for(ceil_div(rows, piece), [&](int64_t begin, int64_t end) {
        Scratch scratch;
        float* work = scratch.take<float>(padded * (c + 2 * p.radius));
        body(begin * piece, std::min(rows, end * piece) - begin * piece, work);
    });
}

// No window reaches farther than all channels.
LrnParams within(LrnParams p, int64_t c) {
    p.radius = std::min(p.radius, std::max<int64_t>(c - 1, 0));
    return p;
}

}  // namespace

void lrn_forward(int64_t rows, int64_t c, const LrnParams& params, const float* x, float* y) {
    const LrnParams p = within(params, c);
    each_rows(rows, c, p, 1, [&](int64_t first, int64_t count, float* work) {
        simd::kernels().lrn(count, c, p, x + first * c, y + first * c, work);
    });
}

void lrn_backward(int64_t rows, int64_t c, const LrnParams& params, const float* x, const float* dy,
                  float* dx) {
    const LrnParams p = within(params, c);
    each_rows(rows, c, p, 2, [&](int64_t first, int64_t count, float* work) {
        const int64_t at = first * c;
        simd::kernels().lrn_backward(count, c, p, x + at, dy + at, dx + at, work);
    });
}

}  // namespace pyconv
