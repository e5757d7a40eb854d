// What the native tests share: the counts of their checks.
#pragma once

#include <atomic>

inline std::atomic<int> passed{0}, failed{0};

// The thread pool, and traces of it.
void test_threads();
void test_trace();
