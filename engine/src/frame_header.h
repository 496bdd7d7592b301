// The frame header as bytes: sizes, reading and writing of its length (RFC 6455 section 5.2).
#pragma once

#include <cstdint>

#include "opcode.h"
#include "sansock/kernels.h"

namespace sansock {

inline std::uint8_t byte_at(const std::byte* bytes, std::size_t i) noexcept {
  return static_cast<std::uint8_t>(bytes[i]);
}

// The size of the header up to and with its length, from its second byte.
inline std::size_t header_size_to_length(unsigned second_byte) noexcept {
  const unsigned form = second_byte & length_bits;
  return form < 126 ? 2 : form == 126 ? 4 : 10;
}
inline std::size_t header_size_whole(unsigned second_byte) noexcept {
  return header_size_to_length(second_byte) + ((second_byte & mask_bit) != 0 ? 4 : 0);
}

// The length in a header that is there at least up to its length. Network byte order.
inline std::uint64_t header_length(const std::byte* header) noexcept {
  const std::size_t end = header_size_to_length(byte_at(header, 1));
  if (end == 2) return byte_at(header, 1) & length_bits;
  std::uint64_t length = 0;
  for (std::size_t i = 2; i < end; ++i) length = length << 8 | byte_at(header, i);
  return length;
}

inline std::size_t header_size_for(std::uint64_t payload_size, bool masked) noexcept {
  const std::size_t plain = payload_size < 126 ? 2 : payload_size <= 0xFFFF ? 4 : 10;
  return plain + (masked ? 4u : 0u);
}

// Writes a header in its shortest form; `key` is written if `masked`.
inline void write_header(std::byte* out, unsigned first_byte, std::uint64_t payload_size, bool masked,
                         MaskKey key) noexcept {
  const std::size_t size = header_size_for(payload_size, masked);
  const std::size_t length_size = size - 2 - (masked ? 4u : 0u);
  const unsigned form = length_size == 0   ? static_cast<unsigned>(payload_size)
                        : length_size == 2 ? 126u
                                           : 127u;
  out[0] = static_cast<std::byte>(first_byte);
  out[1] = static_cast<std::byte>(form | (masked ? mask_bit : 0u));
  for (std::size_t i = 0; i < length_size; ++i) {
    out[2 + i] = static_cast<std::byte>(payload_size >> (8 * (length_size - 1 - i)));
  }
  if (masked) key.to_wire(out + size - 4);
}

}  // namespace sansock
