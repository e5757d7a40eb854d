#include "ops/gather.h"

#include <algorithm>
#include <cstring>

#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {

void convert_row(int64_t row, const void* x, RowType type, int64_t at, float* y) {
    const simd::Kernels& k = simd::kernels();
    const int64_t first = at * row;
    switch (type) {
        case RowType::kUint8:
            return k.convert_u8(row, static_cast<const uint8_t*>(x) + first, y);
        case RowType::kFloat32:
            std::memcpy(y, static_cast<const float*>(x) + first, sizeof(float) * row);
            return;
        case RowType::kFloat64:
            return k.convert_f64(row, static_cast<const double*>(x) + first, y);
    }
}

void fetch_ahead(int64_t row, const void* x, RowType type, int64_t at) {
    constexpr int64_t kPage = 4096, kLine = 64;
    const int64_t size = type == RowType::kUint8 ? 1 : type == RowType::kFloat32 ? 4 : 8;
    const char* first = static_cast<const char*>(x) + at * row * size;
    for (int64_t i = 0; i < row * size; i += kPage) {
        __builtin_prefetch(first + i);
        __builtin_prefetch(first + std::min(i + kLine, row * size - 1));
    }
}

void gather_rows(int64_t count, int64_t row, const void* x, RowType type, const int64_t* indices,
                 float* y) {
    parallel_for(count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            if (i + 1 < end) fetch_ahead(row, x, type, indices[i + 1]);
            convert_row(row, x, type, indices[i], y + i * row);
        }
    });
}

}  // namespace pyconv
