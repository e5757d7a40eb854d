// Errors of arguments, and arithmetic on sizes that cannot overflow unseen.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace pyconv {

// Throws std::invalid_argument (Python's ValueError): "op: " and the parts, one after the other.
template <class... Parts>
[[noreturn]] void fail(const char* op, const Parts&... parts) {
    std::ostringstream text;
    text << op << ": ";
    (text << ... << parts);
    throw std::invalid_argument(text.str());
}

inline int64_t checked_add(const char* op, int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) fail(op, "sizes overflow: ", a, " + ", b);
    return sum;
}

inline int64_t checked_mul(const char* op, int64_t a, int64_t b) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) fail(op, "sizes overflow: ", a, " * ", b);
    return product;
}

// Half of the memory that this process may have, in bytes: a larger array is a mistake, and taking
// it could end the process.
double memory_limit();

// Throws unless `floats` floats, which are `what`, stay below the limit.
void check_memory(const char* op, const std::string& what, double floats);

// Floor and ceiling of a / b, and a modulo b, for b > 0.
inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
inline int64_t ceil_div(int64_t a, int64_t b) { return floor_div(a + b - 1, b); }
inline int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }

}  // namespace pyconv
