// Filters that are a column times a row. The columns' sums of an image row are taken first: what
// lies beyond the border of that line of sums is then found in the line itself.
#pragma once

#include "ops/filter_shape.h"
#include "parallel.h"
#include "scratch.h"

namespace pyconv {

template <class T>
struct RowWindow {
    int64_t row;           // of the result
    const T* const* rows;  // (kh) rows of the image
};

// Calls body(RowWindow) for each row of the result.
template <class T, class Body>
void each_result_row(const FilterShape& s, const T* x, const Body& body) {
    parallel_for(s.oh, [&](int64_t begin, int64_t end) {
        Scratch scratch;
        T* zeros = scratch.take<T>(s.line());
        std::memset(zeros, 0, sizeof(T) * s.line());
        const T** rows = scratch.take<const T*>(s.kernel.h);
        const SourceRows<T> source(s, x, zeros);
        for (int64_t i = begin; i < end; ++i) {
            for (int64_t a = 0; a < s.kernel.h; ++a) rows[a] = source[i + a];
            body(RowWindow<T>{i, rows});
        }
    });
}

// y = the sum over each window of its values times rows (kh,) times cols (kw,), over divisor
void separable(const FilterShape& s, const float* x, const float* rows, const float* cols,
               float divisor, float* y);

}  // namespace pyconv
