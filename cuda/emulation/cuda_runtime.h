// What a .cu file finds as <cuda_runtime.h> when the host's compiler compiles it: the part of CUDA
// that pyconv uses, on an emulated device.
#pragma once

#include "builtins.h"
#include "launch.h"
#include "runtime_api.h"
#include "vector_types.h"
#include "warp.h"
