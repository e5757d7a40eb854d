// Bindings of what fetches batches and augments them.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/augment.h"
#include "ops/gather.h"

namespace pyconv {
namespace {

// Rows of a data set, (N, ...) of one of three types.
struct DataSet {
    DataSet(const char* op, py::handle x) {
        if (py::isinstance<py::array_t<float>>(x)) {
            type = RowType::kFloat32;
        } else if (py::isinstance<py::array_t<uint8_t>>(x)) {
            type = RowType::kUint8;
        } else if (py::isinstance<py::array_t<double>>(x)) {
            type = RowType::kFloat64;
        } else {
            throw py::type_error(std::string(op) +
                                 ": x must be a uint8, float32 or float64 array, got a " +
                                 described(x));
        }
        array = py::reinterpret_borrow<py::array>(x);
        constexpr int kLayout =
            py::array::c_style | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
        if (array.ndim() < 1 || (array.flags() & kLayout) != kLayout)
            fail(op, "x must be a C-contiguous, aligned array with at least one dimension");
        shape.assign(array.shape(), array.shape() + array.ndim());
    }

    py::array array;
    Shape shape;
    RowType type;
};

Object gather_rows_(Object x, Object indices, Object out) {
    const char* op = "gather_rows";
    const DataSet data(op, x);
    const int64_t rows = data.shape[0];
    const Integers index(op, "indices", indices, -1, rows);
    Shape shape = data.shape;
    const int64_t row = rows == 0 ? 0 : data.array.size() / rows;
    shape[0] = index.size();
    Output y(op, "out", out, shape);
    y.apart_from(op, data.array.data(), data.array.nbytes());
    const Moved read{index.size() * row * data.array.itemsize()};
    recordable("gather_rows", std::tie(index, y, read),
               [data, row, count = index.size(), at = index.data(), y = y.data()] {
                   gather_rows(count, row, data.array.data(), data.type, at, y);
               });
    return y.object();
}

// Class numbers, which stay int64.
Object gather_labels_(py::array_t<int64_t> labels, Object indices, py::array_t<int64_t> into) {
    const char* op = "gather_labels";
    constexpr int kStyle = py::array::c_style;
    if (!(labels.flags() & kStyle) || labels.ndim() < 1)
        fail(op, "labels must be a C-contiguous array with at least one dimension");
    const int64_t rows = labels.shape(0);
    const Integers index(op, "indices", indices, -1, rows);
    Shape shape = shape_of(labels);
    shape[0] = index.size();
    if (!(into.flags() & kStyle) || shape_of(into) != shape)
        fail(op, "into must be a C-contiguous array of shape ", to_string(shape), ", got ",
             to_string(shape_of(into)));
    const int64_t row = rows == 0 ? 0 : labels.size() / rows;
    const Moved moved{2 * index.size() * row * static_cast<int64_t>(sizeof(int64_t))};
    recordable(op, std::tie(index, moved),
               [labels, into, row, count = index.size(), at = index.data(), from = labels.data(),
                to = into.mutable_data()] {
                   for (int64_t i = 0; i < count; ++i)
                       std::copy_n(from + at[i] * row, row, to + i * row);
               });
    return into;
}

// The numbers of each image, (n, columns), which outlive the operation.
template <class T>
class Table {
public:
    Table(const char* op, const char* name, py::handle value, int64_t n, int64_t columns, T most) {
        if (!py::isinstance<py::array_t<T>>(value))
            throw py::type_error(std::string(op) + ": " + name + " must be an array of " +
                                 py::str(py::dtype::of<T>()).cast<std::string>() + ", got a " +
                                 described(value));
        const auto array = py::reinterpret_borrow<py::array>(value);
        if (array.ndim() != 2 || array.shape(0) != n || array.shape(1) != columns)
            fail(op, name, " must have shape (", n, ", ", columns, ")");
        array_ = py::array_t<T, py::array::c_style>(py::reinterpret_borrow<py::object>(value));
        for (int64_t i = 0; i < n * columns; ++i)
            if (!(data()[i] >= -most && data()[i] <= most))
                fail(op, name, " must be from -", most, " to ", most, ", got ", data()[i]);
    }
    const T* data() const { return array_.data(); }
    const py::array& array() const { return array_; }

private:
    py::array_t<T, py::array::c_style> array_;
};

constexpr int64_t kFarthest = int64_t{1} << 31;
constexpr float kAny = std::numeric_limits<float>::infinity();

Outside outside_of(const char* op, const std::string& mode, float value) {
    if (mode == "constant") return {Outside::kConstant, value};
    if (mode == "nearest") return {Outside::kNearest, value};
    if (mode == "reflect") return {Outside::kReflect, value};
    if (mode == "wrap") return {Outside::kWrap, value};
    fail(op, "fill_mode must be 'constant', 'nearest', 'reflect' or 'wrap', got '", mode, "'");
}

// The stages of a batch, with the arrays that they read.
class Stages {
public:
    Stages(const ImageBatch& batch, const py::sequence& given) : s_(batch) {
        for (const py::handle item : given) {
            if (!py::isinstance<py::tuple>(item) || py::len(item) < 1)
                fail(kName, "stages must be tuples such as ('erase', boxes, values), got ",
                     described(item));
            try {
                add(py::reinterpret_borrow<py::tuple>(item));
            } catch (const py::cast_error&) {
                throw py::type_error(std::string(kName) + ": a stage's values have wrong types");
            }
        }
    }

    const std::vector<AugmentStage>& all() const { return stages_; }
    const ImageBatch& result() const { return s_; }

private:
    static constexpr const char* kName = "augment";

    void add(const py::tuple& t) {
        const auto kind = t[0].cast<std::string>();
        AugmentStage stage{AugmentStage::kCropFlip, s_.h, s_.w};
        if (kind == "crop_flip") {
            expect(t, 5);
            stage.cells = table<int64_t>("cuts", t[1], 4, kFarthest);
            const auto size = t[2].cast<Pair>();
            if (size[0] < 1 || size[1] < 1) fail(kName, "size must be at least 1");
            stage.h = size[0];
            stage.w = size[1];
            stage.outside = outside(t[3], t[4]);
        } else if (kind == "affine") {
            expect(t, 5);
            stage.kind = AugmentStage::kAffine;
            stage.matrices = table<double>("matrices", t[1], 6, 1e6);
            const auto interpolation = t[2].cast<std::string>();
            if (interpolation != "bilinear" && interpolation != "nearest")
                fail(kName, "interpolation must be 'bilinear' or 'nearest', got '", interpolation,
                     "'");
            stage.bilinear = interpolation == "bilinear";
            stage.outside = outside(t[3], t[4]);
        } else if (kind == "erase") {
            expect(t, 3);
            stage.kind = AugmentStage::kErase;
            stage.cells = table<int64_t>("boxes", t[1], 4, kFarthest);
            for (int64_t n = 0; n < s_.n; ++n) {
                const int64_t* box = stage.cells + 4 * n;
                if (box[0] < 0 || box[1] > s_.h || box[2] < 0 || box[3] > s_.w)
                    fail(kName, "boxes must lie inside of the images of (", s_.h, ", ", s_.w, ")");
            }
            stage.values = table<float>("values", t[2], s_.c, kAny);
        } else if (kind == "scale" || kind == "contrast") {
            expect(t, 4);
            const bool scales = kind == "scale";
            stage.kind = scales ? AugmentStage::kScale : AugmentStage::kContrast;
            stage.values = table<float>("factors", t[1], scales ? 2 : 1, kAny);
            stage.least = t[2].cast<float>();
            stage.most = t[3].cast<float>();
        } else if (kind == "grey" || kind == "saturation" || kind == "hue") {
            expect(t, 4);
            stage.kind = kind == "grey"         ? AugmentStage::kGrey
                         : kind == "saturation" ? AugmentStage::kSaturation
                                                : AugmentStage::kHue;
            if (s_.c != 3)
                fail(kName, "'", kind, "' needs images of 3 channels, red, green and blue, got ",
                     s_.c);
            stage.values = table<float>("factors", t[1], 1, kFarthest);
            stage.least = t[2].cast<float>();
            stage.most = t[3].cast<float>();
        } else {
            fail(kName,
                 "a stage must be 'crop_flip', 'affine', 'erase', 'scale', 'contrast', 'grey', "
                 "'saturation' or 'hue', got '",
                 kind, "'");
        }
        s_.h = stage.h;
        s_.w = stage.w;
        stages_.push_back(stage);
    }

    static void expect(const py::tuple& t, size_t count) {
        if (t.size() != count)
            fail(kName, "a stage '", t[0].cast<std::string>(), "' has ", count, " items, got ",
                 t.size());
    }

    template <class T>
    const T* table(const char* name, py::handle value, int64_t columns, T most) {
        const Table<T> made(kName, name, value, s_.n, columns, most);
        arrays_.push_back(made.array());
        return made.data();
    }

    static Outside outside(py::handle mode, py::handle value) {
        return outside_of(kName, mode.cast<std::string>(), value.cast<float>());
    }

    ImageBatch s_;
    std::vector<AugmentStage> stages_;
    std::vector<py::array> arrays_;
};

Object augment_(Object x, const py::sequence& stages, Object rows, Object out) {
    const char* op = "augment";
    const DataSet data(op, x);
    if (data.shape.size() != 4) fail(op, "x must have 4 dimensions, got ", to_string(data.shape));
    ImageBatch shape{data.shape[0], data.shape[1], data.shape[2], data.shape[3]};
    if (shape.h < 1 || shape.w < 1 || shape.c < 1)
        fail(op, "images must not be empty, got x of shape ", to_string(data.shape));
    std::optional<Integers> index;
    if (!rows.is_none()) {
        index.emplace(op, "rows", rows, -1, shape.n);
        shape.n = index->size();
    }
    const auto checked = std::make_shared<const Stages>(shape, stages);
    const ImageBatch& to = checked->result();
    Output y(op, "out", out, {to.n, to.h, to.w, to.c});
    y.apart_from(op, data.array.data(), data.array.nbytes());
    const Moved read{shape.n * shape.h * shape.w * shape.c * data.array.itemsize()};
    recordable(op, std::tie(index, y, read),
               [data, shape, checked, at = index ? index->data() : nullptr, y = y.data()] {
                   augment(shape, data.array.data(), data.type, at, checked->all(), y);
               });
    return y.object();
}

}  // namespace

void bind_data(py::module_& m) {
    const py::object none = py::none();
    m.def("gather_rows", &gather_rows_, "x"_a, "indices"_a, "out"_a = none);
    m.def("gather_labels", &gather_labels_, "labels"_a.noconvert(), "indices"_a,
          "into"_a.noconvert());
    m.def("augment", &augment_, "x"_a, "stages"_a, "rows"_a = none, "out"_a = none);
}

}  // namespace pyconv
