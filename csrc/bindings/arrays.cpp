// What the arrays at the border to Python have in common on every backend.

#include <cstdint>

#include "array.h"
#include "check.h"

namespace pyconv {

std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (size_t i = 0; i < shape.size(); ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    text += shape.size() == 1 ? ",)" : ")";
    return text;
}

void Input::expect(const char* op, const char* name, const Shape& shape) const {
    if (shape_ != shape) fail(op, name, " must be ", to_string(shape), ", got ", to_string(shape_));
}

Output& Output::apart_from(const char* op, const Input& input) {
    return apart_from(op, input.data(), input.size() * static_cast<int64_t>(sizeof(float)));
}

Output& Output::apart_from(const char* op, const Output& other) {
    return apart_from(op, other.data_, other.size_ * static_cast<int64_t>(sizeof(float)));
}

Output& Output::apart_from(const char* op, const void* data, int64_t bytes) {
    const auto first = reinterpret_cast<uintptr_t>(data_);
    const auto other = reinterpret_cast<uintptr_t>(data);
    if (first < other + bytes && other < first + size_ * sizeof(float))
        fail(op, name_, " must not share memory with another argument");
    return *this;
}

Output& Output::over_or_apart_from(const char* op, const Input& input) {
    return data_ == input.data() ? *this : apart_from(op, input);
}

}  // namespace pyconv
