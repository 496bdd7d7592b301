#include "wire/hex.h"

#include <stdexcept>

namespace conform {
namespace {

constexpr std::string_view digits_small = "0123456789abcdef";

unsigned digit(char c) {
  const std::size_t found = digits_small.find(static_cast<char>(c >= 'A' && c <= 'F' ? c | 0x20 : c));
  if (found == std::string_view::npos) throw std::invalid_argument("not a hexadecimal digit");
  return static_cast<unsigned>(found);
}

void append_octet(std::string& text, char octet) {
  const auto value = static_cast<unsigned char>(octet);
  text.push_back(digits_small[value >> 4]);
  text.push_back(digits_small[value & 15u]);
}

}  // namespace

std::string to_hex(std::string_view octets) {
  std::string text;
  text.reserve(octets.size() * 3);
  for (const char octet : octets) {
    if (!text.empty()) text.push_back(' ');
    append_octet(text, octet);
  }
  return text;
}

std::string from_hex(std::string_view digits) {
  std::string octets;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == ' ') continue;
    if (i + 1 == digits.size()) throw std::invalid_argument("half an octet");
    octets.push_back(static_cast<char>(digit(digits[i]) << 4 | digit(digits[i + 1])));
    ++i;
  }
  return octets;
}

std::string printable(std::string_view octets, std::size_t max) {
  std::string text;
  for (const char octet : octets.substr(0, max)) {
    const bool plain = octet >= 0x20 && octet <= 0x7E && octet != '\\';
    if (plain) {
      text.push_back(octet);
    } else {
      text += "\\x";
      append_octet(text, octet);
    }
  }
  if (octets.size() > max) text += "... (" + std::to_string(octets.size()) + " octets)";
  return text;
}

}  // namespace conform
