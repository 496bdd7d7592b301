// The lists of the opening handshake: tokens, subprotocols, extensions, origins. Parsers only, in
// linear time, over text that stays where it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sansock/error.h"

namespace sansock {

// RFC 9110 section 5.6.2. Empty text is no token.
bool is_token(std::string_view text) noexcept;
// What a header value may hold: visible characters, space, tab, bytes over 0x7F. No CR, LF, NUL.
bool is_header_value(std::string_view text) noexcept;
// ASCII only, as header names, tokens and hosts are compared.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
// Removes spaces and tabs from both ends.
std::string_view trim(std::string_view text) noexcept;

// Takes the next element off a comma-separated list (RFC 9110 section 5.6.1), trimmed; empty
// elements are skipped. nullopt at the end. Commas in quoted strings do not separate.
std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept;
// Whether the list names `token`, case-insensitively ("Connection: keep-alive, Upgrade").
bool list_has_token(std::string_view list, std::string_view token) noexcept;

// How many subprotocols one list may name. RFC 6455 has no limit; checking that they are distinct
// needs one.
inline constexpr std::size_t subprotocols_max = 128;

// Whether `list` is one or more distinct tokens (RFC 6455 section 4.1, point 10), at most
// `subprotocols_max`.
bool is_subprotocol_list(std::string_view list) noexcept;

// One parameter of an extension: `name` or `name=value`. A quoted value is given without its
// quotes; RFC 6455 section 9.1 demands that what is quoted is still a token. Escapes in it, legal
// but used by nobody, stay as they are.
struct ExtensionParameter {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

// One element of Sec-WebSocket-Extensions. Views into the header.
struct Extension {
  std::string_view name;
  std::string_view parameters;  // the text behind the name; taken apart with next_parameter()
};

// Takes the next extension off the list. nullopt at the end or where the grammar is broken; `valid`
// tells which. Linear in the length of the text.
std::optional<Extension> next_extension(std::string_view& rest, bool& valid) noexcept;
// Takes the next parameter off Extension::parameters of a valid extension; nullopt at the end.
std::optional<ExtensionParameter> next_parameter(std::string_view& rest) noexcept;
// Whether the whole list follows the grammar.
bool is_extension_list(std::string_view list) noexcept;

// Scheme, host and port of an origin ("https://example.com:8443") compared with the request's own.
// `host_header` is the Host header as received; `secure` tells the scheme that our side serves.
// "null" and malformed origins never match.
bool origin_matches_host(std::string_view origin, std::string_view host_header, bool secure,
                         bool compare_scheme) noexcept;
// Whether two origins have the same scheme, host and port (a default port counts as written).
bool origins_equal(std::string_view a, std::string_view b) noexcept;
// host [ ":" port ] with a valid reg-name, IPv4 or bracketed IPv6 address (RFC 3986 section 3.2.2).
bool is_host(std::string_view host_and_port) noexcept;

}  // namespace sansock
