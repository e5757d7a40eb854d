// How products of float32 matrices are computed: what pyconv.set_float32_precision chose.
#pragma once

#include <atomic>

namespace pyconv::cuda {

enum class Precision {
    kHighest,  // float32 on CUDA cores
    kHigh,     // TF32 on tensor cores, from sm_80 on: operands rounded to 10 bits of mantissa
};

inline std::atomic<Precision> chosen_precision{Precision::kHighest};

inline Precision precision() { return chosen_precision.load(std::memory_order_relaxed); }
inline void set_precision(Precision precision) { chosen_precision = precision; }

}  // namespace pyconv::cuda
