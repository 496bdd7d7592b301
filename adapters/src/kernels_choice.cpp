#include "sansock/kernels_choice.h"

#include <cstdlib>

namespace sansock {

const Kernels* kernels_from_environment() noexcept {
  const char* const name = std::getenv("SANSOCK_SIMD");
  return name == nullptr || *name == '\0' ? &best_kernels() : find_kernels(name);
}

}  // namespace sansock
