// Which payload loops are measured: those that SANSOCK_SIMD names ("scalar", "AVX2"), else the best.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "sansock/kernels.h"

namespace sansock::bench {

inline const Kernels& chosen_kernels() {
  const char* const name = std::getenv("SANSOCK_SIMD");
  if (name == nullptr || *name == '\0') return best_kernels();
  if (const Kernels* const found = find_kernels(name)) return *found;
  std::fprintf(stderr, "SANSOCK_SIMD=%s: this build or CPU has none of that name\n", name);
  std::exit(2);
}

}  // namespace sansock::bench
