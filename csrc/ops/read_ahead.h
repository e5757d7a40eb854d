// Memory that is read into a core's second cache while the core multiplies something else.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"

namespace pyconv {

// Rows of a matrix, asked for some lines at a time.
class ReadAhead {
public:
    ReadAhead() = default;
    // (rows, columns) from `data` on, a share of them at each of `calls` calls of fetch.
    ReadAhead(const float* data, int64_t ld, int64_t rows, int64_t columns, int64_t calls)
        : data_(data), ld_(ld), left_(rows), columns_(columns), at_once_(ceil_div(rows, calls)) {}

    void fetch() {
        for (int64_t i = std::min(left_, at_once_); i > 0; --i, --left_, data_ += ld_)
            for (int64_t j = 0; j < columns_ + kLine - 1; j += kLine)
                __builtin_prefetch(data_ + std::min(j, columns_ - 1), 0, kSecondLevel);
    }

private:
    static constexpr int64_t kLine = 16;  // floats
    static constexpr int kSecondLevel = 2;
    const float* data_ = nullptr;
    int64_t ld_ = 0, left_ = 0, columns_ = 0, at_once_ = 0;
};

}  // namespace pyconv
