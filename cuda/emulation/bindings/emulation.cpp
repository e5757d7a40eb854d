// What the module of the emulated device has beside the backend's.

#include <pybind11/pybind11.h>

#include "device_bindings.h"
#include "launch.h"
#include "traffic.h"

namespace pyconv {

namespace py = pybind11;
using namespace py::literals;

void bind_emulation(py::module_& m) {
    m.def("set_seed", &emulation::set_seed, "seed"_a);
    m.def("count_traffic", &emulation::count_traffic, "on"_a);
    m.def("traffic", [] {
        py::list all;
        for (const emulation::Traffic& one : emulation::traffic())
            all.append(py::dict("kernel"_a = one.kernel, "place"_a = one.place,
                                "shared"_a = one.shared, "write"_a = one.write,
                                "bytes"_a = one.bytes, "requests"_a = one.requests,
                                "transactions"_a = one.transactions, "ideal"_a = one.ideal));
        return all;
    });
}

}  // namespace pyconv
