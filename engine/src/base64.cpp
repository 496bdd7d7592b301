#include "base64.h"

namespace sansock::detail {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void encode_base64(ConstBytes bytes, char* out) noexcept {
  while (!bytes.empty()) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) *out++ = i <= bytes.size() ? digits[group >> (18 - 6 * i) & 63] : '=';
    bytes = bytes.subspan(bytes.size() < 3 ? bytes.size() : 3);
  }
}

int base64_value(char digit) noexcept {
  const std::size_t position = digits.find(digit);
  return position == digits.npos ? -1 : static_cast<int>(position);
}

}  // namespace sansock::detail
