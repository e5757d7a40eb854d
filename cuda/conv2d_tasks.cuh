// The convolution and its gradients as products (product.cuh). Shapes are those of a part of a
// batch (parts.h).
#pragma once

#include <numeric>

#include "product_launch.cuh"

namespace pyconv::cuda {

inline int narrow(int64_t value) { return static_cast<int>(value); }

// The tasks that forward and the filters' gradient have in common: output pixels, and the taps
// under each.
inline Task output_pixels_task(const Conv2dShape& s, const float* x) {
    Task task;
    Product& p = task.product;
    const auto axis = [](int64_t cells, int64_t taps, int64_t before) {
        return Axis{narrow(cells), narrow(taps), narrow(-before), 0, Divisor(cells), Divisor(taps)};
    };
    p.a = x;
    p.rows[0] = axis(s.oh, s.kernel.h, s.padding.top);
    p.cols[0] = axis(s.ow, s.kernel.w, s.padding.left);
    p.images = narrow(s.n);
    p.h = narrow(s.h);
    p.w = narrow(s.w);
    p.ld = narrow(s.c);
    p.cell_h = narrow(s.strides.h);
    p.cell_w = narrow(s.strides.w);
    p.tap_h = narrow(s.dilation.h);
    p.tap_w = narrow(s.dilation.w);
    p.kernel_w = narrow(s.kernel.w);
    p.depth = narrow(s.group_c());
    p.by_depth = Divisor(s.group_c());
    p.groups = narrow(s.groups);
    p.n = p.b_group = narrow(s.group_oc());
    p.ldb = p.ldc = narrow(s.oc);
    task.products = s.groups;
    return task;
}

// x, w, b (oc,) or null -> y
inline Task forward_task(const Conv2dShape& s, const float* x, const float* w, const float* b,
                         Activation activation, float* y) {
    Task task = output_pixels_task(s, x);
    task.product.b = w;
    task.product.bias = b;
    task.product.c = y;
    task.m = s.n * s.oh * s.ow;
    task.k = s.kernel.h * s.kernel.w * s.group_c();
    task.c_values = task.m * s.oc;
    task.activation = activation;
    return task;
}

// x, dy -> dw
inline Task backward_filter_task(const Conv2dShape& s, const float* x, const float* dy, float* dw) {
    Task task = output_pixels_task(s, x);
    task.product.b = dy;
    task.product.c = dw;
    task.m = s.kernel.h * s.kernel.w * s.group_c();
    task.k = s.n * s.oh * s.ow;
    task.c_values = task.m * s.oc;
    return task;
}

// Along one axis, the taps that the input pixels of a phase meet: those `step` apart from `filter`
// on, which read dy from `start` on, backwards.
inline Axis input_axis(int64_t phase, int64_t size, int64_t kernel, int64_t stride,
                       int64_t dilation, int64_t before, int64_t step) {
    Axis axis;
    axis.cells = narrow(ceil_div(size - phase, stride));
    axis.by_cells = Divisor(axis.cells);
    for (int64_t k = 0; k < std::min(step, kernel); ++k) {
        const int64_t at = phase + before - k * dilation;
        if (floor_mod(at, stride) != 0) continue;
        axis.filter = narrow(k);
        axis.start = narrow(floor_div(at, stride));
        axis.taps = narrow(ceil_div(kernel - k, step));
        axis.by_taps = Divisor(axis.taps);
    }
    return axis;
}

// Calls run(task) for dy, w -> dx: once, but for strides of which the phases are too many.
template <class Run>
void for_each_backward_input_task(const Conv2dShape& s, const float* dy, const float* w, float* dx,
                                  const Run& run) {
    Task task;
    Product& p = task.product;
    const int64_t step_h = s.strides.h / std::gcd(s.strides.h, s.dilation.h);
    const int64_t step_w = s.strides.w / std::gcd(s.strides.w, s.dilation.w);
    p.a = dy;
    p.b = w;
    p.c = dx;
    p.images = narrow(s.n);
    p.h = narrow(s.oh);
    p.w = narrow(s.ow);
    p.ld = p.ldb = narrow(s.oc);
    p.cell_h = p.cell_w = 1;
    p.tap_h = narrow(-s.dilation.h * step_h / s.strides.h);
    p.tap_w = narrow(-s.dilation.w * step_w / s.strides.w);
    p.filter_h = narrow(step_h);
    p.filter_w = narrow(step_w);
    p.kernel_w = narrow(s.kernel.w);
    p.depth = p.b_group = narrow(s.group_oc());
    p.by_depth = Divisor(s.group_oc());
    p.groups = narrow(s.groups);
    p.n = narrow(s.group_c());
    p.ldc = narrow(s.c);
    p.c_h = narrow(s.h);
    p.c_w = narrow(s.w);
    p.c_row = narrow(s.strides.h);
    p.c_col = narrow(s.strides.w);
    task.c_values = s.n * s.h * s.w * s.c;
    const int64_t phases_h = std::min(s.strides.h, s.h), phases_w = std::min(s.strides.w, s.w);
    task.whole = phases_h <= kMostPhases && phases_w <= kMostPhases;
    for (int64_t h0 = 0; h0 < phases_h; h0 += kMostPhases) {
        for (int64_t w0 = 0; w0 < phases_w; w0 += kMostPhases) {
            p.phase_h = narrow(h0);
            p.phase_w = narrow(w0);
            p.row_phases = narrow(std::min<int64_t>(kMostPhases, phases_h - h0));
            p.col_phases = narrow(std::min<int64_t>(kMostPhases, phases_w - w0));
            int64_t rows = 0, cols = 0;  // of taps, the most
            for (int i = 0; i < p.row_phases; ++i) {
                p.rows[i] = input_axis(h0 + i, s.h, s.kernel.h, s.strides.h, s.dilation.h,
                                       s.padding.top, step_h);
                rows = std::max<int64_t>(rows, p.rows[i].taps);
            }
            for (int i = 0; i < p.col_phases; ++i) {
                p.cols[i] = input_axis(w0 + i, s.w, s.kernel.w, s.strides.w, s.dilation.w,
                                       s.padding.left, step_w);
                cols = std::max<int64_t>(cols, p.cols[i].taps);
            }
            task.m = s.n * p.rows[0].cells * p.cols[0].cells;
            task.k = rows * cols * s.group_oc();
            task.products = s.groups * p.row_phases * p.col_phases;
            run(task);
        }
    }
}

// The largest array of an image, its padding included.
inline int64_t image_values(const Conv2dShape& s) {
    const Padding2& p = s.padding;
    return std::max((s.h + p.top + p.bottom) * (s.w + p.left + p.right) * s.c, s.oh * s.ow * s.oc);
}

// Calls body(part, x_values, y_values) for parts of the batch, and how many values of x and of y
// lie before each.
template <class Body>
void for_each_conv_part(const char* op, const Conv2dShape& shape, const Body& body) {
    const Conv2dShape s = within_image(shape);
    if (s.kernel.h * s.kernel.w * s.group_c() > kMostIndex / s.oc)
        fail(op, "w must have at most 2**30 values on a CUDA device");
    for_each_part(op, s.n, image_values(s), [&](int64_t first, int64_t images) {
        Conv2dShape part = s;
        part.n = images;
        body(part, first * s.h * s.w * s.c, first * s.oh * s.ow * s.oc);
    });
}

}  // namespace pyconv::cuda
