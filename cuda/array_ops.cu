// One thread an element, in strides of the grid. Axes that lie one after the other in every
// operand are taken as one, so that most arrays are read straight through.

#include "array_ops.h"

#include <algorithm>

#include "elementwise.cuh"

namespace pyconv::cuda {
namespace {

int64_t count(const Axes& axes) {
    int64_t n = 1;
    for (int i = 0; i < axes.rank; ++i) n *= axes.extents[i];
    return n;
}

// Joins axis i + 1 to axis i where each of the operands goes on from one row to the next.
void collapse(Axes& axes, Strides** operands, int number) {
    for (int i = axes.rank - 2; i >= 0; --i) {
        const int64_t inner = axes.extents[i + 1];
        const bool joined = std::all_of(operands, operands + number, [&](const Strides* s) {
            return s->along[i] == s->along[i + 1] * inner;
        });
        if (!joined) continue;
        axes.extents[i] *= inner;
        for (int k = 0; k < number; ++k) operands[k]->along[i] = operands[k]->along[i + 1];
        for (int j = i + 1; j + 1 < axes.rank; ++j) {
            axes.extents[j] = axes.extents[j + 1];
            for (int k = 0; k < number; ++k) operands[k]->along[j] = operands[k]->along[j + 1];
        }
        --axes.rank;
    }
}

__device__ int64_t offset(int64_t i, const Axes& axes, const Strides& strides) {
    int64_t at = 0;
    for (int axis = axes.rank - 1; axis > 0; --axis) {
        const int64_t rest = i / axes.extents[axis];
        at += (i - rest * axes.extents[axis]) * strides.along[axis];
        i = rest;
    }
    return at + i * strides.along[0];
}

__device__ float value_of(const Operand& x, int64_t i, const Axes& axes) {
    return x.data ? x.data[offset(i, axes, x.strides)] : x.number;
}

// As numpy has it: NaN passes on.
__device__ float larger(float a, float b) { return a > b || a != a ? a : b; }
__device__ float smaller(float a, float b) { return a < b || a != a ? a : b; }

__device__ float result_of(Arithmetic op, float a, float b) {
    switch (op) {
        case Arithmetic::kCopy:
            return a;
        case Arithmetic::kNegative:
            return -a;
        case Arithmetic::kExp:
            return expf(a);
        case Arithmetic::kTanh:
            return tanhf(a);
        case Arithmetic::kReciprocal:
            return 1.f / a;
        case Arithmetic::kSign:
            return a > 0.f ? 1.f : a < 0.f ? -1.f : a;
        case Arithmetic::kAbsolute:
            return fabsf(a);
        case Arithmetic::kSquare:
            return a * a;
        case Arithmetic::kAdd:
            return a + b;
        case Arithmetic::kSubtract:
            return a - b;
        case Arithmetic::kMultiply:
            return a * b;
        case Arithmetic::kDivide:
            return a / b;
        case Arithmetic::kMaximum:
            return larger(a, b);
        case Arithmetic::kMinimum:
            return smaller(a, b);
        case Arithmetic::kSquareRoot:
            return sqrtf(a);
    }
    return 0.f;
}

__global__ void arithmetic_kernel(Arithmetic op, int64_t n, const __grid_constant__ Axes axes,
                                  const __grid_constant__ Operand a,
                                  const __grid_constant__ Operand b, const bool* where, float* out,
                                  const __grid_constant__ Strides out_strides) {
    for (int64_t i = first_task(); i < n; i += task_step())
        if (!where || where[i])
            out[offset(i, axes, out_strides)] =
                result_of(op, value_of(a, i, axes), value_of(b, i, axes));
}

__global__ void comparison_kernel(Comparison op, int64_t n, const __grid_constant__ Axes axes,
                                  const __grid_constant__ Operand a,
                                  const __grid_constant__ Operand b, bool* out) {
    for (int64_t i = first_task(); i < n; i += task_step()) {
        const float x = value_of(a, i, axes), y = value_of(b, i, axes);
        out[i] = op == Comparison::kLess        ? x < y
                 : op == Comparison::kLessEqual ? x <= y
                 : op == Comparison::kGreater   ? x > y
                                                : x >= y;
    }
}

template <class T>
__global__ void to_floats_kernel(int64_t n, const T* values, float* out) {
    for (int64_t i = first_task(); i < n; i += task_step()) out[i] = static_cast<float>(values[i]);
}

}  // namespace

void arithmetic(Arithmetic op, const Axes& axes, Operand a, Operand b, const bool* where,
                float* out, Strides out_strides) {
    const int64_t n = count(axes);
    if (n == 0) return;
    Axes joined = axes;
    Strides* operands[] = {&a.strides, &b.strides, &out_strides};
    collapse(joined, operands, 3);
    launch(arithmetic_kernel, element_blocks(n), kElementThreads, 0, stream(), op, n, joined, a, b,
           where, out, out_strides);
}

void comparison(Comparison op, const Axes& axes, Operand a, Operand b, bool* out) {
    const int64_t n = count(axes);
    if (n == 0) return;
    Axes joined = axes;
    Strides* operands[] = {&a.strides, &b.strides};
    collapse(joined, operands, 2);
    launch(comparison_kernel, element_blocks(n), kElementThreads, 0, stream(), op, n, joined, a, b,
           out);
}

void fill_floats(int64_t n, float value, float* out) {
    const Axes axes{1, {n}};
    arithmetic(Arithmetic::kCopy, axes, {nullptr, value, {}}, {nullptr, 0.f, {}}, nullptr, out,
               {{1}});
}

void to_floats(int64_t n, const void* values, Type type, float* out) {
    if (type == Type::kUint8)
        launch(to_floats_kernel<uint8_t>, element_blocks(n), kElementThreads, 0, stream(), n,
               static_cast<const uint8_t*>(values), out);
    else if (type == Type::kFloat64)
        launch(to_floats_kernel<double>, element_blocks(n), kElementThreads, 0, stream(), n,
               static_cast<const double*>(values), out);
    else
        launch(to_floats_kernel<float>, element_blocks(n), kElementThreads, 0, stream(), n,
               static_cast<const float*>(values), out);
}

}  // namespace pyconv::cuda
