// The one form of a request target that a WebSocket handshake has.
#pragma once

#include <string_view>

#include "character.h"

namespace sansock::detail {

// RFC 9112 section 3.2.1: a path and perhaps a query. What browsers leave unescaped is let through,
// as long as it is visible ASCII; '#' never is part of it.
constexpr bool is_origin_form(std::string_view target) noexcept {
  return !target.empty() && target.front() == '/' && all_chars(target, char_visible) &&
         target.find('#') == target.npos;
}

}  // namespace sansock::detail
