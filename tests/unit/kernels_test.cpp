// Masking and UTF-8 validation against references that go byte by byte: every alignment, every phase
// of the key, every two-way split, between guard pages.
#include "sansock/kernels.h"

#include <gtest/gtest.h>

#include "guard_buffer.h"
#include "model.h"

namespace sansock::testing {
namespace {

const std::uint8_t key_bytes[4] = {0x37, 0xFA, 0x21, 0x3D};

MaskKey key_at(std::size_t phase) {
  std::byte rotated[4];
  for (std::size_t i = 0; i < 4; ++i) rotated[i] = static_cast<std::byte>(key_bytes[(i + phase) % 4]);
  return MaskKey::from_wire(rotated);
}

Data masked(Data data, std::size_t phase) {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] ^= key_bytes[(i + phase) % 4];
  return data;
}

TEST(Mask, KeyIsInTheOrderOfTheWire) {
  std::byte wire[4];
  key_at(0).to_wire(wire);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(static_cast<std::uint8_t>(wire[i]), key_bytes[i]);
  EXPECT_EQ(MaskKey::from_wire(wire).word, key_at(0).word);
}

TEST(Mask, EveryAlignmentLengthAndPhase) {
  Data memory(400, 0xCC);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    for (std::size_t size = 0; size < 200; ++size) {
      const std::size_t phase = (offset + size) % 4;
      const Data data = noise(size, 1);
      std::fill(memory.begin(), memory.end(), std::uint8_t{0xCC});
      std::copy(data.begin(), data.end(), memory.begin() + static_cast<std::ptrdiff_t>(offset));
      const MaskKey next =
          mask(std::as_writable_bytes(std::span(memory)).subspan(offset, size), key_at(phase));
      ASSERT_EQ(next.word, key_at(phase + size).word) << "the key for the byte behind";
      Data expected(400, 0xCC);
      const Data result = masked(data, phase);
      std::copy(result.begin(), result.end(), expected.begin() + static_cast<std::ptrdiff_t>(offset));
      ASSERT_EQ(memory, expected) << offset << " " << size << ": nothing beside the data is touched";
    }
  }
}

TEST(Mask, CopyAtEveryPairOfAlignments) {
  Data source_memory(300), destination_memory(300);
  for (std::size_t from = 0; from < 17; ++from) {
    for (std::size_t to = 0; to < 17; ++to) {
      for (const std::size_t size :
           {0u, 1u, 2u, 3u, 4u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 33u, 63u, 64u, 65u, 100u, 127u, 200u}) {
        const Data data = noise(size, 2);
        std::copy(data.begin(), data.end(), source_memory.begin() + static_cast<std::ptrdiff_t>(from));
        std::fill(destination_memory.begin(), destination_memory.end(), std::uint8_t{0});
        std::byte* const destination = std::as_writable_bytes(std::span(destination_memory)).data() + to;
        const MaskKey next =
            mask_copy(destination, std::as_bytes(std::span(source_memory)).subspan(from, size), key_at(from));
        Data expected(300, 0);
        const Data result = masked(data, from);
        std::copy(result.begin(), result.end(), expected.begin() + static_cast<std::ptrdiff_t>(to));
        ASSERT_EQ(destination_memory, expected) << from << " " << to << " " << size;
        ASSERT_EQ(next.word, key_at(from + size).word);
      }
    }
  }
}

TEST(Mask, EveryTwoWaySplit) {
  const Data data = noise(130, 3);
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    Data memory = data;
    const Bytes bytes = std::as_writable_bytes(std::span(memory));
    mask(bytes.subspan(cut), mask(bytes.first(cut), key_at(1)));
    ASSERT_EQ(memory, masked(data, 1)) << cut;
  }
}

TEST(Mask, TouchesNothingBehindOrBefore) {
  GuardBuffer guard(4096);
  GuardBuffer other(4096);
  for (std::size_t size = 0; size < 300; ++size) {
    const Data data = noise(size, 4);
    Bytes bytes = guard.put_last(data);
    mask(bytes, key_at(0));
    ASSERT_EQ(bytes_of(bytes), masked(data, 0));
    bytes = guard.put_first(data);
    mask(bytes, key_at(2));
    ASSERT_EQ(bytes_of(bytes), masked(data, 2));
    const Bytes to = other.put_last(data);
    mask_copy(to.data(), guard.put_last(data), key_at(3));
    ASSERT_EQ(bytes_of(to), masked(data, 3));
    const Bytes first = other.put_first(data);
    mask_copy(first.data(), guard.put_first(data), key_at(3));
    ASSERT_EQ(bytes_of(first), masked(data, 3));
  }
}

// --- UTF-8 ----------------------------------------------------------------------------------------

// The index of the first impossible byte, or utf8_all_valid; `complete` tells about the end.
std::size_t reference(const Data& text, bool& complete) {
  Data character;
  for (std::size_t i = 0; i < text.size(); ++i) {
    character.push_back(text[i]);
    if (!utf8_is_prefix(character)) return i;
    if (utf8_is_character(character)) character.clear();
  }
  complete = character.empty();
  return utf8_all_valid;
}

void expect_as_reference(const Data& text) {
  bool complete = false;
  const std::size_t expected = reference(text, complete);
  Utf8State state;
  ASSERT_EQ(utf8_validate(state, view_of(text)), expected) << to_hex(text);
  if (expected == utf8_all_valid) {
    ASSERT_EQ(state.complete(), complete) << to_hex(text);
  }
  ASSERT_EQ(utf8_is_valid(view_of(text)), expected == utf8_all_valid && complete) << to_hex(text);
}

// In two runs: the index is within the run that it is in.
void expect_split_as_reference(const Data& text) {
  bool complete = false;
  const std::size_t expected = reference(text, complete);
  const ConstBytes bytes = view_of(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8State state;
    const std::size_t first = utf8_validate(state, bytes.first(cut));
    if (expected < cut) {
      ASSERT_EQ(first, expected) << to_hex(text) << " cut " << cut;
      continue;
    }
    ASSERT_EQ(first, utf8_all_valid) << to_hex(text) << " cut " << cut;
    const std::size_t second = utf8_validate(state, bytes.subspan(cut));
    ASSERT_EQ(second, expected == utf8_all_valid ? expected : expected - cut)
        << to_hex(text) << " cut " << cut;
    if (expected == utf8_all_valid) {
      ASSERT_EQ(state.complete(), complete) << to_hex(text);
    }
  }
}

TEST(Utf8, EverySequenceOfUpToThreeBytes) {
  for (unsigned a = 0; a < 256; ++a) {
    expect_as_reference({static_cast<std::uint8_t>(a)});
    for (unsigned b = 0; b < 256; ++b)
      expect_as_reference({static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)});
  }
  // Of three and four bytes those that begin well, with every byte at the edges of the ranges.
  const std::uint8_t edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  for (const std::uint8_t a : edges) {
    for (const std::uint8_t b : edges) {
      for (const std::uint8_t c : edges) {
        expect_as_reference({a, b, c});
        for (const std::uint8_t d : edges) expect_as_reference({a, b, c, d});
      }
    }
  }
}

TEST(Utf8, EveryCharacter) {
  for (unsigned code = 0; code <= 0x10FFFF; ++code) {
    Data text;
    if (code < 0x80) {
      text = {static_cast<std::uint8_t>(code)};
    } else if (code < 0x800) {
      text = {static_cast<std::uint8_t>(0xC0 | code >> 6), static_cast<std::uint8_t>(0x80 | (code & 63))};
    } else if (code < 0x10000) {
      text = {static_cast<std::uint8_t>(0xE0 | code >> 12),
              static_cast<std::uint8_t>(0x80 | (code >> 6 & 63)),
              static_cast<std::uint8_t>(0x80 | (code & 63))};
    } else {
      text = {
          static_cast<std::uint8_t>(0xF0 | code >> 18), static_cast<std::uint8_t>(0x80 | (code >> 12 & 63)),
          static_cast<std::uint8_t>(0x80 | (code >> 6 & 63)), static_cast<std::uint8_t>(0x80 | (code & 63))};
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(utf8_is_valid(view_of(text)), !surrogate) << code;
  }
}

// Good and bad sequences at every place of an ASCII text, long enough for the fast paths.
TEST(Utf8, EveryPlaceInALongText) {
  const char* const sequences[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x80",
                                   "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF",
                                   "\xE2\x82", "\xF0\x9F\x98", "\xE0\x9F\x80",     "\xC3"};
  for (const char* const sequence : sequences) {
    for (std::size_t size = 0; size < 70; ++size) {
      for (std::size_t at = 0; at <= size; ++at) {
        expect_as_reference(bytes_of(std::string(at, 'a') + sequence + std::string(size - at, 'b')));
      }
    }
    expect_split_as_reference(bytes_of(std::string(33, 'a') + sequence + std::string(20, 'b')));
    expect_split_as_reference(bytes_of(std::string("\xE2\x82\xAC\xF0\x9F\x98\x80") + sequence + "\xC3\xA9"));
  }
}

TEST(Utf8, EveryAlignmentBetweenGuardPages) {
  GuardBuffer guard(4096);
  for (std::size_t size = 0; size < 150; ++size) {
    Data text(size, 'x');
    for (std::size_t i = 0; i + 3 < size; i += 7) text[i] = 0xE2, text[i + 1] = 0x82, text[i + 2] = 0xAC;
    ASSERT_TRUE(utf8_is_valid(guard.put_last(text)));
    ASSERT_TRUE(utf8_is_valid(guard.put_first(text)));
    if (size == 0) continue;
    text.back() = 0xF0;
    ASSERT_FALSE(utf8_is_valid(guard.put_last(text)));
    Utf8State state;
    ASSERT_EQ(utf8_validate(state, guard.put_last(text)), utf8_all_valid);
    ASSERT_FALSE(state.complete());
  }
}

TEST(Utf8, RandomRuns) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    Data text = noise(40, seed);
    for (std::uint8_t& byte : text) {  // mostly lead and continuation bytes, or mostly ASCII
      if (seed % 3 == 0) byte &= 0xBF;
      if (seed % 3 == 1 && byte % 8 != 0) byte &= 0x7F;
    }
    expect_as_reference(text);
    if (seed % 10 == 0) expect_split_as_reference(text);
  }
}

}  // namespace
}  // namespace sansock::testing
