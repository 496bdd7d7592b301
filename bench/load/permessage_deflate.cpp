#include "permessage_deflate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <stdexcept>

namespace load {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Up to the separator; takes both from the front of `rest`.
std::string_view take_part(std::string_view& rest, char separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return trim(part);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The extensions of the answer; more than one line is one list (RFC 6455 section 9.1).
std::string extensions_of(std::string_view head) {
  std::string list;
  for (std::size_t end = 0; (end = head.find("\r\n")) != std::string_view::npos;
       head.remove_prefix(end + 2)) {
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!same_name(trim(line.substr(0, colon)), "Sec-WebSocket-Extensions")) continue;
    if (!list.empty()) list += ", ";
    list += trim(line.substr(colon + 1));
  }
  return list;
}

int window_bits(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool number = error == std::errc() && end == value.data() + value.size();
  // 8 to 15, without leading zeros (RFC 7692 section 7.1.2).
  return number && bits >= 8 && bits <= 15 && value.front() != '0' ? bits : 0;
}

// One parameter of the answer; false if there is none such, or not with this value.
bool take_parameter(DeflateAgreement& agreement, std::string_view name, std::string_view value,
                    bool has_value) {
  if (name == "client_no_context_takeover") return agreement.client_no_context_takeover = !has_value;
  if (name == "server_no_context_takeover") return agreement.server_no_context_takeover = !has_value;
  if (name == "client_max_window_bits") return (agreement.client_window_bits = window_bits(value)) != 0;
  if (name == "server_max_window_bits") return (agreement.server_window_bits = window_bits(value)) != 0;
  return false;
}

}  // namespace

std::string deflate_offer(Deflate deflate) {
  switch (deflate) {
    case Deflate::off: break;
    case Deflate::on: return "permessage-deflate; client_max_window_bits";
    case Deflate::no_context:
      return "permessage-deflate; client_no_context_takeover; server_no_context_takeover; "
             "client_max_window_bits";
  }
  return {};
}

DeflateAgreement read_deflate_answer(Deflate deflate, std::string_view head) {
  const std::string list = extensions_of(head);
  DeflateAgreement agreement;
  if (deflate == Deflate::off) {
    if (!list.empty()) throw std::runtime_error("the server selected an extension that was not offered");
    return agreement;
  }
  if (list.empty())
    throw std::runtime_error("the server declined permessage-deflate; measure it without --deflate");
  std::string_view rest = list;
  if (take_part(rest, ';') != "permessage-deflate") {
    throw std::runtime_error(fmt::format("the server selected '{}', not permessage-deflate", list));
  }
  agreement.compressed = true;
  std::set<std::string_view> seen;
  while (!rest.empty()) {
    std::string_view value = take_part(rest, ';');
    const bool has_value = value.find('=') != std::string_view::npos;
    const std::string_view name = take_part(value, '=');
    if (!seen.insert(name).second || !take_parameter(agreement, name, trim(value), has_value)) {
      throw std::runtime_error(fmt::format("the server answered '{}', in which '{}' is wrong", list, name));
    }
  }
  if (agreement.client_window_bits == 8) {
    throw std::runtime_error(
        fmt::format("the server chose '{}'; zlib can not compress with a window of 8 bits", list));
  }
  if (deflate == Deflate::no_context && !agreement.server_no_context_takeover) {
    throw std::runtime_error(
        fmt::format("the server chose '{}' and keeps its context; measure it with --deflate on", list));
  }
  // It was offered, so that it is so whether or not the server repeats it (RFC 7692 section 7.1.1.2).
  if (deflate == Deflate::no_context) agreement.client_no_context_takeover = true;
  return agreement;
}

std::string describe(const DeflateAgreement& agreement) {
  if (!agreement.compressed) return "none";
  std::string text = "permessage-deflate";
  if (agreement.client_no_context_takeover) text += "; client_no_context_takeover";
  if (agreement.server_no_context_takeover) text += "; server_no_context_takeover";
  if (agreement.client_window_bits != 15)
    text += fmt::format("; client_max_window_bits={}", agreement.client_window_bits);
  if (agreement.server_window_bits != 15)
    text += fmt::format("; server_max_window_bits={}", agreement.server_window_bits);
  return text;
}

}  // namespace load
