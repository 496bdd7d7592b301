// The loops with vectors, written once with Highway and compiled for each instruction set.
//
// UTF-8 by the table lookups of J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per
// Byte" (Software: Practice and Experience 51 (5), 2021): three lookups by half-bytes of two neighbouring
// bytes leave a bit set for each kind of error that the two can be part of; the length of characters of three
// and four bytes is compared with the bytes two and three places before.
//
// Vectors only find that a block of 64 bytes is good. Where a text begins or ends inside a character, and
// where a block is bad, the plain loop goes byte by byte: it knows the exact place.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "assert.h"
#include "kernels/scalar.h"
#include "kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace sansock::detail {
namespace HWY_NAMESPACE {

// Instruction sets whose vectors have a known size, and a table lookup.
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || \
    HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON

namespace hn = hwy::HWY_NAMESPACE;

// --- masking --------------------------------------------------------------------------------------
// Vectors of 64 bytes were measured to be slower here. Their size is a whole multiple of the key's.
using DMask = hn::CappedTag<std::uint8_t, 32>;
using VMask = hn::Vec<DMask>;

HWY_INLINE VMask WideKey(MaskKey key) {
  const hn::Repartition<std::uint32_t, DMask> d32;
  return hn::BitCast(DMask(), hn::Set(d32, key.word));
}

// The first and the last vector may overlap those between them, which are written where vectors are aligned:
// a store that crosses a cache line costs two. Both are read before anything is written, so that it may be
// done in place.
MaskKey MaskCopy(std::byte* destination, const std::byte* source, std::size_t size, MaskKey key) noexcept {
  const DMask d;
  constexpr std::size_t n = hn::MaxLanes(d);
  if (size < n) return mask_copy_words(destination, source, size, key);
  auto* const to = reinterpret_cast<std::uint8_t*>(destination);
  const auto* const from = reinterpret_cast<const std::uint8_t*>(source);
  const MaskKey end = key.after(size);
  const VMask first = hn::Xor(hn::LoadU(d, from), WideKey(key));
  const VMask last = hn::Xor(hn::LoadU(d, from + size - n), WideKey(end));
  std::size_t i = (0 - reinterpret_cast<std::uintptr_t>(to)) % n;
  const VMask wide = WideKey(key.after(i));
  for (; i + 4 * n <= size; i += 4 * n) {
    const VMask a = hn::LoadU(d, from + i);
    const VMask b = hn::LoadU(d, from + i + n);
    const VMask c = hn::LoadU(d, from + i + 2 * n);
    const VMask e = hn::LoadU(d, from + i + 3 * n);
    hn::Store(hn::Xor(a, wide), d, to + i);
    hn::Store(hn::Xor(b, wide), d, to + i + n);
    hn::Store(hn::Xor(c, wide), d, to + i + 2 * n);
    hn::Store(hn::Xor(e, wide), d, to + i + 3 * n);
  }
  for (; i + n <= size; i += n) hn::Store(hn::Xor(hn::LoadU(d, from + i), wide), d, to + i);
  hn::StoreU(first, d, to);
  hn::StoreU(last, d, to + size - n);
  return end;
}

// --- UTF-8 ----------------------------------------------------------------------------------------
// At most 32 bytes: the bytes before a vector's first are then found with two shuffles.
using D8 = hn::CappedTag<std::uint8_t, 32>;
using V8 = hn::Vec<D8>;
constexpr std::size_t block_size = 64;

// What two neighbouring bytes can be wrong about (the names are those of the paper).
constexpr std::uint8_t too_short = 1 << 0;       // a lead and no continuation
constexpr std::uint8_t too_long = 1 << 1;        // ASCII and a continuation
constexpr std::uint8_t overlong_3 = 1 << 2;      // E0, 80 to 9F
constexpr std::uint8_t too_large = 1 << 3;       // F4, 90 and on; F5 and on
constexpr std::uint8_t surrogate = 1 << 4;       // ED, A0 to BF
constexpr std::uint8_t overlong_2 = 1 << 5;      // C0, C1
constexpr std::uint8_t too_large_1000 = 1 << 6;  // F5 and on, 80 to 8F
constexpr std::uint8_t overlong_4 = 1 << 6;      // F0, 80 to 8F
constexpr std::uint8_t two_continuations = 1 << 7;
constexpr std::uint8_t carry =
    too_short | too_long | two_continuations;  // the low half says nothing of these

alignas(16) constexpr std::uint8_t first_high[16] = {too_long,
                                                     too_long,
                                                     too_long,
                                                     too_long,
                                                     too_long,
                                                     too_long,
                                                     too_long,
                                                     too_long,
                                                     two_continuations,
                                                     two_continuations,
                                                     two_continuations,
                                                     two_continuations,
                                                     too_short | overlong_2,
                                                     too_short,
                                                     too_short | overlong_3 | surrogate,
                                                     too_short | too_large | too_large_1000 | overlong_4};
alignas(16) constexpr std::uint8_t first_low[16] = {carry | overlong_3 | overlong_2 | overlong_4,
                                                    carry | overlong_2,
                                                    carry,
                                                    carry,
                                                    carry | too_large,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000 | surrogate,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000};
alignas(16) constexpr std::uint8_t second_high[16] = {
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_long | overlong_2 | two_continuations | overlong_3 | too_large_1000 | overlong_4,
    too_long | overlong_2 | two_continuations | overlong_3 | too_large,
    too_long | overlong_2 | two_continuations | surrogate | too_large,
    too_long | overlong_2 | two_continuations | surrogate | too_large,
    too_short,
    too_short,
    too_short,
    too_short};
// What the last three bytes of a block may not exceed, or else the next block has to go on with them.
alignas(32) constexpr std::uint8_t last_complete[32] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,  255,  255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0xEF, 0xDF, 0xBF};

// From byte 16 - n on: a mask of the first n bytes; and for byte indexes, from n on: what moves 16 bytes to
// the front by n, with zeros behind them.
constexpr std::uint8_t leading[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 0,   0,   0,   0,   0,   0,
                                      0,   0,   0,   0,   0,   0,   0,   0,   0,   0};
constexpr std::uint8_t moved[32] = {0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
                                    11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

HWY_INLINE V8 HighHalf(V8 bytes) {
  const D8 d;
  const hn::Repartition<std::uint16_t, D8> d16;
  return hn::And(hn::BitCast(d, hn::ShiftRight<4>(hn::BitCast(d16, bytes))), hn::Set(d, 0x0F));
}

// The bytes that stand `count` places before those of `now`; `before` is the vector in front of it.
template <int count>
HWY_INLINE V8 Earlier(V8 now, V8 before) {
  const D8 d;
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_NEON
  return hn::CombineShiftRightBytes<16 - count>(d, now, before);
#else
  return hn::CombineShiftRightBytes<16 - count>(d, now, hn::ConcatLowerUpper(d, now, before));
#endif
}

// `one`, `two`, `three`: the bytes that stand so many places before those of `now`.
HWY_INLINE V8 ErrorsBehind(V8 now, V8 one, V8 two, V8 three) {
  const D8 d;
  const V8 kinds =
      hn::And(hn::And(hn::TableLookupBytes(hn::LoadDup128(d, first_high), HighHalf(one)),
                      hn::TableLookupBytes(hn::LoadDup128(d, first_low), hn::And(one, hn::Set(d, 0x0F)))),
              hn::TableLookupBytes(hn::LoadDup128(d, second_high), HighHalf(now)));
  // Bit 7 where a lead of three bytes is two places before, or one of four is three places before.
  const V8 third = hn::SaturatedSub(two, hn::Set(d, 0xE0 - 0x80));
  const V8 fourth = hn::SaturatedSub(three, hn::Set(d, 0xF0 - 0x80));
  return hn::Xor(hn::And(hn::Or(third, fourth), hn::Set(d, 0x80)), kinds);
}

HWY_INLINE V8 Errors(V8 now, V8 before) {
  return ErrorsBehind(now, Earlier<1>(now, before), Earlier<2>(now, before), Earlier<3>(now, before));
}

// Of a vector in memory with at least three bytes of the text before it.
HWY_INLINE V8 ErrorsAt(const std::uint8_t* bytes) {
  const D8 d;
  return ErrorsBehind(hn::LoadU(d, bytes), hn::LoadU(d, bytes - 1), hn::LoadU(d, bytes - 2),
                      hn::LoadU(d, bytes - 3));
}

// Not zero if a text that ends with this vector ends inside a character.
HWY_INLINE V8 Incomplete(V8 last) {
  const D8 d;
  return hn::SaturatedSub(last, hn::LoadU(d, last_complete + 32 - hn::MaxLanes(d)));
}

HWY_INLINE bool IsAscii(V8 bytes) {
  const hn::Repartition<std::int8_t, D8> di;
  return hn::AllFalse(di, hn::Lt(hn::BitCast(di, bytes), hn::Zero(di)));
}

HWY_INLINE bool IsZero(V8 bytes) {
  const D8 d;
  return hn::AllTrue(d, hn::Eq(bytes, hn::Zero(d)));
}

// The blocks so far, seen from the next.
struct Checked {
  V8 before;
  V8 incomplete;      // not zero if the last block ends inside a character
  bool ascii = true;  // the last block is ASCII, so that `incomplete` is zero

  // Whether the text may go on with this block.
  HWY_INLINE bool Take(const V8* block) {
    const D8 d;
    constexpr std::size_t count = block_size / hn::MaxLanes(d);
    V8 any = block[0];
    for (std::size_t i = 1; i < count; ++i) any = hn::Or(any, block[i]);
    if (IsAscii(any)) {
      const bool good = ascii || IsZero(incomplete);
      before = block[count - 1];
      ascii = true;
      return good;
    }
    V8 errors = Errors(block[0], before);
    for (std::size_t i = 1; i < count; ++i) errors = hn::Or(errors, Errors(block[i], block[i - 1]));
    before = block[count - 1];
    incomplete = Incomplete(before);
    ascii = false;
    return IsZero(errors);
  }
};

// Where the character begins that is not complete in front of `i`; `i` itself if there is none. What
// stands before it is good.
HWY_INLINE std::size_t CharacterStart(const std::uint8_t* bytes, std::size_t begin, std::size_t i) {
  for (std::size_t back = 1; back <= 3 && begin + back <= i; ++back) {
    const std::uint8_t byte = bytes[i - back];
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return needed > back ? i - back : i;
  }
  return i;
}

// Less than a block, between characters. False says nothing: the plain loop has to look.
HWY_INLINE bool ShortIsGood(const std::uint8_t* bytes, std::size_t size) {
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  SANSOCK_ASSERT(size < block_size);
  alignas(32) std::uint8_t padded[block_size] = {};
  std::memcpy(padded, bytes, size);
  V8 block[block_size / n];
  for (std::size_t k = 0; k < block_size / n; ++k) block[k] = hn::Load(d, padded + k * n);
  Checked checked{hn::Zero(d), hn::Zero(d)};
  return checked.Take(block);
}

// The same of the first `size` of at least 16 bytes, without going over memory. There are less than 32 of
// them: it is the zero behind them that shows a character that is not complete.
HWY_INLINE bool OneIsGood(const std::uint8_t* bytes, std::size_t size) {
  const D8 d;
  const hn::CappedTag<std::uint8_t, 16> d16;
  SANSOCK_ASSERT(size < 32);
  auto first = hn::LoadU(d16, bytes);
  auto second = hn::Zero(d16);
  if (size < 16) {
    first = hn::And(first, hn::LoadU(d16, leading + 16 - size));
  } else {
    // The last 16 bytes, moved to where those behind the first 16 belong; zeros follow.
    second = hn::TableLookupBytesOr0(hn::LoadU(d16, bytes + size - 16), hn::LoadU(d16, moved + 32 - size));
  }
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_NEON
  return IsZero(hn::Or(Errors(first, hn::Zero(d)), Errors(second, first)));
#else
  return IsZero(Errors(hn::Combine(d, second, first), hn::Zero(d)));
#endif
}

// From 16 bytes to less than a block, between characters. False says nothing: the text may be good and end
// inside a character, or have a size that does not suit vectors.
HWY_INLINE bool WholeIsGood(const std::uint8_t* bytes, std::size_t size) {
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  if (size < 32) return OneIsGood(bytes, size);
  if (size < n + 3) return false;
  V8 errors = Errors(hn::LoadU(d, bytes), hn::Zero(d));
  for (std::size_t i = n; i + n < size; i += n) errors = hn::Or(errors, ErrorsAt(bytes + i));
  const std::uint8_t* const last = bytes + size - n;
  return IsZero(hn::Or(hn::Or(errors, ErrorsAt(last)), Incomplete(hn::LoadU(d, last))));
}

// The last `count` bytes, less than a block, of a text that is good up to there and longer by a block at
// least. False says as little.
HWY_INLINE bool RestIsGood(const std::uint8_t* end, std::size_t count) {
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  V8 errors = Incomplete(hn::LoadU(d, end - n));
  for (std::size_t back = n; back < count + n; back += n) errors = hn::Or(errors, ErrorsAt(end - back));
  return IsZero(errors);
}

// The end of a run, less than a block, between characters.
HWY_INLINE std::size_t ValidateEnd(Utf8State& state, ConstBytes run) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(run.data());
  std::size_t start = 0;
  if (run.size() >= 16) {
    if (WholeIsGood(bytes, run.size())) return utf8_all_valid;
    const std::size_t end = CharacterStart(bytes, 0, run.size());
    if (end < 32 ? OneIsGood(bytes, end) : ShortIsGood(bytes, end)) start = end;
  }
  const std::size_t bad = scalar_utf8_validate(state, run.subspan(start));
  return bad == utf8_all_valid ? bad : start + bad;
}

// How many bytes of ASCII lead, in steps of 128.
HWY_INLINE std::size_t AsciiBlocks(const std::uint8_t* bytes, std::size_t i, std::size_t size) {
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  for (; i + 2 * block_size <= size; i += 2 * block_size) {
    V8 any = hn::LoadU(d, bytes + i);
    for (std::size_t k = n; k < 2 * block_size; k += n) any = hn::Or(any, hn::LoadU(d, bytes + i + k));
    if (!IsAscii(any)) break;
  }
  return i;
}

std::size_t Utf8Validate(Utf8State& state, ConstBytes run) noexcept {
  if (run.size() < block_size && state.pending == 0) return ValidateEnd(state, run);
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(run.data());
  std::size_t i = 0;
  // A character that an earlier run began.
  for (; state.pending != 0 && i < run.size(); ++i) {
    if (scalar_utf8_validate(state, run.subspan(i, 1)) != utf8_all_valid) return i;
  }
  if (i == run.size()) return utf8_all_valid;
  const std::size_t begin = i;
  i = AsciiBlocks(bytes, i, run.size());
  Checked checked{hn::Zero(d), hn::Zero(d)};
  for (; i + block_size <= run.size(); i += block_size) {
    V8 block[block_size / n];
    for (std::size_t k = 0; k < block_size / n; ++k) block[k] = hn::LoadU(d, bytes + i + k * n);
    if (!checked.Take(block)) break;
  }
  const bool whole = i + block_size > run.size();
  if (whole && i != begin && RestIsGood(bytes + run.size(), run.size() - i)) return utf8_all_valid;
  // The character that the blocks end inside of; behind it less than a block is left, if all were good.
  const std::size_t blocks_end = i;
  for (i = CharacterStart(bytes, begin, i); i < run.size() && (i < blocks_end || state.pending != 0); ++i) {
    if (scalar_utf8_validate(state, run.subspan(i, 1)) != utf8_all_valid) return i;
  }
  const std::size_t bad =
      whole ? ValidateEnd(state, run.subspan(i)) : scalar_utf8_validate(state, run.subspan(i));
  return bad == utf8_all_valid ? bad : i + bad;
}

// Unmasks what leads of ASCII, in whole vectors; says how much. As in MaskCopy(), the first and the last
// vector overlap those between, which are aligned; both are read before anything is written.
HWY_INLINE std::size_t UnmaskAscii(std::uint8_t* bytes, std::size_t size, MaskKey key) {
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  constexpr std::size_t step = 2 * block_size;
  if (size < n) return 0;
  const V8 first = hn::Xor(hn::LoadU(d, bytes), WideKey(key));
  const V8 last = hn::Xor(hn::LoadU(d, bytes + size - n), WideKey(key.after(size)));
  if (!IsAscii(first)) return 0;
  std::size_t i = (0 - reinterpret_cast<std::uintptr_t>(bytes)) % n;
  const V8 wide = WideKey(key.after(i));
  for (; i + step <= size; i += step) {
    V8 block[step / n];
    for (std::size_t k = 0; k < step / n; ++k) block[k] = hn::Xor(hn::LoadU(d, bytes + i + k * n), wide);
    V8 any = block[0];
    for (std::size_t k = 1; k < step / n; ++k) any = hn::Or(any, block[k]);
    if (!IsAscii(any)) break;
    for (std::size_t k = 0; k < step / n; ++k) hn::Store(block[k], d, bytes + i + k * n);
  }
  for (; i + n <= size; i += n) {
    const V8 block = hn::Xor(hn::LoadU(d, bytes + i), wide);
    if (!IsAscii(block)) break;
    hn::Store(block, d, bytes + i);
  }
  hn::StoreU(first, d, bytes);
  if (i + n > size && IsAscii(last)) {
    hn::StoreU(last, d, bytes + size - n);
    return size;
  }
  return i < n ? n : i;
}

std::size_t UnmaskValidate(Bytes run, MaskKey& key, Utf8State& state) noexcept {
  // For less than a block, two passes are faster than bytes one by one.
  if (run.size() < block_size) return unmask_then_validate(run, key, state, Utf8Validate);
  const D8 d;
  constexpr std::size_t n = hn::MaxLanes(d);
  // A character that an earlier run began.
  std::size_t i = 0;
  for (; i < run.size() && state.pending != 0; ++i) {
    if (scalar_unmask_validate(run.subspan(i, 1), key, state) != utf8_all_valid) return i;
  }
  auto* const bytes = reinterpret_cast<std::uint8_t*>(run.data());
  const std::size_t ascii = UnmaskAscii(bytes + i, run.size() - i, key);
  key = key.after(ascii);
  i += ascii;
  if (i == run.size()) return utf8_all_valid;
  const std::size_t begin = i;
  const V8 wide = WideKey(key);
  Checked checked{hn::Zero(d), hn::Zero(d)};
  for (; i + block_size <= run.size(); i += block_size) {
    V8 block[block_size / n];
    for (std::size_t k = 0; k < block_size / n; ++k)
      block[k] = hn::Xor(hn::LoadU(d, bytes + i + k * n), wide);
    if (!checked.Take(block)) break;
    for (std::size_t k = 0; k < block_size / n; ++k) hn::StoreU(block[k], d, bytes + i + k * n);
  }
  const Bytes rest = run.subspan(i);
  if (rest.size() < block_size && i >= block_size) {
    const MaskKey after = mask_copy_words(rest.data(), rest.data(), rest.size(), key);
    if (RestIsGood(bytes + run.size(), rest.size())) {
      key = after;
      return utf8_all_valid;
    }
    mask_copy_words(rest.data(), rest.data(), rest.size(), key);
  }
  // A character that is not complete in front of `i` is unmasked already. Its first byte may be one that no
  // character begins with: a block shows that only with the byte behind it.
  const std::size_t start = CharacterStart(bytes, begin, i);
  if (scalar_utf8_validate(state, run.subspan(start, i - start)) != utf8_all_valid) {
    key = key.after(start - begin);
    mask_copy_words(run.data() + start, run.data() + start, i - start, key);
    return start;
  }
  const std::size_t bad = rest.size() < block_size ? unmask_then_validate(rest, key, state, Utf8Validate)
                                                   : scalar_unmask_validate(rest, key, state);
  return bad == utf8_all_valid ? bad : i + bad;
}

// The name without its "N_".
constexpr Kernels kernels = {&HWY_STR(HWY_NAMESPACE)[2], MaskCopy, Utf8Validate, UnmaskValidate};
const Kernels* TargetKernels() { return &kernels; }

#else

const Kernels* TargetKernels() { return nullptr; }

#endif

}  // namespace HWY_NAMESPACE
}  // namespace sansock::detail
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sansock::detail {
namespace {

HWY_EXPORT(TargetKernels);

struct Built {
  std::int64_t target;
  const Kernels* (*kernels)();
};

// From the plainest to the best; what the compiler can not build is not there.
constexpr Built built[] = {
#if HWY_TARGETS & HWY_SSSE3
    {HWY_SSSE3, N_SSSE3::TargetKernels},
#endif
#if HWY_TARGETS & HWY_SSE4
    {HWY_SSE4, N_SSE4::TargetKernels},
#endif
#if HWY_TARGETS & HWY_AVX2
    {HWY_AVX2, N_AVX2::TargetKernels},
#endif
#if HWY_TARGETS & HWY_AVX3
    {HWY_AVX3, N_AVX3::TargetKernels},
#endif
#if HWY_TARGETS & HWY_AVX3_DL
    {HWY_AVX3_DL, N_AVX3_DL::TargetKernels},
#endif
#if HWY_TARGETS & HWY_NEON
    {HWY_NEON, N_NEON::TargetKernels},
#endif
    {0, nullptr},  // so that the array is never empty
};

}  // namespace

const Kernels* simd_best() noexcept { return HWY_DYNAMIC_DISPATCH(TargetKernels)(); }

const Kernels* simd_kernels_at(std::size_t index) noexcept {
  const std::int64_t supported = hwy::SupportedTargets();
  for (const Built& one : built) {
    if ((supported & one.target) != 0 && index-- == 0) return one.kernels();
  }
  return nullptr;
}

}  // namespace sansock::detail
#endif  // HWY_ONCE
