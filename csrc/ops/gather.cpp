#include "ops/gather.h"

#include <cstring>

#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {

void gather_rows(int64_t count, int64_t row, const void* x, RowType type, const int64_t* indices,
                 float* y) {
    const simd::Kernels& k = simd::kernels();
    parallel_for(count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const int64_t at = indices[i] * row;
            float* out = y + i * row;
            switch (type) {
                case RowType::kUint8:
                    k.convert_u8(row, static_cast<const uint8_t*>(x) + at, out);
                    break;
                case RowType::kFloat32:
                    std::memcpy(out, static_cast<const float*>(x) + at, sizeof(float) * row);
                    break;
                case RowType::kFloat64:
                    k.convert_f64(row, static_cast<const double*>(x) + at, out);
                    break;
            }
        }
    });
}

}  // namespace pyconv
