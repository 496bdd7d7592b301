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

// Numbers in network byte order; written out so that a compiler sees one load or store and a byte swap.
inline std::uint64_t load_be16(const std::byte* bytes) noexcept {
  return std::uint64_t{byte_at(bytes, 0)} << 8 | byte_at(bytes, 1);
}
inline std::uint64_t load_be64(const std::byte* bytes) noexcept {
  return std::uint64_t{byte_at(bytes, 0)} << 56 | std::uint64_t{byte_at(bytes, 1)} << 48 |
         std::uint64_t{byte_at(bytes, 2)} << 40 | std::uint64_t{byte_at(bytes, 3)} << 32 |
         std::uint64_t{byte_at(bytes, 4)} << 24 | std::uint64_t{byte_at(bytes, 5)} << 16 |
         std::uint64_t{byte_at(bytes, 6)} << 8 | byte_at(bytes, 7);
}
inline void store_be16(std::byte* out, std::uint64_t number) noexcept {
  out[0] = static_cast<std::byte>(number >> 8);
  out[1] = static_cast<std::byte>(number);
}
inline void store_be64(std::byte* out, std::uint64_t number) noexcept {
  store_be16(out, number >> 48);
  store_be16(out + 2, number >> 32);
  store_be16(out + 4, number >> 16);
  store_be16(out + 6, number);
}

// The length in a header that is there at least up to its length.
inline std::uint64_t header_length(const std::byte* header) noexcept {
  const unsigned form = byte_at(header, 1) & length_bits;
  return form < 126 ? form : form == 126 ? load_be16(header + 2) : load_be64(header + 2);
}

inline std::size_t header_size_for(std::uint64_t payload_size, bool masked) noexcept {
  const std::size_t plain = payload_size < 126 ? 2 : payload_size <= 0xFFFF ? 4 : 10;
  return plain + (masked ? 4u : 0u);
}

// Writes a header in its shortest form; `key` is written if `masked`.
inline void write_header(std::byte* out, unsigned first_byte, std::uint64_t payload_size, bool masked,
                         MaskKey key) noexcept {
  const unsigned mask = masked ? mask_bit : 0u;
  out[0] = static_cast<std::byte>(first_byte);
  std::byte* end = out + 2;
  if (payload_size < 126) {
    out[1] = static_cast<std::byte>(payload_size | mask);
  } else if (payload_size <= 0xFFFF) {
    out[1] = static_cast<std::byte>(126u | mask);
    store_be16(end, payload_size);
    end += 2;
  } else {
    out[1] = static_cast<std::byte>(127u | mask);
    store_be64(end, payload_size);
    end += 8;
  }
  if (masked) key.to_wire(end);
}

}  // namespace sansock
