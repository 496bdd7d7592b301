#include "sha1.h"

#include <bit>

namespace sansock::detail {

void Sha1::update(ConstBytes bytes) noexcept {
  for (const std::byte byte : bytes) append(std::to_integer<std::uint8_t>(byte));
}

std::array<std::byte, 20> Sha1::digest() noexcept {
  const std::uint64_t bits = size_ * 8;
  append(0x80);
  while (size_ % block_.size() != block_.size() - 8) append(0);
  for (int shift = 56; shift >= 0; shift -= 8) append(static_cast<std::uint8_t>(bits >> shift));
  std::array<std::byte, 20> result{};
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
  return result;
}

void Sha1::append(std::uint8_t byte) noexcept {
  block_[size_++ % block_.size()] = byte;
  if (size_ % block_.size() == 0) compress();
}

// RFC 3174 section 6.1
void Sha1::compress() noexcept {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t t = 0; t < 16; ++t) {
    w[t] = std::uint32_t{block_[4 * t]} << 24 | std::uint32_t{block_[4 * t + 1]} << 16 |
           std::uint32_t{block_[4 * t + 2]} << 8 | block_[4 * t + 3];
  }
  for (std::size_t t = 16; t < 80; ++t) w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  auto [a, b, c, d, e] = state_;
  for (std::size_t t = 0; t < 80; ++t) {
    std::uint32_t f = 0;
    if (t < 20) {
      f = ((b & c) | (~b & d)) + 0x5A827999;
    } else if (t < 40) {
      f = (b ^ c ^ d) + 0x6ED9EBA1;
    } else if (t < 60) {
      f = ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    } else {
      f = (b ^ c ^ d) + 0xCA62C1D6;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
}

}  // namespace sansock::detail
