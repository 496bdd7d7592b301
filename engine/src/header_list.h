// Headers that are lists of tokens, such as Connection and Upgrade.
#pragma once

#include "sansock/handshake.h"

namespace sansock::detail {

// Whether any header of this name lists `token`, case-insensitively. RFC 9110 section 5.3: repeated
// headers are one list.
inline bool headers_have_token(const HttpHead& head, std::string_view name, std::string_view token) noexcept {
  bool found = false;
  head.for_each_header([&](const Header& line) {
    if (!found && equal_ignoring_case(line.name, name)) found = list_has_token(line.value, token);
  });
  return found;
}

}  // namespace sansock::detail
