// A persistent pool of threads.
#pragma once

#include <cstdint>

namespace pyconv {

constexpr int kMaxThreads = 256;

// A function that is borrowed for the length of a call.
class RangeBody {
public:
    template <class F>
    RangeBody(const F& f)
        : object_(&f), call_([](const void* object, int64_t begin, int64_t end) {
              (*static_cast<const F*>(object))(begin, end);
          }) {}
    void operator()(int64_t begin, int64_t end) const { call_(object_, begin, end); }

private:
    const void* object_;
    void (*call_)(const void*, int64_t, int64_t);
};

// Calls body(begin, end) on contiguous ranges that cover 0..n, some a thread, and waits. Which
// thread gets what depends on who is done first: a body must compute each index by itself. Nested
// calls, and calls while another thread uses the pool, run inline. The first exception, by range,
// is thrown again here.
void parallel_for(int64_t n, RangeBody body);

int num_threads();
// n from 1 to kMaxThreads.
void set_num_threads(int n);

}  // namespace pyconv
