// UTF-8 validation (RFC 3629 section 4): a skip over ASCII, eight bytes at a time, and for the rest
// the table of well-formed byte sequences (Unicode Standard, table 3-7) as ranges for the next byte.
#include "sansock/kernels.h"

namespace sansock {
namespace {

struct Lead {
  std::uint8_t pending;  // continuation bytes that follow; 0 for a byte that can not lead
  std::uint8_t low;      // the range of the first of them
  std::uint8_t high;
};

// `byte` is over 0x7F.
constexpr Lead lead_of(std::uint8_t byte) noexcept {
  if (byte < 0xC2 || byte > 0xF4) return {0, 0, 0};  // continuation, overlong C0 C1, over U+10FFFF
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};  // no overlong form
  if (byte == 0xED) return {2, 0x80, 0x9F};  // no surrogate
  if (byte < 0xF0) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};  // no overlong form
  if (byte == 0xF4) return {3, 0x80, 0x8F};  // nothing over U+10FFFF
  return {3, 0x80, 0xBF};
}

std::size_t skip_ascii(const std::uint8_t* bytes, std::size_t i, std::size_t size) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080u;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, sizeof word);
    if (word & high_bits) break;
  }
  while (i < size && bytes[i] < 0x80) ++i;
  return i;
}

}  // namespace

std::size_t utf8_validate(Utf8State& state, ConstBytes run) noexcept {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(run.data());
  const std::size_t size = run.size();
  Utf8State now = state;
  std::size_t i = 0;
  while (i < size) {
    if (now.pending == 0) {
      i = skip_ascii(bytes, i, size);
      if (i == size) break;
      const Lead lead = lead_of(bytes[i]);
      if (lead.pending == 0) return i;
      now = {lead.pending, lead.low, lead.high};
      ++i;
      continue;
    }
    if (bytes[i] < now.low || bytes[i] > now.high) return i;
    now = {static_cast<std::uint8_t>(now.pending - 1), 0x80, 0xBF};
    ++i;
  }
  state = now;
  return utf8_all_valid;
}

bool utf8_is_valid(ConstBytes text) noexcept {
  Utf8State state;
  return utf8_validate(state, text) == utf8_all_valid && state.complete();
}

}  // namespace sansock
