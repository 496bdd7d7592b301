// Classes of the characters in an HTTP head (RFC 9110 section 5.6.2, RFC 3986 section 2), one table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sansock::detail {

enum CharacterClass : std::uint8_t {
  char_token = 1,       // tchar
  char_value = 2,       // field-vchar, space and tab
  char_visible = 4,     // 0x21..0x7E: what a URL may consist of
  char_host = 8,        // unreserved, sub-delims and '%'
  char_hex_digit = 16,  // HEXDIG
};

constexpr bool is_alpha(unsigned c) noexcept { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
constexpr bool is_digit(unsigned c) noexcept { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

constexpr std::array<std::uint8_t, 256> make_character_table() noexcept {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const char letter = static_cast<char>(c);
    const bool alphanumeric = is_alpha(c) || is_digit(c);
    const auto is_one_of = [letter](std::string_view set) { return set.find(letter) != set.npos; };
    unsigned classes = 0;
    if (alphanumeric || is_one_of("!#$%&'*+-.^_`|~")) classes |= char_token;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) classes |= char_value;
    if (c > 0x20 && c < 0x7F) classes |= char_visible;
    if (alphanumeric || is_one_of("-._~!$&'()*+,;=%")) classes |= char_host;
    if (is_digit(c) || (is_alpha(c) && (c | 0x20) <= 'f')) classes |= char_hex_digit;
    table[c] = static_cast<std::uint8_t>(classes);
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> character_table = make_character_table();

constexpr bool is_char(char c, CharacterClass wanted) noexcept {
  return (character_table[static_cast<unsigned char>(c)] & wanted) != 0;
}
// Whether all characters are of the class; true for empty text.
constexpr bool all_chars(std::string_view text, CharacterClass wanted) noexcept {
  for (const char c : text) {
    if (!is_char(c, wanted)) return false;
  }
  return true;
}

// The parts of `text` before and from `position`, which must be within it. string_view::substr()
// would throw, and starts_with() uses it.
constexpr std::string_view before(std::string_view text, std::size_t position) noexcept {
  return {text.data(), position};
}
constexpr std::string_view from(std::string_view text, std::size_t position) noexcept {
  return {text.data() + position, text.size() - position};
}

constexpr bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && before(text, prefix.size()) == prefix;
}
constexpr bool finishes_with(std::string_view text, std::string_view suffix) noexcept {
  return text.size() >= suffix.size() && from(text, text.size() - suffix.size()) == suffix;
}

}  // namespace sansock::detail
