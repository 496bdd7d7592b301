// What is built with vectors: simd.cpp, or no_simd.cpp in its place.
#pragma once

#include "sansock/kernels.h"

namespace sansock::detail {

// The best that this CPU can run; nullptr if none. Fast but for the first time: Highway remembers the CPU.
const Kernels* simd_best() noexcept;

// Those that this CPU can run, from the plainest to the best; nullptr behind them.
const Kernels* simd_kernels_at(std::size_t index) noexcept;

}  // namespace sansock::detail
