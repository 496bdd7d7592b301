// What is built with vectors: simd.cpp, or no_simd.cpp in its place.
#pragma once

#include <cstdint>

#include "sansock/kernels.h"

namespace sansock::detail {

// What this CPU can run, a bit for each instruction set. Slow: on some machines a trap into a hypervisor.
std::int64_t simd_targets() noexcept;

// Those for `targets`, from the plainest to the best; nullptr behind them.
const Kernels* simd_kernels_at(std::size_t index, std::int64_t targets) noexcept;

}  // namespace sansock::detail
