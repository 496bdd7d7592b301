// The opcodes of RFC 6455 section 5.2 and the bits of a frame's first two bytes.
#pragma once

namespace sansock {

inline constexpr unsigned opcode_continuation = 0x0;
inline constexpr unsigned opcode_text = 0x1;
inline constexpr unsigned opcode_binary = 0x2;
inline constexpr unsigned opcode_close = 0x8;
inline constexpr unsigned opcode_ping = 0x9;
inline constexpr unsigned opcode_pong = 0xA;

inline constexpr unsigned fin_bit = 0x80;
inline constexpr unsigned rsv1_bit = 0x40;
inline constexpr unsigned rsv23_bits = 0x30;
inline constexpr unsigned opcode_bits = 0x0F;
inline constexpr unsigned mask_bit = 0x80;
inline constexpr unsigned length_bits = 0x7F;

constexpr bool is_control(unsigned opcode) noexcept { return (opcode & 0x8) != 0; }

}  // namespace sansock
