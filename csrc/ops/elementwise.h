// How elementwise operations are shared out.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.h"
#include "parallel.h"

namespace pyconv {

// Calls body(begin, end) over 0..n in pieces of at least this many floats; less is not worth
// waking a thread. Pieces begin at multiples of it.
constexpr int64_t kElementwisePiece = 8192;

template <class Body>
void parallel_elements(int64_t n, const Body& body) {
    parallel_for(ceil_div(n, kElementwisePiece), [&](int64_t begin, int64_t end) {
        body(begin * kElementwisePiece, std::min(n, end * kElementwisePiece));
    });
}

}  // namespace pyconv
