// Nothing is built with vectors (-Dsimd=scalar, or Highway is not installed).
#include "simd.h"

namespace sansock::detail {

std::int64_t simd_targets() noexcept { return 0; }

const Kernels* simd_kernels_at(std::size_t /*index*/, std::int64_t /*targets*/) noexcept { return nullptr; }

}  // namespace sansock::detail
