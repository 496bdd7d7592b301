// Sec-WebSocket-Extensions (RFC 6455 section 9.1):
//
//   extension-list  = 1#extension
//   extension       = extension-token *( ";" extension-param )
//   extension-param = token [ "=" (token | quoted-string) ]
//
// with spaces and tabs allowed between these parts ("implied *LWS" of RFC 2616 section 2.1).
#include "character.h"
#include "sansock/negotiate.h"

namespace sansock {

namespace {

void skip_space(std::string_view& rest) noexcept {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

bool take(std::string_view& rest, char wanted) noexcept {
  if (rest.empty() || rest.front() != wanted) return false;
  rest.remove_prefix(1);
  return true;
}

// Empty if there is none.
std::string_view take_token(std::string_view& rest) noexcept {
  std::size_t size = 0;
  while (size < rest.size() && detail::is_char(rest[size], detail::char_token)) ++size;
  const std::string_view token = detail::before(rest, size);
  rest.remove_prefix(size);
  return token;
}

// "the value after quoted-string unescaping MUST conform to the 'token' ABNF"
bool take_quoted(std::string_view& rest, std::string_view& value) noexcept {
  std::size_t size = 0;
  for (; size < rest.size() && rest[size] != '"'; ++size) {
    if (rest[size] == '\\') ++size;
    if (size == rest.size() || !detail::is_char(rest[size], detail::char_token)) return false;
  }
  if (size == 0 || size >= rest.size()) return false;
  value = detail::before(rest, size);
  rest.remove_prefix(size + 1);
  return true;
}

// Takes what follows a ';'.
bool take_parameter(std::string_view& rest, ExtensionParameter& parameter) noexcept {
  skip_space(rest);
  parameter.name = take_token(rest);
  if (parameter.name.empty()) return false;
  skip_space(rest);
  parameter.has_value = take(rest, '=');
  if (!parameter.has_value) return true;
  skip_space(rest);
  if (take(rest, '"')) return take_quoted(rest, parameter.value);
  parameter.value = take_token(rest);
  return !parameter.value.empty();
}

bool take_extension(std::string_view& rest, Extension& extension) noexcept {
  extension.name = take_token(rest);
  if (extension.name.empty()) return false;
  const char* const begin = rest.data();
  for (;;) {
    skip_space(rest);
    if (rest.empty() || rest.front() == ',') break;
    ExtensionParameter parameter;
    if (!take(rest, ';') || !take_parameter(rest, parameter)) return false;
  }
  extension.parameters = trim({begin, static_cast<std::size_t>(rest.data() - begin)});
  return true;
}

}  // namespace

std::optional<Extension> next_extension(std::string_view& rest, bool& valid) noexcept {
  valid = true;
  for (skip_space(rest); take(rest, ',');) skip_space(rest);  // empty elements of the list
  if (rest.empty()) return std::nullopt;
  Extension extension;
  valid = take_extension(rest, extension);
  if (valid) return extension;
  rest = {};  // whoever goes on nevertheless is at the end
  return std::nullopt;
}

std::optional<ExtensionParameter> next_parameter(std::string_view& rest) noexcept {
  ExtensionParameter parameter;
  skip_space(rest);
  if (take(rest, ';') && take_parameter(rest, parameter)) return parameter;
  rest = {};
  return std::nullopt;
}

bool is_extension_list(std::string_view list) noexcept {
  bool valid = true;
  std::size_t count = 0;
  while (next_extension(list, valid)) ++count;
  return valid && count > 0;
}

}  // namespace sansock
