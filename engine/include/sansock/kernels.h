// The loops over payload bytes: masking and UTF-8 validation. Streaming, any alignment, no padding
// before or after the data is needed or touched.
#pragma once

#include <cstring>

#include "sansock/types.h"

namespace sansock {

// A masking key in the order of the wire: byte i of the payload is xored with byte i mod 4.
// Rotated as bytes pass, so that the next byte always meets byte 0 of the key.
struct MaskKey {
  std::uint32_t word = 0;

  static MaskKey from_wire(const std::byte* four) noexcept {
    MaskKey key;
    std::memcpy(&key.word, four, 4);
    return key;
  }
  void to_wire(std::byte* four) const noexcept { std::memcpy(four, &word, 4); }
};

// Xors `data` in place. Returns the key for the byte after it. Its own inverse.
MaskKey mask(Bytes data, MaskKey key) noexcept;

// destination[i] = source[i] xor key. The two must not overlap; destination holds source.size().
MaskKey mask_copy(std::byte* destination, ConstBytes source, MaskKey key) noexcept;

// The state of a UTF-8 validation between two runs of one text (RFC 3629). Between characters
// `pending` is 0; else so many continuation bytes are still due, the next one in [low, high].
struct Utf8State {
  std::uint8_t pending = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;

  bool complete() const noexcept { return pending == 0; }
};

inline constexpr std::size_t utf8_all_valid = static_cast<std::size_t>(-1);

// Validates the next run. Returns utf8_all_valid, or the index of the first byte that can not
// continue any valid text; the state is then of no further use. A text is valid if every run is
// and the state is complete() at the end.
std::size_t utf8_validate(Utf8State& state, ConstBytes run) noexcept;

// Whether `text` as a whole is valid UTF-8.
bool utf8_is_valid(ConstBytes text) noexcept;

}  // namespace sansock
