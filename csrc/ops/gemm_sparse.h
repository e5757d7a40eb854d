// Matrix products whose left matrix has many zeros, as activations have after ReLU and dropout, and
// their gradients: the zeros are left out. The same bits as gemm's, for finite numbers.
#pragma once

#include <cstdint>

#include "ops/gemm.h"
#include "scratch.h"

namespace pyconv {

// Whether sparse_gemm is the faster way, by a sample of A.
bool sparse_pays(const Gemm& g);
void sparse_gemm(const Gemm& g);

// Whether so many values of A are 0, by a sample, that lists of the others pay.
bool mostly_listed(int64_t rows, int64_t columns, const float* a, int64_t ld);

// Offsets of the rows of a packed panel.
const int32_t* places_of_rows(int64_t rows, Scratch& scratch);

}  // namespace pyconv
