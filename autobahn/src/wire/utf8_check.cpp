#include "wire/utf8_check.h"

#include <cstddef>

namespace conform {

bool Utf8Check::start(std::uint8_t octet) {
  lowest_ = 0x80;
  highest_ = 0xBF;
  if (octet < 0x80) return true;
  if (octet >= 0xC2 && octet <= 0xDF) {
    needed_ = 1;
  } else if (octet >= 0xE0 && octet <= 0xEF) {
    needed_ = 2;
    if (octet == 0xE0) lowest_ = 0xA0;   // shorter forms exist below
    if (octet == 0xED) highest_ = 0x9F;  // surrogates lie above
  } else if (octet >= 0xF0 && octet <= 0xF4) {
    needed_ = 3;
    if (octet == 0xF0) lowest_ = 0x90;
    if (octet == 0xF4) highest_ = 0x8F;  // U+10FFFF is the last
  } else {
    return false;
  }
  return true;
}

bool Utf8Check::feed(std::string_view octets) {
  for (std::size_t i = 0; valid_ && i < octets.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(octets[i]);
    if (needed_ == 0) {
      valid_ = start(octet);
      continue;
    }
    valid_ = octet >= lowest_ && octet <= highest_;
    lowest_ = 0x80;
    highest_ = 0xBF;
    --needed_;
  }
  return valid_;
}

}  // namespace conform
