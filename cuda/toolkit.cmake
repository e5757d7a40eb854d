# CUDA's compiler: that of a toolkit on the machine, or of pip's packages nvidia-cuda-nvcc,
# nvidia-cuda-crt, nvidia-nvvm, nvidia-cuda-runtime and nvidia-cuda-cccl.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
            "import site, sysconfig; print(';'.join(dict.fromkeys([sysconfig.get_path('purelib'), sysconfig.get_path('platlib'), *site.getsitepackages()])))"
    OUTPUT_VARIABLE site_packages OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(folders)
  foreach(folder ${site_packages})
    file(GLOB found ${folder}/nvidia/cu*/bin ${folder}/nvidia/cuda_nvcc/bin)
    list(APPEND folders ${found})
  endforeach()
  find_program(PYCONV_NVCC nvcc PATHS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda ${folders}
               PATH_SUFFIXES bin)
  if(PYCONV_NVCC)
    set(CMAKE_CUDA_COMPILER ${PYCONV_NVCC})
  endif()
endif()
# Turing to Blackwell, and PTX for what comes after.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 100-real 120)
endif()
enable_language(CUDA)
# pip's shared runtime has no libcudart.so, by which linkers look for it.
if(CMAKE_CUDA_RUNTIME_LIBRARY STREQUAL "Shared")
  find_library(PYCONV_CUDART cudart PATHS ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES} NO_DEFAULT_PATH)
  foreach(folder ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES})
    file(GLOB runtime ${folder}/libcudart.so.*)
    if(runtime AND NOT PYCONV_CUDART)
      list(GET runtime 0 runtime)
      file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/cudart)
      file(CREATE_LINK ${runtime} ${CMAKE_CURRENT_BINARY_DIR}/cudart/libcudart.so SYMBOLIC)
      link_directories(${CMAKE_CURRENT_BINARY_DIR}/cudart)
    endif()
  endforeach()
endif()
# CMake before 3.26 does not know that nvcc has C++20.
foreach(kind STANDARD EXTENSION)
  if(NOT CMAKE_CUDA20_${kind}_COMPILE_OPTION)
    set(CMAKE_CUDA20_${kind}_COMPILE_OPTION -std=c++20)
  endif()
endforeach()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
string(APPEND CMAKE_CUDA_FLAGS " --compress-mode=size -Xcompiler=-Wall")
