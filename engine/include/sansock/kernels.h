// The loops over payload bytes: masking and UTF-8 validation. Streaming, any alignment, no padding
// before or after the data is needed or touched.
#pragma once

#include <bit>
#include <cstring>
#include <string_view>

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

  // The key for the byte that is `count` bytes further on.
  MaskKey after(std::size_t count) const noexcept {
    const int bits = static_cast<int>((count & 3) * 8);
    return {std::endian::native == std::endian::little ? std::rotr(word, bits) : std::rotl(word, bits)};
  }
};

// The state of a UTF-8 validation between two runs of one text (RFC 3629). Between characters
// `pending` is 0; else so many continuation bytes are still due, the next one in [low, high].
struct Utf8State {
  std::uint8_t pending = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;

  bool complete() const noexcept { return pending == 0; }
};

inline constexpr std::size_t utf8_all_valid = static_cast<std::size_t>(-1);

// One implementation of the loops. All of them do the same; tests and fuzzers hold them to it.
struct Kernels {
  const char* name;  // "scalar", or the instruction set as Highway names it: "AVX2"

  // Xors `data` in place. Returns the key for the byte after it. Its own inverse.
  MaskKey mask(Bytes data, MaskKey key) const noexcept { return mask_copy(data.data(), data, key); }

  // destination[i] = source[i] xor key. destination holds source.size(); it may be the source itself,
  // and may not overlap it otherwise. Returns the key for the byte after it.
  MaskKey mask_copy(std::byte* destination, ConstBytes source, MaskKey key) const noexcept;

  // Validates the next run. Returns utf8_all_valid, or the index of the first byte that can not
  // continue any valid text; the state is then of no further use. A text is valid if every run is
  // and the state is complete() at the end.
  std::size_t utf8_validate(Utf8State& state, ConstBytes run) const noexcept {
    return validate_any(state, run);
  }

  // Unmasks the next run of a text in place and validates it, in one pass. Returns utf8_all_valid, with
  // key and state as they are behind the run; or the index of the first byte that can not continue any
  // valid text: then the bytes before it are unmasked, key and state are those in front of it, and the
  // bytes from it on are as they were.
  std::size_t unmask_validate(Bytes run, MaskKey& key, Utf8State& state) const noexcept {
    return unmask_validate_any(run, key, state);
  }

  // The loops themselves; the functions above spare short data the call through a pointer.
  MaskKey (*mask_copy_long)(std::byte* destination, const std::byte* source, std::size_t size,
                            MaskKey key) noexcept;
  std::size_t (*validate_any)(Utf8State& state, ConstBytes run) noexcept;
  std::size_t (*unmask_validate_any)(Bytes run, MaskKey& key, Utf8State& state) noexcept;
};

// Plain C++, on every machine.
const Kernels& scalar_kernels() noexcept;
// The best that are built in and that this CPU can run.
const Kernels& best_kernels() noexcept;
// By name, in any case of letters; nullptr if they are not built in or the CPU can not run them. This and
// kernels_at() ask the CPU anew each time, which may take a while.
const Kernels* find_kernels(std::string_view name) noexcept;
// All that can be used here, from the plainest (index 0) to the best; nullptr behind them.
const Kernels* kernels_at(std::size_t index) noexcept;

// Whether `text` as a whole is valid UTF-8.
inline bool utf8_is_valid(ConstBytes text, const Kernels& kernels = scalar_kernels()) noexcept {
  Utf8State state;
  return kernels.utf8_validate(state, text) == utf8_all_valid && state.complete();
}

// --- what short data takes ------------------------------------------------------------------------
namespace detail {

// memcpy keeps these correct for every alignment; compilers turn each into one load or store.
template <class Word>
inline void mask_word(std::byte* to, const std::byte* from, Word key) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  word ^= key;
  std::memcpy(to, &word, sizeof word);
}

// Eight bytes at a time, then four, then each.
inline MaskKey mask_copy_words(std::byte* to, const std::byte* from, std::size_t size, MaskKey key) noexcept {
  const std::uint64_t wide = key.word | std::uint64_t{key.word} << 32;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) mask_word(to + i, from + i, wide);
  if (i + 4 <= size) {
    mask_word(to + i, from + i, key.word);
    i += 4;
  }
  std::byte four[4];
  key.to_wire(four);
  for (; i < size; ++i) to[i] = from[i] ^ four[i & 3];
  return key.after(size);
}

inline constexpr std::size_t mask_short_max = 64;

}  // namespace detail

inline MaskKey Kernels::mask_copy(std::byte* destination, ConstBytes source, MaskKey key) const noexcept {
  if (source.size() <= detail::mask_short_max) {
    return detail::mask_copy_words(destination, source.data(), source.size(), key);
  }
  return mask_copy_long(destination, source.data(), source.size(), key);
}

}  // namespace sansock
