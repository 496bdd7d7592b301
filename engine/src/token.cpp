#include <algorithm>

#include "character.h"
#include "sansock/negotiate.h"

namespace sansock {

bool is_token(std::string_view text) noexcept {
  return !text.empty() && detail::all_chars(text, detail::char_token);
}

bool is_header_value(std::string_view text) noexcept { return detail::all_chars(text, detail::char_value); }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return detail::to_lower(x) == detail::to_lower(y); });
}

std::string_view trim(std::string_view text) noexcept {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace sansock
