#include "dlpack.h"

#include <cstdint>
#include <iterator>
#include <string>

#include "array.h"
#include "check.h"

namespace pyconv::cuda {
namespace {

// The structures of dlpack.h, version 0.8.
struct DLDevice {
    int32_t type, id;
};
struct DLDataType {
    uint8_t code, bits;
    uint16_t lanes;
};
struct DLTensor {
    void* data;
    DLDevice device;
    int32_t ndim;
    DLDataType dtype;
    int64_t* shape;
    int64_t* strides;
    uint64_t byte_offset;
};
struct DLManagedTensor {
    DLTensor tensor;
    void* manager;
    void (*deleter)(DLManagedTensor*);
};

#ifdef PYCONV_CUDA_EMULATION
constexpr int kDevice = 1;  // an emulated device's memory is the host's
using emulation::share_with_device, emulation::share_with_host, emulation::withdraw_from_device;
#else
constexpr int kDevice = 2;
void share_with_host(const void*) {}
void share_with_device(const void*, size_t) {}
void withdraw_from_device(const void*) {}
#endif

// In the order of Type: float32, float64, int64, uint8, bool.
constexpr DLDataType kTypes[] = {{2, 32, 1}, {2, 64, 1}, {0, 64, 1}, {1, 8, 1}, {6, 8, 1}};

struct Exported {
    Array array;
    DLManagedTensor managed;
};

void wait_on(cudaStream_t waiting, cudaStream_t for_stream) {
    cudaEvent_t event;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    check(cudaEventRecord(event, for_stream), "cudaEventRecord");
    check(cudaStreamWaitEvent(waiting, event, 0), "cudaStreamWaitEvent");
    cudaEventDestroy(event);
}

}  // namespace

std::pair<int, int> dlpack_device(int device) { return {kDevice, device}; }

py::capsule to_dlpack(const Array& array, const py::object& stream) {
    if (kDevice == 1) {
        synchronize();  // consumers on the host have no stream
        share_with_host(array.data());
    } else {
        // None is the legacy default stream, as 1 is; 2 is the default stream of the thread.
        const auto number = stream.is_none() ? int64_t{1} : stream.cast<int64_t>();
        if (number != -1)
            wait_on(reinterpret_cast<cudaStream_t>(static_cast<uintptr_t>(number)), cuda::stream());
    }
    auto* const exported = new Exported{array, {}};
    DLManagedTensor& managed = exported->managed;
    managed.tensor = {array.data(),
                      {kDevice, array.device()},
                      static_cast<int32_t>(array.shape().size()),
                      kTypes[static_cast<int>(array.type())],
                      const_cast<int64_t*>(exported->array.shape().data()),
                      nullptr,
                      0};
    managed.manager = exported;
    managed.deleter = [](DLManagedTensor* self) {
        // The consumer's stream may still work on memory that ours is given next.
        cudaDeviceSynchronize();
        delete static_cast<Exported*>(self->manager);
    };
    return py::capsule(&managed, "dltensor", [](PyObject* capsule) {
        if (!PyCapsule_IsValid(capsule, "dltensor")) return;  // taken, and renamed
        auto* const self = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
        self->deleter(self);
    });
}

Array from_dlpack(const py::object& source) {
    if (!py::hasattr(source, "__dlpack__") || !py::hasattr(source, "__dlpack_device__"))
        throw py::type_error("from_dlpack: the array must have __dlpack__, got a " +
                             described(source));
    const auto [type, id] = source.attr("__dlpack_device__")().cast<std::pair<int, int>>();
    if (type != kDevice || (kDevice != 1 && id != device()))
        throw py::type_error("from_dlpack: the array must be on cuda:" + std::to_string(device()) +
                             "; copy it there first");
    py::object capsule =
        kDevice == 1 ? source.attr("__dlpack__")()
                     : source.attr("__dlpack__")(py::arg("stream") =
                                                     reinterpret_cast<uintptr_t>(cuda::stream()));
    auto* const managed =
        static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
    if (!managed) throw py::error_already_set();
    const DLTensor& t = managed->tensor;
    int found = -1;
    for (int i = 0; i < static_cast<int>(std::size(kTypes)); ++i)
        if (t.dtype.code == kTypes[i].code && t.dtype.bits == kTypes[i].bits && t.dtype.lanes == 1)
            found = i;
    if (found < 0)
        throw py::type_error(
            "from_dlpack: the array must be float32, float64, int64, uint8 or "
            "bool");
    const Shape shape(t.shape, t.shape + t.ndim);
    int64_t next = 1;
    for (int axis = t.ndim - 1; t.strides && axis >= 0; --axis) {
        if (shape[axis] != 1 && t.strides[axis] != next)
            fail("from_dlpack", "the array must be C-contiguous, got shape ", to_string(shape));
        next *= shape[axis];
    }
    PyCapsule_SetName(capsule.ptr(), "used_dltensor");
    char* const data = static_cast<char*>(t.data) + t.byte_offset;
    int64_t bytes_taken = kTypes[found].bits / 8;
    for (const int64_t extent : shape) bytes_taken *= extent;
    share_with_device(data, static_cast<size_t>(bytes_taken));
    std::shared_ptr<void> bytes(managed, [data](void* taken) {
        synchronize();  // its owner may use it as soon as it is back
        withdraw_from_device(data);
        auto* const owned = static_cast<DLManagedTensor*>(taken);
        if (owned->deleter) owned->deleter(owned);
    });
    auto memory = std::make_shared<Memory>(Memory{bytes, device(), 0, std::nullopt});
    return {memory, data, shape, static_cast<Type>(found)};
}

}  // namespace pyconv::cuda
