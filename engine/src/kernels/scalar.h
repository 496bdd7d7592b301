// The loops in plain C++: what every machine can run, what the others begin and end with, and what they
// are compared with.
#pragma once

#include "sansock/kernels.h"

namespace sansock::detail {

std::size_t scalar_utf8_validate(Utf8State& state, ConstBytes run) noexcept;
std::size_t scalar_unmask_validate(Bytes run, MaskKey& key, Utf8State& state) noexcept;

// Kernels::unmask_validate() in two passes, with any of the validations.
template <class Validate>
std::size_t unmask_then_validate(Bytes run, MaskKey& key, Utf8State& state, Validate validate) noexcept {
  const MaskKey after = mask_copy_words(run.data(), run.data(), run.size(), key);
  return validate_unmasked(run, key, after, state, validate);
}

}  // namespace sansock::detail
