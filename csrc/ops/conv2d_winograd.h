// Convolution of 2x2 and 3x3 filters with stride 1 by Winograd's F(2x2, RxR): for four outputs of
// a channel 9 products instead of 16, or 16 instead of 36, at up to twice the direct kernel's
// rounding error.
#pragma once

#include "ops/shapes.h"
#include "scratch.h"

namespace pyconv {

enum class ConvAlgorithm { kAuto, kDirect, kWinograd };

// What convolutions use from now on; kWinograd falls back to direct where it does not apply.
void set_conv_algorithm(ConvAlgorithm algorithm);
ConvAlgorithm conv_algorithm();

// Whether this convolution goes through Winograd under the current choice.
bool uses_winograd(const Conv2dShape& s);

// As in conv2d.h, where uses_winograd(s). The filters are transformed first, into `workspace`.
const float* winograd_filters(const Conv2dShape& s, const float* w, Workspace& workspace);
void winograd_forward(const Conv2dShape& s, int64_t images, const float* x, const float* filters,
                      const float* b, Activation activation, float* y);
// The same and max pooling of 2x2 cells: y (images, oh / 2, ow / 2, oc), winners as in maxpool2d.h.
void winograd_forward_pooled(const Conv2dShape& s, int64_t images, const float* x,
                             const float* filters, const float* b, Activation activation, float* y,
                             float* winners);
const float* winograd_backward_filters(const Conv2dShape& s, const float* w, Workspace& workspace);
void winograd_backward_input(const Conv2dShape& s, int64_t images, const float* dy,
                             const float* filters, float* dx);
void winograd_backward_filter(const Conv2dShape& s, const float* x, const float* dy, float* dw);

}  // namespace pyconv
