#include "ops/argmax_hits.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"

namespace pyconv {
namespace {

int64_t argmax(int64_t c, const float* x) {
    int64_t at = 0;
    for (int64_t j = 1; j < c && !std::isnan(x[at]); ++j)
        if (!(x[j] <= x[at])) at = j;
    return at;
}

}  // namespace

void argmax_hits(int64_t rows, int64_t c, const float* predictions, const int64_t* classes,
                 const float* labels, float* hits) {
    // A thread is worth some 16,000 values.
    const int64_t pieces = std::clamp<int64_t>(rows * c / 16384, 1, std::max<int64_t>(rows, 1));
    parallel_for(pieces, [&](int64_t begin, int64_t end) {
        for (int64_t r = rows * begin / pieces; r < rows * end / pieces; ++r) {
            const int64_t wanted = classes ? classes[r] : argmax(c, labels + r * c);
            hits[r] = argmax(c, predictions + r * c) == wanted;
        }
    });
}

}  // namespace pyconv
