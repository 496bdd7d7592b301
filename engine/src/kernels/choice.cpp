// Which implementation of the loops is used. Nothing is remembered here: who asks, keeps the answer.
#include "sansock/kernels.h"
#include "sansock/negotiate.h"
#include "simd.h"

namespace sansock {

const Kernels* kernels_at(std::size_t index) noexcept {
  return index == 0 ? &scalar_kernels() : detail::simd_kernels_at(index - 1, detail::simd_targets());
}

const Kernels& best_kernels() noexcept {
  const Kernels* best = &scalar_kernels();
  const std::int64_t targets = detail::simd_targets();
  for (std::size_t i = 0; const Kernels* const next = detail::simd_kernels_at(i, targets); ++i) best = next;
  return *best;
}

const Kernels* find_kernels(std::string_view name) noexcept {
  for (std::size_t i = 0; const Kernels* const one = kernels_at(i); ++i) {
    if (equal_ignoring_case(one->name, name)) return one;
  }
  return nullptr;
}

}  // namespace sansock
