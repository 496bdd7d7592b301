// Masking by words. UTF-8 validation (RFC 3629 section 4): a skip over ASCII, eight bytes at a time, and
// for the rest the table of well-formed byte sequences (Unicode Standard, table 3-7) as ranges for the
// next byte.
#include "scalar.h"

namespace sansock::detail {
namespace {

struct Lead {
  std::uint8_t pending;  // continuation bytes that follow; 0 for a byte that can not lead
  std::uint8_t low;      // the range of the first of them
  std::uint8_t high;
};

// `byte` is over 0x7F.
constexpr Lead lead_of(std::uint8_t byte) noexcept {
  if (byte < 0xC2 || byte > 0xF4) return {0, 0, 0};  // continuation, overlong C0 C1, over U+10FFFF
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};  // no overlong form
  if (byte == 0xED) return {2, 0x80, 0x9F};  // no surrogate
  if (byte < 0xF0) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};  // no overlong form
  if (byte == 0xF4) return {3, 0x80, 0x8F};  // nothing over U+10FFFF
  return {3, 0x80, 0xBF};
}

constexpr std::uint64_t high_bits = 0x8080808080808080u;

std::size_t skip_ascii(const std::uint8_t* bytes, std::size_t i, std::size_t size) noexcept {
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, sizeof word);
    if (word & high_bits) break;
  }
  while (i < size && bytes[i] < 0x80) ++i;
  return i;
}

// One byte. False: it can not be the next.
bool step(Utf8State& now, std::uint8_t byte) noexcept {
  if (now.pending == 0) {
    if (byte < 0x80) return true;
    const Lead lead = lead_of(byte);
    now = {lead.pending, lead.low, lead.high};
    return lead.pending != 0;
  }
  const bool good = byte >= now.low && byte <= now.high;
  now = {static_cast<std::uint8_t>(now.pending - 1), 0x80, 0xBF};
  return good;
}

MaskKey scalar_mask_copy(std::byte* to, const std::byte* from, std::size_t size, MaskKey key) noexcept {
  return mask_copy_words(to, from, size, key);
}

constexpr Kernels scalar = {"scalar", scalar_mask_copy, scalar_utf8_validate, scalar_unmask_validate};

}  // namespace

std::size_t scalar_utf8_validate(Utf8State& state, ConstBytes run) noexcept {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(run.data());
  const std::size_t size = run.size();
  Utf8State now = state;
  for (std::size_t i = 0;; ++i) {
    if (now.pending == 0) i = skip_ascii(bytes, i, size);
    if (i >= size) break;
    if (!step(now, bytes[i])) return i;
  }
  state = now;
  return utf8_all_valid;
}

std::size_t validate_unmasked(Bytes run, MaskKey& key, MaskKey after, Utf8State& state,
                              std::size_t (*validate)(Utf8State&, ConstBytes) noexcept) noexcept {
  Utf8State next = state;
  const std::size_t bad = validate(next, run);
  if (bad == utf8_all_valid) {
    key = after;
    state = next;
    return bad;
  }
  // From the bad byte on the run is as it was, and the state is that in front of it.
  scalar_utf8_validate(state, run.first(bad));
  key = key.after(bad);
  mask_copy_words(run.data() + bad, run.data() + bad, run.size() - bad, key);
  return bad;
}

// One after the other: without vectors one pass was measured to cost more than two.
std::size_t scalar_unmask_validate(Bytes run, MaskKey& key, Utf8State& state) noexcept {
  return unmask_then_validate(run, key, state, scalar_utf8_validate);
}

}  // namespace sansock::detail

namespace sansock {

const Kernels& scalar_kernels() noexcept { return detail::scalar; }

}  // namespace sansock
