// What messages contain: pieces of two long patterns, so that each byte that arrives can be compared
// with the one that was sent, and nothing has to be kept.
#pragma once

#include "sansock/types.h"

namespace sansock::sim {

inline constexpr std::size_t payload_offset_max = 1u << 18;
inline constexpr std::size_t payload_size_max = 1u << 19;

struct Piece {
  MessageType type = MessageType::binary;
  std::size_t offset = 0;
  std::size_t size = 0;
};

// `size` bytes from `begin` on of what `piece` begins with.
ConstBytes payload_bytes(const Piece& piece, std::size_t begin, std::size_t size) noexcept;
// Moves a text's ends to where characters begin.
Piece whole_characters(Piece piece) noexcept;

}  // namespace sansock::sim
