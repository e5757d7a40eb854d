// Bindings of the optimizers: one call for all parameters.

#include <cmath>
#include <deque>
#include <initializer_list>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/optimizers.h"

namespace pyconv {
namespace {

// The parameters of an update, and the arrays that hold them while it runs.
class Parameters {
public:
    Parameters(const char* op, const py::sequence& params, const py::sequence& grads,
               std::initializer_list<std::pair<const char*, Object>> states) {
        const size_t count = py::len(params);
        check_length(op, "grads", py::len(grads), count);
        for (size_t i = 0; i < count; ++i) {
            list.push_back(py::isinstance<py::tuple>(grads[i])
                               ? of_product(op, params[i], grads[i].cast<py::tuple>())
                               : of_gradient(op, params[i], grads[i]));
        }
        int k = 0;
        for (const auto& [name, state] : states) {
            if (!state.is_none()) {
                if (!py::isinstance<py::sequence>(state))
                    throw py::type_error(std::string(op) + ": " + name +
                                         " must be a list of arrays or None, got a " +
                                         described(state));
                const auto arrays = py::reinterpret_borrow<py::sequence>(state);
                check_length(op, name, py::len(arrays), count);
                for (size_t i = 0; i < count; ++i)
                    list[i].state[k] = writable(op, name, arrays[i], shapes_[i]).data();
            }
            ++k;
        }
    }

    std::vector<Parameter> list;
    Moved moved{0};

private:
    Parameter of_gradient(const char* op, const py::object& param, const py::object& grad) {
        const Input g = read(op, "grads", grad);
        shapes_.push_back(g.shape());
        return {g.size(), writable(op, "params", param, g.shape()).data(), g.data(), {}};
    }

    // (x, dy) in place of their product
    Parameter of_product(const char* op, const py::object& param, const py::tuple& factors) {
        if (factors.size() != 2)
            fail(op, "a product among grads must be (x, dy), got ", factors.size(), " arrays");
        const Input x = read(op, "x of grads", factors[0]),
                    dy = read(op, "dy of grads", factors[1]);
        if (x.shape().size() != 2 || dy.shape().size() != 2 || x[0] != dy[0])
            fail(op, "x and dy of grads must be (N, IN) and (N, UNITS), got ", to_string(x.shape()),
                 " and ", to_string(dy.shape()));
        shapes_.push_back({x[1], dy[1]});
        const Output w = writable(op, "params", param, shapes_.back());
        products_.push_back({x[0], x[1], dy[1], x.data(), dy.data()});
        return {w.size(), w.data(), nullptr, {}, &products_.back()};
    }

    Input read(const char* op, const char* name, const py::object& array) {
        inputs_.emplace_back(op, name, array);
        moved.bytes += inputs_.back().size() * static_cast<int64_t>(sizeof(float));
        return inputs_.back();
    }

    static void check_length(const char* op, const char* name, size_t got, size_t wanted) {
        if (got != wanted)
            fail(op, name, " must hold ", wanted, " arrays, as params does, got ", got);
    }

    Output writable(const char* op, const char* name, const py::object& array, const Shape& shape) {
        if (array.is_none()) fail(op, name, " must hold arrays, got None");
        Output output(op, name, array, shape);
        moved.bytes += 2 * output.size() * static_cast<int64_t>(sizeof(float));  // read and written
        outputs_.push_back(output);
        return output;
    }

    std::vector<Input> inputs_;
    std::vector<Shape> shapes_;
    std::deque<Product> products_;
    std::vector<Output> outputs_;
};

void check_momentum(const char* op, float momentum, const char* name, const Object& states) {
    if (momentum != 0 && states.is_none()) fail(op, name, " must be given where momentum is not 0");
}

void sgd_update_(py::sequence params, py::sequence grads, Object velocities, float learning_rate,
                 float momentum, bool nesterov, float weight_decay) {
    const char* op = "sgd_update";
    check_momentum(op, momentum, "velocities", velocities);
    const Parameters p(op, params, grads, {{"velocities", velocities}});
    without_gil("sgd_update", std::tie(p.moved),
                [&] { sgd_update(p.list, {learning_rate, momentum, weight_decay, nesterov}); });
}

void rmsprop_update_(py::sequence params, py::sequence grads, py::sequence velocities,
                     Object mean_grads, Object momentums, float learning_rate, float rho,
                     float momentum, float epsilon, float weight_decay, bool epsilon_outside) {
    const char* op = "rmsprop_update";
    check_momentum(op, momentum, "momentums", momentums);
    const Parameters p(
        op, params, grads,
        {{"velocities", velocities}, {"mean_grads", mean_grads}, {"momentums", momentums}});
    without_gil("rmsprop_update", std::tie(p.moved), [&] {
        rmsprop_update(p.list,
                       {learning_rate, rho, momentum, epsilon, weight_decay, epsilon_outside});
    });
}

void adam_update_(py::sequence params, py::sequence grads, py::sequence momentums,
                  py::sequence velocities, Object velocity_maxima, float learning_rate,
                  int64_t step, double beta_1, double beta_2, float epsilon, float weight_decay) {
    const char* op = "adam_update";
    if (step < 1) fail(op, "step must be at least 1, got ", step);
    const Parameters p(op, params, grads,
                       {{"momentums", momentums},
                        {"velocities", velocities},
                        {"velocity_maxima", velocity_maxima}});
    const double t = static_cast<double>(step);
    const double alpha =
        learning_rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    without_gil("adam_update", std::tie(p.moved), [&] {
        adam_update(p.list, {learning_rate, static_cast<float>(alpha), static_cast<float>(beta_1),
                             static_cast<float>(beta_2), epsilon, weight_decay});
    });
}

}  // namespace

void bind_optimizers(py::module_& m) {
    m.def("sgd_update", &sgd_update_, "params"_a, "grads"_a, "velocities"_a, "learning_rate"_a,
          "momentum"_a = 0.f, "nesterov"_a = false, "weight_decay"_a = 0.f);
    m.def("rmsprop_update", &rmsprop_update_, "params"_a, "grads"_a, "velocities"_a, "mean_grads"_a,
          "momentums"_a, "learning_rate"_a, "rho"_a = 0.9f, "momentum"_a = 0.f, "epsilon"_a = 1e-7f,
          "weight_decay"_a = 0.f, "epsilon_outside"_a = false);
    m.def("adam_update", &adam_update_, "params"_a, "grads"_a, "momentums"_a, "velocities"_a,
          "velocity_maxima"_a, "learning_rate"_a, "step"_a, "beta_1"_a = 0.9, "beta_2"_a = 0.999,
          "epsilon"_a = 1e-7f, "weight_decay"_a = 0.f);
}

}  // namespace pyconv
