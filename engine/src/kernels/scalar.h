// The loops in plain C++: what every machine can run, what the others begin and end with, and what they
// are compared with.
#pragma once

#include "sansock/kernels.h"

namespace sansock::detail {

std::size_t scalar_utf8_validate(Utf8State& state, ConstBytes run) noexcept;
std::size_t scalar_unmask_validate(Bytes run, MaskKey& key, Utf8State& state) noexcept;

}  // namespace sansock::detail
