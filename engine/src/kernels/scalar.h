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
  Utf8State next = state;
  const std::size_t bad = validate(next, run);
  if (bad == utf8_all_valid) {
    key = after;
    state = next;
    return bad;
  }
  // From the bad byte on the run is as it was, and the state is that in front of it.
  scalar_utf8_validate(state, run.first(bad));
  key = key.after(bad);
  mask_copy_words(run.data() + bad, run.data() + bad, run.size() - bad, key);
  return bad;
}

}  // namespace sansock::detail
