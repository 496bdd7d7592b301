// UTF-8 an octet at a time, from the table of well-formed byte sequences (Unicode 15, table 3-7).
#pragma once

#include <cstdint>
#include <string_view>

namespace conform {

class Utf8Check {
 public:
  // False from the first octet on that can not belong to well-formed UTF-8.
  bool feed(std::string_view octets);
  // Whether what was fed ends with a whole character.
  bool complete() const { return valid_ && needed_ == 0; }

 private:
  bool start(std::uint8_t octet);

  bool valid_ = true;
  unsigned needed_ = 0;         // continuation octets that the character still lacks
  std::uint8_t lowest_ = 0x80;  // what the next one may be
  std::uint8_t highest_ = 0xBF;
};

inline bool is_utf8(std::string_view octets) {
  Utf8Check check;
  return check.feed(octets) && check.complete();
}

}  // namespace conform
