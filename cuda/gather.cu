// Rows of a data set that lies on the device. A block takes a piece of a row, so that the index is
// read once a block and the values of a row in one sweep.

#include "ops/gather.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

constexpr int kRowPiece = 4 * cuda::kElementThreads;

// x (rows, row), indices (count,), y (count, row); `pieces` pieces a row
template <class T>
__global__ void gather_kernel(int64_t count, int64_t row, int64_t pieces, const T* x,
                              const int64_t* indices, float* y) {
    for (int64_t task = blockIdx.x; task < count * pieces; task += gridDim.x) {
        const int64_t i = task / pieces, begin = (task - i * pieces) * kRowPiece;
        const T* from = x + indices[i] * row;
        float* to = y + i * row;
        const int64_t end = min(row, begin + kRowPiece);
        for (int64_t j = begin + threadIdx.x; j < end; j += blockDim.x)
            to[j] = static_cast<float>(from[j]);
    }
}

template <class T>
void gather(int64_t count, int64_t row, const void* x, const int64_t* indices, float* y) {
    constexpr int64_t kMostBlocks = int64_t{1} << 16;
    const int64_t pieces = (row + kRowPiece - 1) / kRowPiece;
    const int64_t blocks = std::min(count * pieces, kMostBlocks);
    cuda::launch(gather_kernel<T>, blocks, cuda::kElementThreads, 0, cuda::stream(), count, row,
                 pieces, static_cast<const T*>(x), indices, y);
}

}  // namespace

void gather_rows(int64_t count, int64_t row, const void* x, RowType type, const int64_t* indices,
                 float* y) {
    switch (type) {
        case RowType::kUint8:
            return gather<uint8_t>(count, row, x, indices, y);
        case RowType::kFloat32:
            return gather<float>(count, row, x, indices, y);
        case RowType::kFloat64:
            return gather<double>(count, row, x, indices, y);
    }
}

}  // namespace pyconv
