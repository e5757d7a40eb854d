// Bindings of the machine's limits, for benchmarks.

#include "ops/peak.h"

#include "bindings/bindings.h"

namespace pyconv {
namespace {

int64_t peak_arithmetic_(int64_t rounds) {
    constexpr int64_t kMost = int64_t{1} << 40;
    if (rounds < 1 || rounds > kMost)
        fail("peak_arithmetic", "rounds must be from 1 to ", kMost, ", got ", rounds);
    int64_t operations = 0;
    without_gil("peak_arithmetic", std::tie(), [&] { operations = peak_arithmetic(rounds); });
    return operations;
}

Object peak_triad_(Object a, Object b, Object out) {
    const char* op = "peak_triad";
    const Input ai(op, "a", a, 1), bi(op, "b", b, 1);
    bi.expect(op, "b", ai.shape());
    Output y(op, "out", out, ai.shape());
    y.over_or_apart_from(op, ai).over_or_apart_from(op, bi);
    without_gil("peak_triad", std::tie(ai, bi, y),
                [&] { peak_triad(ai.size(), ai.data(), bi.data(), y.data()); });
    return y.object();
}

}  // namespace

void bind_peak(py::module_& m) {
    m.def("peak_arithmetic", &peak_arithmetic_, "rounds"_a);
    m.def("peak_triad", &peak_triad_, "a"_a, "b"_a, "out"_a = py::none());
}

}  // namespace pyconv
