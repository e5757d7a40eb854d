// Rows of a data set, gathered into a batch and converted to float32.
#pragma once

#include <cstdint>

namespace pyconv {

enum class RowType { kUint8, kFloat32, kFloat64 };

// y (row) = row `at` of x, whose rows have `row` values of `type`
void convert_row(int64_t row, const void* x, RowType type, int64_t at, float* y);

// Asks for the beginnings of the pages of row `at`: rows of a data set lie anywhere in memory.
void fetch_ahead(int64_t row, const void* x, RowType type, int64_t at);

// y (count, row) = x[indices] where x has rows of `row` values of `type`
void gather_rows(int64_t count, int64_t row, const void* x, RowType type, const int64_t* indices,
                 float* y);

}  // namespace pyconv
