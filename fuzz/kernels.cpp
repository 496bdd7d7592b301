// Every implementation of the payload loops against the obvious one: masking at each alignment and
// phase of the key, UTF-8 in any runs, with the exact place of the first bad byte.
//
// Input: four bytes of key, cuts, the bytes.
#include "sansock/kernels.h"

#include <memory>

#include "check.h"
#include "model.h"
#include "stream.h"

namespace {

using namespace sansock;
using namespace sansock::testing;

constexpr std::size_t alignment_end = 64;

// Memory that ends where the data ends, begins at an address of the wanted alignment, and in front of
// which nothing may change either.
class Aligned {
 public:
  Aligned(const Data& data, std::size_t alignment)
      : size_(data.size()), memory_(new std::uint8_t[data.size() + 2 * alignment_end]) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    offset_ = (alignment_end - address % alignment_end) % alignment_end + alignment;
    std::fill(memory_.get(), memory_.get() + data.size() + 2 * alignment_end, std::uint8_t{0x5A});
    std::copy(data.begin(), data.end(), memory_.get() + offset_);
  }
  Bytes bytes() { return std::as_writable_bytes(std::span(memory_.get() + offset_, size_)); }
  bool surroundings_unchanged() const {
    for (std::size_t i = 0; i < size_ + 2 * alignment_end; ++i) {
      if ((i < offset_ || i >= offset_ + size_) && memory_[i] != 0x5A) return false;
    }
    return true;
  }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t offset_ = 0;
};

Data masked(const Data& data, const Data& key, std::size_t phase) {
  Data out = data;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(out[i] ^ key[(i + phase) % 4]);
  return out;
}

MaskKey key_at(const Data& key, std::size_t phase) {
  std::byte wire[4];
  for (std::size_t i = 0; i < 4; ++i) wire[i] = static_cast<std::byte>(key[(i + phase) % 4]);
  return MaskKey::from_wire(wire);
}

void check_mask(const Kernels& kernels, const Data& data, const Data& key, std::size_t alignment,
                std::size_t phase) {
  const Data expected = masked(data, key, phase);
  const MaskKey next = key_at(key, phase + data.size());
  Aligned in_place(data, alignment);
  const MaskKey after = kernels.mask(in_place.bytes(), key_at(key, phase));
  FUZZ_CHECK(bytes_of(in_place.bytes()) == expected && in_place.surroundings_unchanged(), kernels.name);
  FUZZ_CHECK(after.word == next.word, kernels.name);
  // The other end of the copy has another alignment.
  Aligned source(data, (alignment * 7 + phase) % alignment_end);
  Aligned copy(Data(data.size()), alignment);
  const MaskKey copied = kernels.mask_copy(copy.bytes().data(), source.bytes(), key_at(key, phase));
  FUZZ_CHECK(bytes_of(copy.bytes()) == expected && copy.surroundings_unchanged(), kernels.name);
  FUZZ_CHECK(copied.word == next.word && bytes_of(source.bytes()) == data, kernels.name);
}

// The index of the first byte that can not continue any text, or the size; whether a character is
// complete at the end.
struct Verdict {
  std::size_t good;
  bool complete;
};
Verdict utf8_verdict(const Data& data) {
  Data character;
  for (std::size_t i = 0; i < data.size(); ++i) {
    character.push_back(data[i]);
    if (!utf8_is_prefix(character)) return {i, false};
    if (utf8_is_character(character)) character.clear();
  }
  return {data.size(), character.empty()};
}

void check_utf8(const Kernels& kernels, const Data& data, std::vector<std::size_t> cuts,
                const Verdict& verdict) {
  cuts.push_back(data.size());
  Utf8State state;
  std::size_t from = 0;
  for (std::size_t to : cuts) {
    to = std::clamp(to, from, data.size());
    // Memory of its own and of its size: a sanitizer sees what is read beside it.
    Data run(data.begin() + static_cast<std::ptrdiff_t>(from),
             data.begin() + static_cast<std::ptrdiff_t>(to));
    run.shrink_to_fit();
    const std::size_t bad = kernels.utf8_validate(state, view_of(run));
    if (verdict.good < to) {
      FUZZ_CHECK(bad == verdict.good - from, kernels.name);
      return;
    }
    FUZZ_CHECK(bad == utf8_all_valid, kernels.name);
    from = to;
  }
  FUZZ_CHECK(state.complete() == verdict.complete, kernels.name);
}

// Masked text in runs: the same verdict in the same place, and what is behind it as it was.
void check_unmask(const Kernels& kernels, const Data& data, const Data& key, std::vector<std::size_t> cuts,
                  const Verdict& verdict) {
  cuts.push_back(data.size());
  const Data on_the_wire = masked(data, key, 0);
  Utf8State state;
  MaskKey now = key_at(key, 0);
  std::size_t from = 0;
  for (std::size_t to : cuts) {
    to = std::clamp(to, from, data.size());
    Data run(on_the_wire.begin() + static_cast<std::ptrdiff_t>(from),
             on_the_wire.begin() + static_cast<std::ptrdiff_t>(to));
    run.shrink_to_fit();
    const std::size_t bad = kernels.unmask_validate(std::as_writable_bytes(std::span(run)), now, state);
    const std::size_t end = std::min(verdict.good, to);
    FUZZ_CHECK(bad == (end < to ? end - from : utf8_all_valid), kernels.name);
    FUZZ_CHECK(now.word == key_at(key, end).word, kernels.name);
    Data expected(data.begin() + static_cast<std::ptrdiff_t>(from),
                  data.begin() + static_cast<std::ptrdiff_t>(end));
    expected.insert(expected.end(), on_the_wire.begin() + static_cast<std::ptrdiff_t>(end),
                    on_the_wire.begin() + static_cast<std::ptrdiff_t>(to));
    FUZZ_CHECK(run == expected, kernels.name);
    if (end < to) {
      // The state in front of the bad byte: nothing but that byte is wrong.
      Utf8State plain;
      scalar_kernels().utf8_validate(plain, view_of(data).first(end));
      FUZZ_CHECK(plain.pending == state.pending && plain.low == state.low && plain.high == state.high,
                 kernels.name);
      return;
    }
    from = to;
  }
  FUZZ_CHECK(state.complete() == verdict.complete, kernels.name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Data key = input.take(4);
  key.resize(4);
  const std::vector<std::size_t> cuts = fuzz::read_cuts(input);
  const Data bytes = input.rest();
  const Verdict verdict = utf8_verdict(bytes);
  FUZZ_CHECK(find_kernels("none of them") == nullptr);
  for (std::size_t index = 0; const Kernels* const implementation = kernels_at(index); ++index) {
    const Kernels& kernels = *implementation;
    FUZZ_CHECK(find_kernels(kernels.name) == implementation, kernels.name);
    // All alignments of what is short; of what is long, those that the key names.
    const std::size_t step = bytes.size() <= 64 ? 1 : 13;
    for (std::size_t alignment = step == 1 ? 0 : key[0] % 13; alignment < alignment_end; alignment += step) {
      for (std::size_t phase = 0; phase < 4; ++phase) check_mask(kernels, bytes, key, alignment, phase);
    }
    check_utf8(kernels, bytes, {}, verdict);
    check_utf8(kernels, bytes, cuts, verdict);
    check_unmask(kernels, bytes, key, {}, verdict);
    check_unmask(kernels, bytes, key, cuts, verdict);
    std::vector<std::size_t> every_byte(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) every_byte[i] = i;
    if (bytes.size() <= 512) check_utf8(kernels, bytes, every_byte, verdict);
    FUZZ_CHECK(utf8_is_valid(view_of(bytes), kernels) == (verdict.good == bytes.size() && verdict.complete));
  }
  return 0;
}
