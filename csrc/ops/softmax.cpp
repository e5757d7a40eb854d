// Sums and exponentials of a row in double: rows are short, and the result is right to the
// last bit but one.

#include "ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.h"
#include "parallel.h"
#include "scratch.h"

namespace pyconv {
namespace {

// Rows that are worth a thread.
int64_t row_pieces(int64_t rows, int64_t c) {
    return std::clamp<int64_t>(rows * c / 2048, 1, std::max<int64_t>(rows, 1));
}

template <class Body>
void parallel_rows(int64_t rows, int64_t c, const Body& body) {
    const int64_t pieces = row_pieces(rows, c);
    parallel_for(pieces, [&](int64_t begin, int64_t end) {
        for (int64_t r = rows * begin / pieces; r < rows * end / pieces; ++r) body(r);
    });
}

// e[j] = exp(x[j] - max); returns their sum. NaN where x has NaN or +inf.
double exponentials(int64_t c, const float* x, double* e, double* max_out) {
    float max = -std::numeric_limits<float>::infinity();
    for (int64_t j = 0; j < c; ++j) max = x[j] > max || std::isnan(x[j]) ? x[j] : max;
    double sum = 0;
    for (int64_t j = 0; j < c; ++j) {
        e[j] = std::exp(static_cast<double>(x[j]) - static_cast<double>(max));
        sum += e[j];
    }
    *max_out = max;
    return sum;
}

}  // namespace

void softmax_forward(int64_t rows, int64_t c, const float* x, float* y) {
    parallel_rows(rows, c, [&](int64_t r) {
        Scratch scratch;
        double* e = scratch.take<double>(c);
        double max;
        const double sum = exponentials(c, x + r * c, e, &max);
        for (int64_t j = 0; j < c; ++j) y[r * c + j] = static_cast<float>(e[j] / sum);
    });
}

void softmax_backward(int64_t rows, int64_t c, const float* y, const float* dy, float* dx) {
    parallel_rows(rows, c, [&](int64_t r) {
        const float *p = y + r * c, *g = dy + r * c;
        double dot = 0;
        for (int64_t j = 0; j < c; ++j) dot += static_cast<double>(p[j]) * g[j];
        for (int64_t j = 0; j < c; ++j) dx[r * c + j] = static_cast<float>(p[j] * (g[j] - dot));
    });
}

void softmax_cross_entropy(const CrossEntropy& ce) {
    parallel_rows(ce.rows, ce.c, [&](int64_t r) {
        Scratch scratch;
        const int64_t c = ce.c;
        const float* x = ce.logits + r * c;
        float* grad = ce.grad + r * c;
        const double scale = ce.row_scale ? ce.row_scale[r] : 1.0;
        double* e = scratch.take<double>(c);
        double max;
        const double sum = exponentials(c, x, e, &max);
        const double log_sum = max + std::log(sum);
        if (ce.classes) {
            const int64_t label = ce.classes[r];
            ce.loss[r] = static_cast<float>(log_sum - x[label]);
            for (int64_t j = 0; j < c; ++j)
                grad[j] = static_cast<float>((e[j] / sum - (j == label)) * scale);
            return;
        }
        const float* t = ce.distributions + r * c;
        double loss = 0, mass = 0;
        for (int64_t j = 0; j < c; ++j) {
            // A class of probability 0 adds nothing, also where its logit is -inf.
            if (t[j] != 0.f) loss += t[j] * (log_sum - x[j]);
            mass += t[j];
        }
        ce.loss[r] = static_cast<float>(loss);
        for (int64_t j = 0; j < c; ++j)
            grad[j] = static_cast<float>((e[j] / sum * mass - t[j]) * scale);
    });
}

}  // namespace pyconv
