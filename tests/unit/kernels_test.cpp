// Masking and UTF-8 validation against references that go byte by byte: every alignment, every phase
// of the key, every two-way split, between guard pages.
#include "sansock/kernels.h"

#include <gtest/gtest.h>

#include "guard_buffer.h"
#include "model.h"
#include "sansock/limits.h"

namespace sansock::testing {
namespace {

// Those under test; each suite runs with all that this machine can run.
const Kernels* kernels = nullptr;

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  void SetUp() override { kernels = GetParam(); }
};
class Mask : public KernelsTest {};
class Utf8 : public KernelsTest {};

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> all;
  for (std::size_t i = 0; const Kernels* const one = kernels_at(i); ++i) all.push_back(one);
  return all;
}
std::string kernels_name(const ::testing::TestParamInfo<const Kernels*>& info) { return info.param->name; }
INSTANTIATE_TEST_SUITE_P(All, Mask, ::testing::ValuesIn(all_kernels()), kernels_name);
INSTANTIATE_TEST_SUITE_P(All, Utf8, ::testing::ValuesIn(all_kernels()), kernels_name);

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

TEST_P(Mask, KeyIsInTheOrderOfTheWire) {
  std::byte wire[4];
  key_at(0).to_wire(wire);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(static_cast<std::uint8_t>(wire[i]), key_bytes[i]);
  EXPECT_EQ(MaskKey::from_wire(wire).word, key_at(0).word);
}

TEST_P(Mask, EveryAlignmentLengthAndPhase) {
  Data memory(400, 0xCC);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    for (std::size_t size = 0; size < 200; ++size) {
      const std::size_t phase = (offset + size) % 4;
      const Data data = noise(size, 1);
      std::fill(memory.begin(), memory.end(), std::uint8_t{0xCC});
      std::copy(data.begin(), data.end(), memory.begin() + static_cast<std::ptrdiff_t>(offset));
      const MaskKey next =
          kernels->mask(std::as_writable_bytes(std::span(memory)).subspan(offset, size), key_at(phase));
      ASSERT_EQ(next.word, key_at(phase + size).word) << "the key for the byte behind";
      Data expected(400, 0xCC);
      const Data result = masked(data, phase);
      std::copy(result.begin(), result.end(), expected.begin() + static_cast<std::ptrdiff_t>(offset));
      ASSERT_EQ(memory, expected) << offset << " " << size << ": nothing beside the data is touched";
    }
  }
}

TEST_P(Mask, CopyAtEveryPairOfAlignments) {
  Data source_memory(300), destination_memory(300);
  for (std::size_t from = 0; from < 17; ++from) {
    for (std::size_t to = 0; to < 17; ++to) {
      for (const std::size_t size :
           {0u, 1u, 2u, 3u, 4u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 33u, 63u, 64u, 65u, 100u, 127u, 200u}) {
        const Data data = noise(size, 2);
        std::copy(data.begin(), data.end(), source_memory.begin() + static_cast<std::ptrdiff_t>(from));
        std::fill(destination_memory.begin(), destination_memory.end(), std::uint8_t{0});
        std::byte* const destination = std::as_writable_bytes(std::span(destination_memory)).data() + to;
        const MaskKey next = kernels->mask_copy(
            destination, std::as_bytes(std::span(source_memory)).subspan(from, size), key_at(from));
        Data expected(300, 0);
        const Data result = masked(data, from);
        std::copy(result.begin(), result.end(), expected.begin() + static_cast<std::ptrdiff_t>(to));
        ASSERT_EQ(destination_memory, expected) << from << " " << to << " " << size;
        ASSERT_EQ(next.word, key_at(from + size).word);
      }
    }
  }
}

TEST_P(Mask, EveryTwoWaySplit) {
  const Data data = noise(130, 3);
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    Data memory = data;
    const Bytes bytes = std::as_writable_bytes(std::span(memory));
    kernels->mask(bytes.subspan(cut), kernels->mask(bytes.first(cut), key_at(1)));
    ASSERT_EQ(memory, masked(data, 1)) << cut;
  }
}

TEST_P(Mask, TouchesNothingBehindOrBefore) {
  GuardBuffer guard(4096);
  GuardBuffer other(4096);
  for (std::size_t size = 0; size < 300; ++size) {
    const Data data = noise(size, 4);
    Bytes bytes = guard.put_last(data);
    kernels->mask(bytes, key_at(0));
    ASSERT_EQ(bytes_of(bytes), masked(data, 0));
    bytes = guard.put_first(data);
    kernels->mask(bytes, key_at(2));
    ASSERT_EQ(bytes_of(bytes), masked(data, 2));
    const Bytes to = other.put_last(data);
    kernels->mask_copy(to.data(), guard.put_last(data), key_at(3));
    ASSERT_EQ(bytes_of(to), masked(data, 3));
    const Bytes first = other.put_first(data);
    kernels->mask_copy(first.data(), guard.put_first(data), key_at(3));
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
  ASSERT_EQ(kernels->utf8_validate(state, view_of(text)), expected) << to_hex(text);
  if (expected == utf8_all_valid) {
    ASSERT_EQ(state.complete(), complete) << to_hex(text);
  }
  ASSERT_EQ(utf8_is_valid(view_of(text), *kernels), expected == utf8_all_valid && complete) << to_hex(text);
}

// In two runs: the index is within the run that it is in.
void expect_split_as_reference(const Data& text) {
  bool complete = false;
  const std::size_t expected = reference(text, complete);
  const ConstBytes bytes = view_of(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8State state;
    const std::size_t first = kernels->utf8_validate(state, bytes.first(cut));
    if (expected < cut) {
      ASSERT_EQ(first, expected) << to_hex(text) << " cut " << cut;
      continue;
    }
    ASSERT_EQ(first, utf8_all_valid) << to_hex(text) << " cut " << cut;
    const std::size_t second = kernels->utf8_validate(state, bytes.subspan(cut));
    ASSERT_EQ(second, expected == utf8_all_valid ? expected : expected - cut)
        << to_hex(text) << " cut " << cut;
    if (expected == utf8_all_valid) {
      ASSERT_EQ(state.complete(), complete) << to_hex(text);
    }
  }
}

TEST_P(Utf8, EverySequenceOfUpToThreeBytes) {
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

TEST_P(Utf8, EveryCharacter) {
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
    ASSERT_EQ(utf8_is_valid(view_of(text), *kernels), !surrogate) << code;
  }
}

// Good and bad sequences at every place of an ASCII text, long enough for the fast paths.
TEST_P(Utf8, EveryPlaceInALongText) {
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

TEST_P(Utf8, EveryAlignmentBetweenGuardPages) {
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
    ASSERT_EQ(kernels->utf8_validate(state, guard.put_last(text)), utf8_all_valid);
    ASSERT_FALSE(state.complete());
  }
}

TEST_P(Utf8, RandomRuns) {
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

// --- both in one pass -----------------------------------------------------------------------------

class UnmaskValidate : public KernelsTest {};
INSTANTIATE_TEST_SUITE_P(All, UnmaskValidate, ::testing::ValuesIn(all_kernels()), kernels_name);

// Masked and cut in two, it ends where the reference does; the rest is as it was.
void expect_unmasked_as_reference(const Data& text, std::size_t cut, std::size_t phase) {
  bool complete = false;
  const std::size_t bad = reference(text, complete);
  const std::size_t good = std::min(bad, text.size());
  Data memory = masked(text, phase);
  Data expected = memory;
  std::copy(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(good), expected.begin());
  MaskKey key = key_at(phase);
  Utf8State state;
  const Bytes bytes = std::as_writable_bytes(std::span(memory));
  std::size_t result = kernels->unmask_validate(bytes.first(cut), key, state);
  if (result == utf8_all_valid) {
    result = kernels->unmask_validate(bytes.subspan(cut), key, state);
    if (result != utf8_all_valid) result += cut;
  }
  ASSERT_EQ(result, bad) << to_hex(text) << " cut " << cut;
  ASSERT_EQ(memory, expected) << to_hex(text) << " cut " << cut;
  ASSERT_EQ(key.word, key_at(phase + good).word);
  // The state in front of the bad byte, or at the end.
  Utf8State plain;
  scalar_kernels().utf8_validate(plain, view_of(text).first(good));
  ASSERT_EQ(state.pending, plain.pending);
  ASSERT_EQ(state.low, plain.low);
  ASSERT_EQ(state.high, plain.high);
}

const char* const every_kind[] = {"\xC3\xA9",         "\xE2\x82\xAC",     "\xF0\x9F\x98\x80", "\x80",
                                  "\xC0\xAF",         "\xED\xA0\x80",     "\xF4\x90\x80\x80", "\xFF",
                                  "\xE2\x82",         "\xF0\x9F\x98",     "\xE0\x9F\x80",     "\xC3",
                                  "\xF0\x8F\xBF\xBF", "\xF5\x80\x80\x80", "\xE2\x82\xAC\x80", "\xC1\xBF"};

// Good and bad sequences at every place of several blocks, in ASCII and among other characters.
TEST_P(Utf8, EveryPlaceInSeveralBlocks) {
  for (const char* const sequence : every_kind) {
    for (std::size_t at = 0; at <= 200; ++at) {
      expect_as_reference(bytes_of(std::string(at, 'a') + sequence + std::string(200 - at, 'b')));
      std::string wide;
      while (wide.size() + 3 <= at) wide += "\xE2\x82\xAC";
      wide += std::string(at - wide.size(), 'c') + sequence;
      while (wide.size() < 260) wide += "\xC3\xA9";
      expect_as_reference(bytes_of(wide));
    }
  }
}

// Characters of each length lie across the ends of blocks, and what is left behind them has any length.
TEST_P(Utf8, EveryLengthOfEachCharacter) {
  GuardBuffer guard(4096);
  for (const char* const character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (std::size_t lead = 0; lead < 4; ++lead) {
      std::string text(lead, 'a');
      while (text.size() < 300) text += character;
      for (std::size_t size = 0; size <= text.size(); ++size) {
        const Data data = bytes_of(text.substr(0, size));
        expect_as_reference(data);
        Utf8State state;
        ASSERT_EQ(kernels->utf8_validate(state, guard.put_last(data)), utf8_all_valid);
        expect_unmasked_as_reference(data, size / 2, size % 4);
      }
    }
  }
}

// A character that is not complete, and behind it the beginning of another, at every end.
TEST_P(Utf8, TwoBeginningsAtTheEnd) {
  for (const char* const begun : {"\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
    for (const char* const last : {"\xC3", "\xE2", "\xE2\x82", "\xF0\x9F\x98"}) {
      for (std::size_t size = 0; size <= 200; ++size) {
        const Data data = bytes_of(std::string(size, 'a') + begun + last);
        expect_as_reference(data);
        expect_unmasked_as_reference(data, size / 2, size % 4);
      }
    }
  }
}

TEST_P(UnmaskValidate, EveryPlaceInSeveralBlocks) {
  for (const char* const sequence : every_kind) {
    for (std::size_t at = 0; at <= 150; ++at) {
      std::string wide;
      while (wide.size() + 4 <= at) wide += "\xF0\x9F\x98\x80";
      wide += std::string(at - wide.size(), 'c') + sequence + std::string(90, 'x');
      expect_unmasked_as_reference(bytes_of(wide), at * 7 % (wide.size() + 1), at % 4);
    }
  }
}

TEST_P(UnmaskValidate, EveryCut) {
  std::string text;
  while (text.size() < 300) text += "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 and so on";
  for (const std::string& tail : {std::string(), std::string("\xFF"), std::string("\xE2\x82")}) {
    const Data data = bytes_of(text + tail);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) expect_unmasked_as_reference(data, cut, cut % 4);
  }
}

TEST_P(UnmaskValidate, RandomRuns) {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    Data text = noise(300, seed);
    // Long stretches of ASCII, or what looks like characters of two bytes, and a few bytes by chance.
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (seed % 2 == 0 && text[i] % 64 != 0) text[i] &= 0x7F;
      if (seed % 2 == 1 && text[i] % 64 != 0) text[i] = i % 2 == 0 ? 0xC3 : 0xA9;
    }
    expect_as_reference(text);
    expect_unmasked_as_reference(text, seed % 301, seed % 4);
  }
}

TEST_P(UnmaskValidate, TouchesNothingBehindOrBefore) {
  GuardBuffer guard(4096);
  for (std::size_t size = 0; size < 300; ++size) {
    const Data text(size, 'x');
    for (const bool last : {true, false}) {
      const Bytes bytes = last ? guard.put_last(masked(text, 1)) : guard.put_first(masked(text, 1));
      MaskKey key = key_at(1);
      Utf8State state;
      ASSERT_EQ(kernels->unmask_validate(bytes, key, state), utf8_all_valid);
      ASSERT_EQ(bytes_of(bytes), text);
    }
  }
}

// --- the choice -----------------------------------------------------------------------------------

TEST(KernelsChoice, FromScalarToTheBest) {
  const auto all = all_kernels();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.front(), &scalar_kernels());
  EXPECT_EQ(all.back(), &best_kernels());
  EXPECT_EQ(Config().kernels, &best_kernels());
}

TEST(KernelsChoice, ByName) {
  for (const Kernels* const one : all_kernels()) EXPECT_EQ(find_kernels(one->name), one);
  EXPECT_EQ(find_kernels("SCALAR"), &scalar_kernels());
  EXPECT_EQ(find_kernels("abacus"), nullptr);
  EXPECT_EQ(find_kernels(""), nullptr);
}

}  // namespace
}  // namespace sansock::testing
