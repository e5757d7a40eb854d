// Bindings of what only the CPU backend has: threads, instruction sets and algorithms of
// convolutions, and what the environment says of them.

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/conv2d_winograd.h"
#include "parallel.h"
#include "simd/kernels.h"

namespace pyconv {
namespace {

void set_num_threads_(int64_t n) {
    if (n < 1 || n > kMaxThreads)
        fail("set_num_threads", "n must be from 1 to ", kMaxThreads, ", got ", n);
    without_gil("set_num_threads", std::tie(), [&] { set_num_threads(static_cast<int>(n)); });
}

std::vector<std::string> available_isas_() {
    std::vector<std::string> names;
    for (const char* const* name = simd::available_isas(); *name; ++name) names.push_back(*name);
    return names;
}

void set_isa_(const char* op, const std::string& name) {
    if (simd::set_isa(name.c_str())) return;
    std::string known;
    for (const std::string& isa : available_isas_()) known += (known.empty() ? "" : ", ") + isa;
    fail(op, "must be one of ", known, " on this CPU, got '", name, "'");
}

constexpr std::pair<const char*, ConvAlgorithm> kAlgorithms[] = {
    {"auto", ConvAlgorithm::kAuto},
    {"direct", ConvAlgorithm::kDirect},
    {"winograd", ConvAlgorithm::kWinograd},
};

void set_conv_algorithm_(const std::string& name) {
    for (const auto& [known, algorithm] : kAlgorithms)
        if (name == known) return set_conv_algorithm(algorithm);
    fail("set_conv_algorithm", "algorithm must be 'auto', 'direct' or 'winograd', got '", name,
         "'");
}

std::string get_conv_algorithm_() {
    for (const auto& [name, algorithm] : kAlgorithms)
        if (algorithm == conv_algorithm()) return name;
    return "auto";
}

void read_environment() {
    if (const char* text = std::getenv("PYCONV_NUM_THREADS"); text && *text) {
        char* end;
        const long n = std::strtol(text, &end, 10);
        if (*end || n < 1 || n > kMaxThreads)
            fail("PYCONV_NUM_THREADS", "must be an integer from 1 to ", kMaxThreads, ", got '",
                 text, "'");
        set_num_threads(static_cast<int>(n));
    }
    if (const char* name = std::getenv("PYCONV_ISA"); name && *name) set_isa_("PYCONV_ISA", name);
}

}  // namespace

void bind_runtime(py::module_& m) {
    bind_prediction(m);
    bind_graph(m);
    read_environment();
    bind_filters(m);
    m.def("set_num_threads", &set_num_threads_, "n"_a);
    m.def("get_num_threads", &num_threads);
    m.def("isa", [] { return std::string(simd::kernels().isa); });
    m.def("available_isas", &available_isas_);
    m.def("set_conv_algorithm", &set_conv_algorithm_, "algorithm"_a);
    m.def("get_conv_algorithm", &get_conv_algorithm_);
    m.def("set_isa", [](const std::string& name) { set_isa_("set_isa", name); }, "name"_a);
}

}  // namespace pyconv
