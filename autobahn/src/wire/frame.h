// Frames as the kit writes and reads them: its own code, so that a bug of the engine can not hide here.
// It writes illegal frames as willingly as legal ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace conform {

namespace opcode {
inline constexpr unsigned continuation = 0;
inline constexpr unsigned text = 1;
inline constexpr unsigned binary = 2;
inline constexpr unsigned close = 8;
inline constexpr unsigned ping = 9;
inline constexpr unsigned pong = 10;
}  // namespace opcode

inline bool is_control(unsigned code) { return code >= opcode::close; }
// "text", "continuation", "opcode 11".
std::string opcode_name(unsigned code);

using MaskingKey = std::array<std::uint8_t, 4>;

struct FrameHeader {
  bool fin = true;
  unsigned rsv = 0;  // the three bits as they stand: 4 is RSV1, 2 is RSV2, 1 is RSV3
  unsigned opcode = opcode::text;
  bool masked = false;
  MaskingKey key{};
  std::uint64_t length = 0;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

inline constexpr std::size_t header_size_max = 14;

// RFC 6455 section 5.2, with the shortest form of the length.
std::string encode_header(const FrameHeader& header);

// XORs octet i with key[(offset + i) % 4] (RFC 6455 section 5.3).
void apply_mask(char* octets, std::size_t size, const MaskingKey& key, std::uint64_t offset);

// The payload of a Close frame.
std::string close_payload(unsigned code, std::string_view reason = {});

}  // namespace conform
