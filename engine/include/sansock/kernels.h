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
  std::size_t utf8_validate(Utf8State& state, ConstBytes run) const noexcept;

  // Unmasks the next run of a text in place and validates it, in one pass. Returns utf8_all_valid, with
  // key and state as they are behind the run; or the index of the first byte that can not continue any
  // valid text: then the bytes before it are unmasked, key and state are those in front of it, and the
  // bytes from it on are as they were.
  std::size_t unmask_validate(Bytes run, MaskKey& key, Utf8State& state) const noexcept;

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
inline Word load_word(const std::byte* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}
template <class Word>
inline void store_word(std::byte* to, Word word) noexcept {
  std::memcpy(to, &word, sizeof word);
}

inline std::uint64_t wide_key(MaskKey key) noexcept { return key.word | std::uint64_t{key.word} << 32; }

// As a vector where the machine has them, else the compiler makes two words of it.
using Sixteen = std::uint32_t __attribute__((vector_size(16)));

// Two words that may overlap, of at least as many bytes as one has and at most as many as both have. Both are
// read before one is written, so that it may be done in place.
template <class Word>
inline Word mask_two_words(std::byte* to, const std::byte* from, std::size_t size, Word key,
                           Word key_end) noexcept {
  const Word first = static_cast<Word>(load_word<Word>(from) ^ key);
  const Word last = static_cast<Word>(load_word<Word>(from + size - sizeof(Word)) ^ key_end);
  store_word(to, first);
  store_word(to + size - sizeof(Word), last);
  return first | last;
}

// A word with what comes first of the key.
template <class Word>
inline Word mask_few(std::byte* to, const std::byte* from, MaskKey key) noexcept {
  Word first;
  std::memcpy(&first, &key.word, sizeof first);
  const Word word = static_cast<Word>(load_word<Word>(from) ^ first);
  store_word(to, word);
  return word;
}

// `Count` words from the front and as many up to the end, which may overlap: for at least as many bytes as
// Count words have, at most twice as many. All is read before any is written, so that it may be done in
// place.
template <std::size_t Count>
inline Sixteen mask_both_ends(std::byte* to, const std::byte* from, std::size_t size, Sixteen key,
                              Sixteen key_end) noexcept {
  const std::byte* const from_end = from + size - 16 * Count;
  std::byte* const to_end = to + size - 16 * Count;
  Sixteen words[2 * Count];
  for (std::size_t i = 0; i < Count; ++i) {
    words[i] = load_word<Sixteen>(from + 16 * i) ^ key;
    words[Count + i] = load_word<Sixteen>(from_end + 16 * i) ^ key_end;
  }
  Sixteen all = {};
  for (std::size_t i = 0; i < Count; ++i) {
    store_word(to + 16 * i, words[i]);
    store_word(to_end + 16 * i, words[Count + i]);
    all |= words[i] | words[Count + i];
  }
  return all;
}
template <std::size_t Count>
inline void copy_both_ends(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  const std::size_t end = size - 16 * Count;
  for (std::size_t i = 0; i < Count; ++i) {
    store_word(to + 16 * i, load_word<Sixteen>(from + 16 * i));
    store_word(to + end + 16 * i, load_word<Sixteen>(from + end + 16 * i));
  }
}

inline Sixteen mask_many_words(std::byte* to, const std::byte* from, std::size_t size, Sixteen key,
                               Sixteen key_end) noexcept {
  // Read first: in place, the loop writes over a part of it.
  const Sixteen last = load_word<Sixteen>(from + size - 16) ^ key_end;
  Sixteen all = last;
  for (std::size_t i = 0; i + 16 < size; i += 16) {
    const Sixteen word = load_word<Sixteen>(from + i) ^ key;
    store_word(to + i, word);
    all |= word;
  }
  store_word(to + size - 16, last);
  return all;
}

// Sixteen bytes at a time and the last sixteen, which may overlap; fewer than that likewise in smaller words.
// The bits of all that is written are added to `seen`.
inline MaskKey mask_copy_words(std::byte* to, const std::byte* from, std::size_t size, MaskKey key,
                               std::uint64_t& seen) noexcept {
  // The last word is a whole number of keys long, so its key is that for the byte behind it.
  const MaskKey end = key.after(size);
  if (size >= 16) {
    const Sixteen wide = {key.word, key.word, key.word, key.word};
    const Sixteen wide_end = {end.word, end.word, end.word, end.word};
    Sixteen all;
    if (size > 128) {
      all = mask_many_words(to, from, size, wide, wide_end);
    } else if (size > 64) {
      all = mask_both_ends<4>(to, from, size, wide, wide_end);
    } else if (size > 32) {
      all = mask_both_ends<2>(to, from, size, wide, wide_end);
    } else {
      all = mask_both_ends<1>(to, from, size, wide, wide_end);
    }
    std::uint64_t halves[2];
    std::memcpy(halves, &all, sizeof all);
    seen |= halves[0] | halves[1];
  } else if (size >= 8) {
    seen |= mask_two_words(to, from, size, wide_key(key), wide_key(end));
  } else if (size >= 4) {
    seen |= mask_two_words(to, from, size, key.word, end.word);
  } else {
    std::size_t i = 0;
    if ((size & 2) != 0) {
      seen |= mask_few<std::uint16_t>(to, from, key);
      i = 2;
    }
    if ((size & 1) != 0) seen |= mask_few<std::uint8_t>(to + i, from + i, key.after(i));
  }
  return end;
}

inline MaskKey mask_copy_words(std::byte* to, const std::byte* from, std::size_t size, MaskKey key) noexcept {
  std::uint64_t seen = 0;
  return mask_copy_words(to, from, size, key, seen);
}

// The rest of unmask_validate() for a run that is unmasked already, with `after` as the key behind it.
std::size_t validate_unmasked(Bytes run, MaskKey& key, MaskKey after, Utf8State& state,
                              std::size_t (*validate)(Utf8State&, ConstBytes) noexcept) noexcept;

inline constexpr std::uint64_t ascii_high_bits = 0x8080808080808080u;

// Eight bytes at a time and the last eight; fewer than that one by one.
inline bool is_ascii_short(ConstBytes run) noexcept {
  std::uint64_t seen = 0;
  if (run.size() >= 8) {
    for (std::size_t i = 0; i + 8 < run.size(); i += 8) seen |= load_word<std::uint64_t>(run.data() + i);
    seen |= load_word<std::uint64_t>(run.data() + run.size() - 8);
  } else {
    for (const std::byte byte : run) seen |= static_cast<std::uint8_t>(byte);
  }
  return (seen & ascii_high_bits) == 0;
}

// What has at most this size is not worth the call through a pointer.
inline constexpr std::size_t short_max = 128;

}  // namespace detail

inline MaskKey Kernels::mask_copy(std::byte* destination, ConstBytes source, MaskKey key) const noexcept {
  if (source.size() <= detail::short_max) {
    return detail::mask_copy_words(destination, source.data(), source.size(), key);
  }
  return mask_copy_long(destination, source.data(), source.size(), key);
}

inline std::size_t Kernels::utf8_validate(Utf8State& state, ConstBytes run) const noexcept {
  if (run.size() <= detail::short_max && state.complete() && detail::is_ascii_short(run)) {
    return utf8_all_valid;
  }
  return validate_any(state, run);
}

inline std::size_t Kernels::unmask_validate(Bytes run, MaskKey& key, Utf8State& state) const noexcept {
  if (run.size() > detail::short_max || !state.complete()) return unmask_validate_any(run, key, state);
  std::uint64_t seen = 0;
  const MaskKey after = detail::mask_copy_words(run.data(), run.data(), run.size(), key, seen);
  if ((seen & detail::ascii_high_bits) != 0) {
    return detail::validate_unmasked(run, key, after, state, validate_any);
  }
  key = after;
  return utf8_all_valid;
}

}  // namespace sansock
