// Where the largest prediction of a row is that of its label: the rows of an accuracy.
#pragma once

#include <cstdint>

namespace pyconv {

// predictions (rows, c); classes (rows,), or, where null, labels (rows, c), whose largest counts.
// hits (rows,) = 1 or 0. Of equal values the first counts, and NaN is larger than any number.
void argmax_hits(int64_t rows, int64_t c, const float* predictions, const int64_t* classes,
                 const float* labels, float* hits);

}  // namespace pyconv
