// Bindings of the optimizers: one call for all parameters.

#include <cmath>
#include <deque>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/bindings.h"
#include "check.h"
#include "ops/optimizers.h"

namespace pyconv {
namespace {

// The parameters of an update, and the arrays that hold them until it has run.
class Parameters {
public:
    using States = std::initializer_list<std::pair<const char*, Object>>;

    Parameters(const char* op, const py::sequence& params, const py::sequence& grads,
               States states) {
        const size_t count = py::len(params);
        check_length(op, "grads", py::len(grads), count);
        for (size_t i = 0; i < count; ++i) {
            list_.push_back(py::isinstance<py::tuple>(grads[i])
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
                    list_[i].state[k] = writable(op, name, arrays[i], shapes_[i]).data();
            }
            ++k;
        }
    }

    // Runs or records `operation` on the parameters.
    template <class Operation>
    static void update(const char* op, const py::sequence& params, const py::sequence& grads,
                       States states, const Operation& operation) {
        const auto p = std::make_shared<const Parameters>(op, params, grads, states);
        recordable(op, std::tie(p->moved_), [p, operation] { operation(p->list_); });
    }

private:
    std::vector<Parameter> list_;
    Moved moved_{0};

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
        moved_.bytes += inputs_.back().size() * static_cast<int64_t>(sizeof(float));
        return inputs_.back();
    }

    static void check_length(const char* op, const char* name, size_t got, size_t wanted) {
        if (got != wanted)
            fail(op, name, " must hold ", wanted, " arrays, as params does, got ", got);
    }

    Output writable(const char* op, const char* name, const py::object& array, const Shape& shape) {
        if (array.is_none()) fail(op, name, " must hold arrays, got None");
        Output output(op, name, array, shape);
        moved_.bytes +=
            2 * output.size() * static_cast<int64_t>(sizeof(float));  // read and written
        outputs_.push_back(output);
        return output;
    }

    std::vector<Input> inputs_;
    std::vector<Shape> shapes_;
    std::deque<Product> products_;
    std::vector<Output> outputs_;
};

// The learning rate and the number of the update, from 1: given, or read as a recorded step runs.
class Rate {
public:
    Rate(const char* op, const Object& rate, int64_t step) : step_(step) {
        if (py::isinstance<py::array_t<double>>(rate) && py::len_hint(rate) == 2) {
            numbers_ = py::reinterpret_borrow<py::array_t<double>>(rate);
            if (numbers_.ndim() != 1 || numbers_.strides(0) != sizeof(double))
                fail(op, "an array as learning_rate must hold two numbers side by side");
            at_ = numbers_.data();
            return;
        }
        try {
            rate_ = rate.cast<float>();
        } catch (const py::cast_error&) {
            throw py::type_error(std::string(op) + ": learning_rate must be a number, got a " +
                                 described(rate));
        }
        if (step < 1) fail(op, "step must be at least 1, got ", step);
    }
    float rate() const { return at_ ? static_cast<float>(at_[0]) : rate_; }
    double step() const { return at_ ? at_[1] : static_cast<double>(step_); }

private:
    float rate_ = 0;
    int64_t step_;
    py::array_t<double> numbers_;
    const double* at_ = nullptr;
};

void check_momentum(const char* op, float momentum, const char* name, const Object& states) {
    if (momentum != 0 && states.is_none()) fail(op, name, " must be given where momentum is not 0");
}

void sgd_update_(py::sequence params, py::sequence grads, Object velocities, Object learning_rate,
                 float momentum, bool nesterov, float weight_decay) {
    const char* op = "sgd_update";
    check_momentum(op, momentum, "velocities", velocities);
    const Parameters::States states{{"velocities", velocities}};
    const Rate rate(op, learning_rate, 1);
    Parameters::update(op, params, grads, states, [=](const std::vector<Parameter>& all) {
        sgd_update(all, {rate.rate(), momentum, weight_decay, nesterov});
    });
}

void rmsprop_update_(py::sequence params, py::sequence grads, py::sequence velocities,
                     Object mean_grads, Object momentums, Object learning_rate, float rho,
                     float momentum, float epsilon, float weight_decay, bool epsilon_outside) {
    const char* op = "rmsprop_update";
    check_momentum(op, momentum, "momentums", momentums);
    const Parameters::States states{
        {"velocities", velocities}, {"mean_grads", mean_grads}, {"momentums", momentums}};
    const Rate rate(op, learning_rate, 1);
    Parameters::update(op, params, grads, states, [=](const std::vector<Parameter>& all) {
        rmsprop_update(all, {rate.rate(), rho, momentum, epsilon, weight_decay, epsilon_outside});
    });
}

void adam_update_(py::sequence params, py::sequence grads, py::sequence momentums,
                  py::sequence velocities, Object velocity_maxima, Object learning_rate,
                  int64_t step, double beta_1, double beta_2, float epsilon, float weight_decay) {
    const char* op = "adam_update";
    const Rate rate(op, learning_rate, step);
    const Parameters::States states{
        {"momentums", momentums}, {"velocities", velocities}, {"velocity_maxima", velocity_maxima}};
    Parameters::update(op, params, grads, states, [=](const std::vector<Parameter>& all) {
        const double t = rate.step();
        const double alpha =
            rate.rate() * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
        adam_update(all, {rate.rate(), static_cast<float>(alpha), static_cast<float>(beta_1),
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
