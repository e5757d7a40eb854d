// Bindings of what only a device has: which there are, its memory, precision and graphs.

#include <exception>
#include <string>

#include "bindings/bindings.h"
#include "check.h"
#include "device_bindings.h"
#include "dropout.h"
#include "graph.h"
#include "memory.h"
#include "precision.h"

namespace pyconv {
namespace {

// Whether there is a device: the runtime's answer, the number of devices, and the versions of CUDA
// that the driver (0 where there is none) and this module are for.
py::tuple probe_() {
    int count = 0, driver = 0, runtime = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    cudaGetLastError();
    return py::make_tuple(cudaGetErrorName(status), status == cudaSuccess ? count : 0, driver,
                          runtime);
}

py::list devices_() {
    int count = 0;
    cuda::check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    py::list list;
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp properties;
        cuda::check(cudaGetDeviceProperties(&properties, i), "cudaGetDeviceProperties");
        list.append(py::make_tuple(std::string(properties.name), properties.totalGlobalMem,
                                   properties.major, properties.minor));
    }
    return list;
}

py::dict memory_stats_() {
    const cuda::MemoryStats s = cuda::memory_stats();
    return py::dict("in_use"_a = s.in_use, "peak"_a = s.peak, "cached"_a = s.cached,
                    "requests"_a = s.requests, "mallocs"_a = s.mallocs, "frees"_a = s.frees,
                    "pinned"_a = s.pinned, "pinned_mallocs"_a = s.pinned_mallocs);
}

#ifdef PYCONV_CUDA_GRAPHS
// `place` int64 (1,) holds the 64 bits of the offset.
Object dropout_at_(Object x, double rate, uint64_t seed, const cuda::Array& place, Object out) {
    const char* op = "dropout_at";
    const Input xi(op, "x", x);
    if (!(rate >= 0 && rate <= 1)) fail(op, "rate must be from 0 to 1, got ", rate);
    if (place.type() != cuda::Type::kInt64 || place.size() != 1)
        fail(op, "place must be int64 (1,), got shape ", to_string(place.shape()));
    Output y(op, "out", out, xi.shape());
    y.over_or_apart_from(op, xi).apart_from(op, place.data(), place.nbytes());
    without_gil("dropout", std::tie(xi, y), [&] {
        dropout_at(xi.size(), xi.data(), rate, seed, static_cast<const uint64_t*>(place.data()),
                   y.data());
    });
    return y.object();
}
#endif

}  // namespace

void bind_runtime(py::module_& m) {
    // Before the translator of all modules, whose text is of the host's memory.
    py::register_local_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const cuda::OutOfMemory& error) {
            PyErr_SetString(PyExc_MemoryError, error.what());
        }
    });
    bind_arrays(m);
    m.def("probe", &probe_);
    m.def("devices", &devices_);
    m.def("set_device", &cuda::set_device, "device"_a);
    m.def("device", &cuda::device);
    m.def("synchronize", [] {
        py::gil_scoped_release release;
        cuda::synchronize();
    });
    m.def("memory_stats", &memory_stats_);
    m.def("trim", &cuda::trim);
    m.def("keep_memory", &cuda::keep_memory, "keep"_a);
    m.def(
        "set_float32_precision",
        [](bool high) {
            cuda::set_precision(high ? cuda::Precision::kHigh : cuda::Precision::kHighest);
        },
        "high"_a);
#ifdef PYCONV_CUDA_EMULATION
    bind_emulation(m);
#endif
#ifdef PYCONV_CUDA_GRAPHS
    py::class_<cuda::Graph>(m, "Graph", py::module_local())
        .def(py::init<>())
        .def("begin", &cuda::Graph::begin)
        .def("end", &cuda::Graph::end)
        .def("abandon", &cuda::Graph::abandon)
        .def("launch", &cuda::Graph::launch);
    m.def("dropout_at", &dropout_at_, "x"_a, "rate"_a, "seed"_a, "place"_a, "out"_a = py::none());
#endif
}

}  // namespace pyconv
