// A dense layer is a convolution of images of one pixel.

#include "ops/dense.h"

#include "ops/conv2d.h"

namespace pyconv {
namespace {

Conv2dShape one_pixel(const DenseShape& s) {
    return {{s.n, 1, 1, s.in, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, 1}, s.units, 1};
}

}  // namespace

void dense_forward(const DenseShape& s, const float* x, const float* w, const float* b,
                   Activation activation, float* y) {
    conv2d_forward(one_pixel(s), x, w, b, activation, y);
}

void dense_backward_input(const DenseShape& s, const float* dy, const float* w, float* dx) {
    conv2d_backward_input(one_pixel(s), dy, w, dx);
}

void dense_backward_weights(const DenseShape& s, const float* x, const float* dy, float* dw) {
    conv2d_backward_filter(one_pixel(s), x, dy, dw);
}

}  // namespace pyconv
