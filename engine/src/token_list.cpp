#include "token_list.h"

#include <algorithm>

#include "character.h"

namespace sansock {

std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    std::size_t end = 0;
    bool quoted = false;
    for (; end < rest.size() && (quoted || rest[end] != ','); ++end) {
      if (rest[end] == '"') quoted = !quoted;
      if (quoted && rest[end] == '\\' && end + 1 < rest.size()) ++end;
    }
    const std::string_view element = trim(detail::before(rest, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

bool list_has_token(std::string_view list, std::string_view token) noexcept {
  while (const auto element = next_list_element(list)) {
    if (equal_ignoring_case(*element, token)) return true;
  }
  return false;
}

bool is_subprotocol_list(std::string_view list) noexcept {
  detail::TokenSet tokens;
  return tokens.add_list(list) && tokens.size() > 0;
}

bool detail::TokenSet::add_list(std::string_view list) noexcept {
  while (const auto element = next_list_element(list)) {
    if (!add(*element)) return false;
  }
  return true;
}

bool detail::TokenSet::add(std::string_view token) noexcept {
  const auto end = tokens_.begin() + static_cast<std::ptrdiff_t>(size_);
  if (size_ == tokens_.size() || !is_token(token) || std::find(tokens_.begin(), end, token) != end)
    return false;
  tokens_[size_++] = token;
  return true;
}

}  // namespace sansock
