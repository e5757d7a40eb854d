// Arithmetic on single elements with broadcasting: for the few places where the CPU backend leaves
// that to numpy.
#pragma once

#include <cstdint>

namespace pyconv::cuda {

// Types of elements that arrays on the device may have.
enum class Type : int { kFloat32, kFloat64, kInt64, kUint8, kBool };

enum class Arithmetic : int {
    kCopy,  // of the first operand
    kNegative,
    kExp,
    kTanh,
    kReciprocal,
    kSign,
    kAbsolute,
    kSquare,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kMaximum,
    kMinimum,
    kSquareRoot,
};

enum class Comparison : int { kLess, kLessEqual, kGreater, kGreaterEqual };

constexpr int kMaxRank = 6;

// How the elements of an array lie along the axes of a result; 0 along axes that are broadcast.
struct Strides {
    int64_t along[kMaxRank];
};

// An array of floats with strides counted in floats, or, where `data` is null, a number.
struct Operand {
    const float* data;
    float number;
    Strides strides;
};

// The axes of a result.
struct Axes {
    int rank;
    int64_t extents[kMaxRank];
};

// out = op(a, b) where `where` (contiguous, of the result's shape; or null) holds true. `out` may
// be an operand, element for element.
void arithmetic(Arithmetic op, const Axes& axes, Operand a, Operand b, const bool* where,
                float* out, Strides out_strides);
// out (contiguous) = a < b and the like
void comparison(Comparison op, const Axes& axes, Operand a, Operand b, bool* out);

void fill_floats(int64_t n, float value, float* out);
// out (n,) = values (n,) of type uint8, float32 or float64
void to_floats(int64_t n, const void* values, Type type, float* out);

}  // namespace pyconv::cuda
