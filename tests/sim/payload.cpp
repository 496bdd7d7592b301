#include "payload.h"

#include <string>
#include <vector>

#include "prng.h"

namespace sansock::sim {

namespace {

constexpr std::size_t pattern_size = payload_offset_max + payload_size_max + 16;

struct Patterns {
  Patterns() {
    Prng prng(1);
    while (binary.size() < pattern_size) binary.push_back(static_cast<std::byte>(prng.next()));
    constexpr const char* characters[] = {"a", "Z", "7", " ", "\u00e9", "\u20ac", "\u65e5", "\U0001f980"};
    std::string letters;
    while (letters.size() < pattern_size) letters += characters[prng.below(8)];
    for (const char letter : letters) text.push_back(static_cast<std::byte>(letter));
  }
  std::vector<std::byte> binary;
  std::vector<std::byte> text;
};

const Patterns& patterns() {
  static const Patterns made;
  return made;
}

bool inside_character(std::byte byte) { return (byte & std::byte{0xC0}) == std::byte{0x80}; }

}  // namespace

ConstBytes payload_bytes(const Piece& piece, std::size_t begin, std::size_t size) noexcept {
  const std::vector<std::byte>& pattern =
      piece.type == MessageType::text ? patterns().text : patterns().binary;
  return ConstBytes(pattern).subspan(piece.offset + begin, size);
}

Piece whole_characters(Piece piece) noexcept {
  const std::vector<std::byte>& pattern = patterns().text;
  while (inside_character(pattern[piece.offset])) ++piece.offset;
  while (piece.size != 0 && inside_character(pattern[piece.offset + piece.size])) --piece.size;
  return piece;
}

}  // namespace sansock::sim
