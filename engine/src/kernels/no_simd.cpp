// Nothing is built with vectors (-Dsimd=scalar, or Highway is not installed).
#include "simd.h"

namespace sansock::detail {

const Kernels* simd_best() noexcept { return nullptr; }
const Kernels* simd_kernels_at(std::size_t /*index*/) noexcept { return nullptr; }

}  // namespace sansock::detail
