// Rows of a data set, gathered into a batch and converted to float32.
#pragma once

#include <cstdint>

namespace pyconv {

enum class RowType { kUint8, kFloat32, kFloat64 };

// y (count, row) = x[indices] where x has rows of `row` values of `type`
void gather_rows(int64_t count, int64_t row, const void* x, RowType type, const int64_t* indices,
                 float* y);

}  // namespace pyconv
