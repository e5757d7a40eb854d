# pyconv_device_module(name): the Python module of a device: the bindings of all backends, with the
# arrays of cuda/ in place of those of csrc/, and what only a device has. An operation without a
# kernel is found when the module is imported.
function(pyconv_device_module name)
  file(GLOB bindings CONFIGURE_DEPENDS csrc/bindings/*.cpp)
  list(FILTER bindings EXCLUDE REGEX "/(data|filters|graph|prediction|runtime)\\.cpp$")
  file(GLOB sources CONFIGURE_DEPENDS cuda/*.cpp cuda/bindings/*.cpp)
  pybind11_add_module(${name} MODULE ${ARGN} ${bindings} ${sources} csrc/check.cpp csrc/trace.cpp
                      csrc/ops/shapes.cpp)
  pyconv_united(${name} ${bindings} ${sources})
  # cuda/ before csrc/: array.h and scratch.h are in both.
  target_include_directories(${name} PRIVATE cuda cuda/bindings csrc)
  target_compile_definitions(${name} PRIVATE PYCONV_MODULE=${name})
  if(PYCONV_CUDA_GRAPHS)
    target_compile_definitions(${name} PRIVATE PYCONV_CUDA_GRAPHS)
  endif()
  target_link_libraries(${name} PRIVATE Threads::Threads)
  install(TARGETS ${name} LIBRARY DESTINATION pyconv)
endfunction()

file(GLOB kernel_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu)

if(PYCONV_CUDA)
  include(cuda/toolkit.cmake)
  add_library(cuda_kernels OBJECT ${kernel_sources})
  target_include_directories(cuda_kernels PRIVATE cuda csrc)
  set(others ${kernel_sources})
  list(FILTER others EXCLUDE REGEX "/conv2d(_input|_filter)?\\.cu$")
  pyconv_united(cuda_kernels ${others})
  pyconv_device_module(_cuda)
  target_link_libraries(_cuda PRIVATE cuda_kernels)
  target_include_directories(_cuda PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
endif()

if(PYCONV_CUDA_EMULATION)
  include(cuda/emulation/emulation.cmake)
  # Without optimization at link time: it sees two declarations of each thread's index.
  pyconv_device_module(_cuda_emulated NO_EXTRAS)
  pyconv_emulated(_cuda_emulated ${kernel_sources})
  target_sources(_cuda_emulated PRIVATE cuda/emulation/bindings/emulation.cpp)
endif()
