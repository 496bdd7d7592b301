// Base64 with padding (RFC 4648 section 4).
#pragma once

#include "sansock/types.h"

namespace sansock::detail {

constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }
// Writes base64_size(bytes.size()) characters.
void encode_base64(ConstBytes bytes, char* out) noexcept;
// The value of a digit, 0..63; -1 for other characters, '=' included.
int base64_value(char digit) noexcept;

}  // namespace sansock::detail
