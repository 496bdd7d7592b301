#include <algorithm>

#include "character.h"
#include "sansock/handshake.h"

namespace sansock {

namespace {

using detail::before;
using detail::from;

constexpr std::string_view crlf = "\r\n";

// The word before the first space, which `rest` loses with it.
std::string_view take_word(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = before(rest, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

}  // namespace

HttpHead::HttpHead(std::string_view text) noexcept : text_(text) {
  const std::size_t end = text.find(crlf);
  if (end != text.npos) header_lines_ = from(text, end + crlf.size());
}

std::string_view HttpHead::start_line() const noexcept {
  return before(text_, std::min(text_.find(crlf), text_.size()));
}

bool HttpHead::take_header(std::string_view& rest, Header& line) noexcept {
  if (rest.empty()) return false;
  const std::size_t end = std::min(rest.find(crlf), rest.size());
  const std::string_view text = before(rest, end);
  rest.remove_prefix(std::min(end + crlf.size(), rest.size()));
  const std::size_t colon = std::min(text.find(':'), text.size());
  line.name = before(text, colon);
  line.value = trim(from(text, std::min(colon + 1, text.size())));
  return true;
}

std::optional<std::string_view> HttpHead::header(std::string_view name) const noexcept {
  std::string_view rest = header_lines_;
  for (Header line; take_header(rest, line);) {
    if (equal_ignoring_case(line.name, name)) return line.value;
  }
  return std::nullopt;
}

std::size_t HttpHead::header_count(std::string_view name) const noexcept {
  std::size_t count = 0;
  for_each_header([&](const Header& line) { count += equal_ignoring_case(line.name, name) ? 1 : 0; });
  return count;
}

// --- Request --------------------------------------------------------------------------------------

std::string_view Request::method() const noexcept {
  std::string_view rest = start_line();
  return take_word(rest);
}

std::string_view Request::target() const noexcept {
  std::string_view rest = start_line();
  take_word(rest);
  return take_word(rest);
}

std::string_view Request::path() const noexcept {
  const std::string_view all = target();
  return before(all, std::min(all.find('?'), all.size()));
}

std::string_view Request::query() const noexcept {
  const std::string_view all = target();
  const std::size_t mark = all.find('?');
  return mark == all.npos ? std::string_view() : from(all, mark + 1);
}

std::string_view Request::host() const noexcept { return header("Host").value_or(std::string_view()); }

int Request::version() const noexcept {
  if (header_count("Sec-WebSocket-Version") != 1) return 0;
  const std::string_view value = *header("Sec-WebSocket-Version");
  return value == "13" ? 13 : value == "8" ? 8 : 0;
}

std::string_view Request::origin() const noexcept {
  if (version() == 8) {
    if (const auto value = header("Sec-WebSocket-Origin")) return *value;
  }
  return header("Origin").value_or(std::string_view());
}

std::string_view Request::subprotocols() const noexcept {
  return header("Sec-WebSocket-Protocol").value_or(std::string_view());
}

std::string_view Request::extensions() const noexcept {
  return header("Sec-WebSocket-Extensions").value_or(std::string_view());
}

bool Request::offers_subprotocol(std::string_view name) const noexcept {
  bool found = false;
  for_each_header([&](const Header& line) {
    if (!equal_ignoring_case(line.name, "Sec-WebSocket-Protocol")) return;
    std::string_view rest = line.value;
    while (const auto element = next_list_element(rest)) found = found || *element == name;
  });
  return found;
}

// --- Response -------------------------------------------------------------------------------------

std::uint16_t Response::status() const noexcept {
  std::string_view rest = start_line();
  take_word(rest);
  const std::string_view digits = take_word(rest);
  std::uint16_t value = 0;
  if (digits.size() != 3) return 0;
  for (const char c : digits) {
    if (!detail::is_digit(static_cast<unsigned char>(c))) return 0;
    value = static_cast<std::uint16_t>(value * 10 + (c - '0'));
  }
  return value;
}

std::string_view Response::reason() const noexcept {
  std::string_view rest = start_line();
  take_word(rest);
  take_word(rest);
  return rest;
}

std::string_view Response::subprotocol() const noexcept {
  return header("Sec-WebSocket-Protocol").value_or(std::string_view());
}

std::string_view Response::extensions() const noexcept {
  return header("Sec-WebSocket-Extensions").value_or(std::string_view());
}

}  // namespace sansock
