// Products of a matrix of few rows: B is read once, where it lies, and its memory bounds them.
#pragma once

#include "ops/gemm.h"

namespace pyconv {

bool few_rows_pay(const Gemm& g);
void few_rows_gemm(const Gemm& g);

}  // namespace pyconv
