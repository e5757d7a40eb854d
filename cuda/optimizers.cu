// One launch updates up to kMost parameters: their pointers are the kernel's parameters, so that
// nothing is copied to the device before. A block takes a piece of one parameter; each value is
// read and written once.

#include "ops/optimizers.h"

#include "elementwise.cuh"

namespace pyconv {
namespace {

constexpr int kMost = 48;  // CUDA takes 4 KB of parameters
constexpr int64_t kPiece = 8 * cuda::kThreads;

struct Table {
    int count;
    Parameter parameters[kMost];
    int64_t first[kMost + 1];  // block at which each begins
};

// The formulas of Keras 3; g (n,) gradient, w (n,) and states (n,) as in ops/optimizers.h.
struct Sgd {
    simd::SgdParams p;
    __device__ void operator()(const Parameter& a, int64_t i) const {
        float w = a.w[i];
        if (p.weight_decay != 0.f) w -= w * (p.weight_decay * p.learning_rate);
        const float step = a.g[i] * p.learning_rate;
        if (a.state[0]) {
            const float v = p.momentum * a.state[0][i] - step;
            a.state[0][i] = v;
            w = p.nesterov ? w + (p.momentum * v - step) : w + v;
        } else {
            w -= step;
        }
        a.w[i] = w;
    }
};

struct Rmsprop {
    simd::RmspropParams p;
    __device__ void operator()(const Parameter& a, int64_t i) const {
        float w = a.w[i];
        if (p.weight_decay != 0.f) w -= w * (p.weight_decay * p.learning_rate);
        const float grad = a.g[i];
        const float v = p.rho * a.state[0][i] + (1.f - p.rho) * (grad * grad);
        a.state[0][i] = v;
        float spread = v;
        if (a.state[1]) {
            const float mean = p.rho * a.state[1][i] + (1.f - p.rho) * grad;
            a.state[1][i] = mean;
            spread = v - mean * mean;
        }
        const float root =
            p.epsilon_outside ? sqrtf(spread) + p.epsilon : sqrtf(spread + p.epsilon);
        float step = p.learning_rate * grad / root;
        if (a.state[2]) {
            step += p.momentum * a.state[2][i];
            a.state[2][i] = step;
        }
        a.w[i] = w - step;
    }
};

struct Adam {
    simd::AdamParams p;
    __device__ void operator()(const Parameter& a, int64_t i) const {
        float w = a.w[i];
        if (p.weight_decay != 0.f) w -= w * (p.weight_decay * p.learning_rate);
        const float grad = a.g[i], m_old = a.state[0][i], v_old = a.state[1][i];
        const float m = m_old + (grad - m_old) * (1.f - p.beta_1);
        const float v = v_old + (grad * grad - v_old) * (1.f - p.beta_2);
        a.state[0][i] = m;
        a.state[1][i] = v;
        float second = v;
        if (a.state[2]) {
            const float old = a.state[2][i];
            second = v > old || isnan(v) ? v : old;
            a.state[2][i] = second;
        }
        a.w[i] = w - p.alpha * m / (sqrtf(second) + p.epsilon);
    }
};

template <class Rule>
__global__ void optimizer_kernel(const __grid_constant__ Table table, Rule rule) {
    const int64_t block = blockIdx.x;
    int i = 0, end = table.count;  // the parameter is in [i, end)
    while (end - i > 1) {
        const int middle = (i + end) / 2;
        (table.first[middle] <= block ? i : end) = middle;
    }
    const Parameter& parameter = table.parameters[i];
    const int64_t begin = (block - table.first[i]) * kPiece;
    const int64_t stop = min(parameter.n, begin + kPiece);
    for (int64_t at = begin + threadIdx.x; at < stop; at += cuda::kThreads) rule(parameter, at);
}

template <class Rule>
void update(const std::vector<Parameter>& parameters, const Rule& rule) {
    for (size_t done = 0; done < parameters.size(); done += kMost) {
        Table table{};
        table.count = static_cast<int>(std::min<size_t>(kMost, parameters.size() - done));
        for (int i = 0; i < table.count; ++i) {
            table.parameters[i] = parameters[done + i];
            if (table.parameters[i].product)
                throw std::invalid_argument("optimizer: grads on a device must be arrays");
            table.first[i + 1] = table.first[i] + (table.parameters[i].n + kPiece - 1) / kPiece;
        }
        cuda::launch(optimizer_kernel<Rule>, table.first[table.count], cuda::kThreads, 0,
                     cuda::stream(), table, rule);
    }
}

}  // namespace

void sgd_update(const std::vector<Parameter>& parameters, const simd::SgdParams& p) {
    update(parameters, Sgd{p});
}

void rmsprop_update(const std::vector<Parameter>& parameters, const simd::RmspropParams& p) {
    update(parameters, Rmsprop{p});
}

void adam_update(const std::vector<Parameter>& parameters, const simd::AdamParams& p) {
    update(parameters, Adam{p});
}

}  // namespace pyconv
