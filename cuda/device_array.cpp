#include "device_array.h"

#include <algorithm>
#include <cstring>

#include "array.h"
#include "array_ops.h"
#include "check.h"

namespace pyconv::cuda {
namespace {

struct Known {
    Type type;
    const char* format;
    int64_t bytes;
};

constexpr Known kTypes[] = {{Type::kFloat32, "float32", 4},
                            {Type::kFloat64, "float64", 8},
                            {Type::kInt64, "int64", 8},
                            {Type::kUint8, "uint8", 1},
                            {Type::kBool, "bool", 1}};

int64_t elements(const char* op, const Shape& shape) {
    int64_t count = 1;
    for (const int64_t extent : shape) {
        if (extent < 0) fail(op, "a shape must hold sizes from 0, got ", to_string(shape));
        count = checked_mul(op, count, extent);
    }
    return count;
}

void check_device_memory(const char* op, const char* what, const Shape& shape, double bytes) {
    static thread_local std::pair<int, double> known{-1, 0};  // device, its memory
    if (known.first != device()) {
        size_t free = 0, all = 0;
        stream();
        check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
        known = {device(), static_cast<double>(all)};
    }
    const double total = known.second;
    if (bytes > total)
        fail(op, what, " of shape ", to_string(shape), " would take ",
             static_cast<int64_t>(bytes / (1 << 20)), " MiB, more than the memory of the device, ",
             static_cast<int64_t>(total / (1 << 20)), " MiB");
}

std::pair<int64_t, int64_t> range_of(const int64_t* values, int64_t count) {
    if (count == 0) return {0, 0};
    const auto [low, high] = std::minmax_element(values, values + count);
    return {*low, *high};
}

py::array empty_numpy(const Shape& shape, Type type) {
    return py::array(dtype_of(type), std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

}  // namespace

int64_t itemsize(Type type) { return kTypes[static_cast<int>(type)].bytes; }

py::dtype dtype_of(Type type) { return py::dtype(kTypes[static_cast<int>(type)].format); }

std::optional<Type> type_of(const py::dtype& dtype) {
    for (const Known& known : kTypes)
        if (dtype.equal(py::dtype(known.format))) return known.type;
    return std::nullopt;
}

Array::Array(const char* op, Shape shape, Type type, const char* what)
    : shape_(std::move(shape)), type_(type), size_(elements(op, shape_)) {
    const double bytes = static_cast<double>(size_) * itemsize(type);
    check_device_memory(op, what, shape_, bytes);
    memory_ = std::make_shared<Memory>(
        Memory{device_memory(static_cast<size_t>(bytes)), cuda::device(), nbytes(), std::nullopt});
    data_ = memory_->bytes.get();
}

Array::Array(std::shared_ptr<Memory> memory, void* data, Shape shape, Type type)
    : memory_(std::move(memory)),
      data_(data),
      shape_(std::move(shape)),
      type_(type),
      size_(elements("Array", shape_)) {}

Array Array::reshaped(const Shape& shape) const {
    Shape wanted = shape;
    int64_t known = 1, open = -1;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == -1 && open < 0) {
            open = static_cast<int64_t>(i);
        } else {
            if (shape[i] < 0) fail("reshape", "cannot have shape ", to_string(shape));
            known = checked_mul("reshape", known, shape[i]);
        }
    }
    if (open >= 0 && known > 0) wanted[open] = size_ / known;
    if (open >= 0 ? known == 0 || known * wanted[open] != size_ : known != size_)
        fail("reshape", "an array of shape ", to_string(shape_), " cannot have shape ",
             to_string(shape));
    return {memory_, data_, wanted, type_};
}

Array Array::rows(int64_t begin, int64_t end) const {
    Shape part = shape_;
    const int64_t row = shape_[0] == 0 ? 0 : size_ / shape_[0];
    part[0] = std::max<int64_t>(end - begin, 0);
    return {memory_, static_cast<char*>(data_) + begin * row * itemsize(type_), part, type_};
}

void Array::take(const py::array& values) {
    const py::array array = contiguous(values);
    const Shape shape(array.shape(), array.shape() + array.ndim());
    if (shape != shape_ || type_of(array.dtype()) != type_)
        fail("Array", "values must be ", py::str(dtype_of(type_)).cast<std::string>(), " ",
             to_string(shape_), ", got ", described(array), " of shape ", to_string(shape));
    if (type_ == Type::kInt64) {
        const auto fresh = range_of(static_cast<const int64_t*>(array.data()), size_);
        if (nbytes() == memory_->size)
            memory_->range = fresh;
        else if (memory_->range)
            memory_->range = {{std::min(memory_->range->first, fresh.first),
                               std::max(memory_->range->second, fresh.second)}};
    }
    const void* const from = array.data();
    py::gil_scoped_release release;
    upload(data_, from, static_cast<size_t>(nbytes()));
}

void Array::take(const Array& values) {
    if (values.shape_ != shape_ || values.type_ != type_)
        fail("Array", "values must be ", py::str(dtype_of(type_)).cast<std::string>(), " ",
             to_string(shape_), ", got ", py::str(dtype_of(values.type_)).cast<std::string>(), " ",
             to_string(values.shape_));
    if (values.device() != device()) return take(values.numpy());
    memory_->range.reset();
    if (size_ == 0 || data_ == values.data_) return;
    check(cudaMemcpyAsync(data_, values.data_, static_cast<size_t>(nbytes()),
                          cudaMemcpyDeviceToDevice, stream()),
          "cudaMemcpyAsync");
}

void Array::fill(double value) {
    if (size_ == 0) return;
    if (value == 0) {
        memory_->range.reset();
        check(cudaMemsetAsync(data_, 0, static_cast<size_t>(nbytes()), stream()),
              "cudaMemsetAsync");
        return;
    }
    if (type_ != Type::kFloat32) {
        py::array values = empty_numpy(shape_, type_);
        values.attr("fill")(value);
        return take(values);
    }
    fill_floats(size_, static_cast<float>(value), static_cast<float*>(data_));
}

py::array Array::numpy() const {
    py::array result = empty_numpy(shape_, type_);
    void* const to = result.mutable_data();
    py::gil_scoped_release release;
    download(to, data_, static_cast<size_t>(nbytes()));
    return result;
}

bool Array::below(int64_t below, int64_t* wrong) const {
    const auto inside = [&](const std::pair<int64_t, int64_t>& range) {
        *wrong = range.first < 0 ? range.first : range.second;
        return range.first >= 0 && range.second < below;
    };
    if (size_ == 0 || (memory_->range && inside(*memory_->range))) return true;
    const py::array values = numpy();
    return inside(range_of(static_cast<const int64_t*>(values.data()), size_));
}

py::array contiguous(const py::array& values) {
    return values.flags() & py::array::c_style ? values : py::array(values.attr("copy")("C"));
}

Array on_device(const char* op, const py::array& values, const char* what) {
    const std::optional<Type> type = type_of(values.dtype());
    if (!type)
        throw py::type_error(std::string(op) +
                             ": an array on the device is float32, float64, int64, uint8 or bool, "
                             "got a " +
                             described(values));
    Array made(op, Shape(values.shape(), values.shape() + values.ndim()), *type, what);
    made.take(values);
    return made;
}

Fetched::Fetched(const Array& from)
    : data_(allocate_pinned(static_cast<size_t>(from.nbytes()))),
      done_(nullptr),
      shape_(from.shape()),
      type_(from.type()),
      bytes_(from.nbytes()) {
    try {
        check(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming), "cudaEventCreate");
        if (bytes_ > 0)
            check(cudaMemcpyAsync(data_, from.data(), static_cast<size_t>(bytes_),
                                  cudaMemcpyDeviceToHost, stream()),
                  "cudaMemcpyAsync");
        check(cudaEventRecord(done_, stream()), "cudaEventRecord");
    } catch (...) {
        if (done_) cudaEventDestroy(done_);
        release_pinned(data_);
        throw;
    }
}

Fetched::~Fetched() {
    cudaEventSynchronize(done_);  // the copy must not go into memory that has a new owner
    cudaEventDestroy(done_);
    release_pinned(data_);
}

py::array Fetched::numpy() const {
    py::array result = empty_numpy(shape_, type_);
    {
        py::gil_scoped_release release;
        check(cudaEventSynchronize(done_), "cudaEventSynchronize");
    }
    std::memcpy(result.mutable_data(), data_, static_cast<size_t>(bytes_));
    return result;
}

}  // namespace pyconv::cuda
