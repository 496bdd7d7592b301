// Which implementation of the loops is used.
#include "sansock/kernels.h"
#include "sansock/negotiate.h"
#include "simd.h"

namespace sansock {

const Kernels* kernels_at(std::size_t index) noexcept {
  return index == 0 ? &scalar_kernels() : detail::simd_kernels_at(index - 1);
}

const Kernels& best_kernels() noexcept {
  const Kernels* const best = detail::simd_best();
  return best != nullptr ? *best : scalar_kernels();
}

const Kernels* find_kernels(std::string_view name) noexcept {
  for (std::size_t i = 0; const Kernels* const one = kernels_at(i); ++i) {
    if (equal_ignoring_case(one->name, name)) return one;
  }
  return nullptr;
}

}  // namespace sansock
