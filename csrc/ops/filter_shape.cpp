#include "ops/filter_shape.h"

#include "check.h"

namespace pyconv {

int64_t border_index(int64_t i, int64_t n, Border border) {
    if (i >= 0 && i < n) return i;
    switch (border) {
        case Border::kConstant:
            return -1;
        case Border::kReplicate:
            return i < 0 ? 0 : n - 1;
        case Border::kReflect: {
            const int64_t at = floor_mod(i, 2 * n);
            return std::min(at, 2 * n - 1 - at);
        }
        case Border::kReflect101: {
            if (n == 1) return 0;
            const int64_t at = floor_mod(i, 2 * n - 2);
            return std::min(at, 2 * n - 2 - at);
        }
        case Border::kWrap:
            return floor_mod(i, n);
    }
    return -1;
}

}  // namespace pyconv
