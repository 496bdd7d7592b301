#include "wire/frame.h"

#include <cstring>

namespace conform {

std::string opcode_name(unsigned code) {
  switch (code) {
    case opcode::continuation: return "continuation";
    case opcode::text: return "text";
    case opcode::binary: return "binary";
    case opcode::close: return "close";
    case opcode::ping: return "ping";
    case opcode::pong: return "pong";
    default: return "opcode " + std::to_string(code);
  }
}

std::string encode_header(const FrameHeader& header) {
  std::string octets;
  octets.push_back(
      static_cast<char>((header.fin ? 0x80u : 0u) | (header.rsv & 7u) << 4 | (header.opcode & 15u)));
  const unsigned mask_bit = header.masked ? 0x80u : 0u;
  int length_octets = 0;
  if (header.length <= 125) {
    octets.push_back(static_cast<char>(mask_bit | static_cast<unsigned>(header.length)));
  } else if (header.length <= 0xFFFF) {
    octets.push_back(static_cast<char>(mask_bit | 126u));
    length_octets = 2;
  } else {
    octets.push_back(static_cast<char>(mask_bit | 127u));
    length_octets = 8;
  }
  for (int i = length_octets - 1; i >= 0; --i)
    octets.push_back(static_cast<char>(header.length >> (8 * i) & 0xFF));
  if (header.masked) octets.append(reinterpret_cast<const char*>(header.key.data()), header.key.size());
  return octets;
}

void apply_mask(char* octets, std::size_t size, const MaskingKey& key, std::uint64_t offset) {
  std::array<std::uint8_t, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % 4];
  std::uint64_t wide;
  std::memcpy(&wide, turned.data(), sizeof wide);
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t word;
    std::memcpy(&word, octets + i, sizeof word);
    word ^= wide;
    std::memcpy(octets + i, &word, sizeof word);
  }
  for (; i < size; ++i) octets[i] = static_cast<char>(static_cast<std::uint8_t>(octets[i]) ^ turned[i % 8]);
}

std::string close_payload(unsigned code, std::string_view reason) {
  std::string payload;
  payload.push_back(static_cast<char>(code >> 8 & 0xFF));
  payload.push_back(static_cast<char>(code & 0xFF));
  payload.append(reason);
  return payload;
}

}  // namespace conform
