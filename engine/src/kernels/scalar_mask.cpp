// Masking, eight bytes at a time (RFC 6455 section 5.3).
#include <bit>

#include "sansock/kernels.h"

namespace sansock {
namespace {

// The key for the byte that is `count` bytes further on.
std::uint32_t rotate(std::uint32_t word, std::size_t count) noexcept {
  const int bits = static_cast<int>((count & 3) * 8);
  if constexpr (std::endian::native == std::endian::little) return std::rotr(word, bits);
  return std::rotl(word, bits);
}

// memcpy keeps this correct for every alignment; compilers turn it into one load or store.
std::uint64_t load(const std::byte* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
void store(std::byte* to, std::uint64_t word) noexcept { std::memcpy(to, &word, sizeof word); }

}  // namespace

MaskKey mask_copy(std::byte* destination, ConstBytes source, MaskKey key) noexcept {
  const std::uint64_t wide = key.word | std::uint64_t{key.word} << 32;
  const std::size_t size = source.size();
  const std::byte* from = source.data();
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) store(destination + i, load(from + i) ^ wide);
  std::byte four[4];
  key.to_wire(four);
  for (; i < size; ++i) destination[i] = from[i] ^ four[i & 3];
  return {rotate(key.word, size)};
}

MaskKey mask(Bytes data, MaskKey key) noexcept { return mask_copy(data.data(), data, key); }

}  // namespace sansock
