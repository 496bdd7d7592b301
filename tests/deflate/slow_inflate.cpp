#include "slow_inflate.h"

#include <algorithm>
#include <array>

namespace sansock::testing {
namespace {

struct Truncated {};
struct Invalid {};

class Bits {
 public:
  explicit Bits(const Data& bytes) : bytes_(bytes) {}

  unsigned take(unsigned count) {
    if (left() < count) throw Truncated{};
    unsigned value = 0;
    for (unsigned i = 0; i < count; ++i, ++at_) value |= (bytes_[at_ / 8] >> at_ % 8 & 1u) << i;
    return value;
  }
  void align() { at_ = (at_ + 7) / 8 * 8; }
  std::size_t left() const { return bytes_.size() * 8 - at_; }

 private:
  const Data& bytes_;
  std::size_t at_ = 0;
};

// A code as RFC 1951 section 3.2.2 makes it of the lengths.
class Code {
 public:
  // `incomplete`: it may consist of one code word of one bit, or of none.
  Code(const std::vector<unsigned>& lengths, bool incomplete) : lengths_(lengths) {
    for (const unsigned length : lengths) ++counts_[length];
    counts_[0] = 0;
    long left = 1;
    for (unsigned length = 1; length < counts_.size(); ++length) {
      left = 2 * left - counts_[length];
      if (left < 0) throw Invalid{};
    }
    const bool short_code = std::all_of(lengths.begin(), lengths.end(), [](unsigned n) { return n <= 1; });
    if (left > 0 && !(incomplete && short_code)) throw Invalid{};
    if (short_code) longest_ = 1;
  }

  unsigned take(Bits& bits) const {
    long code = 0, first = 0;
    for (unsigned length = 1; length <= longest_; ++length) {
      code = 2 * code + static_cast<long>(bits.take(1));
      first = 2 * (first + counts_[length - 1]);
      if (code - first < counts_[length]) return symbol(length, code - first);
    }
    throw Invalid{};
  }

 private:
  unsigned symbol(unsigned length, long index) const {
    for (unsigned i = 0;; ++i) {
      if (lengths_[i] == length && index-- == 0) return i;
    }
  }

  std::vector<unsigned> lengths_;
  std::array<long, 16> counts_{};
  unsigned longest_ = 15;
};

class Inflation {
 public:
  Inflation(const Data& history, const Data& data) : bits_(data), text_(history), history_(history.size()) {}

  // Up to where the next block begins or the data ends. false: nothing is left.
  bool block() {
    if (bits_.left() == 0) return false;
    const bool final_block = bits_.take(1) != 0;
    switch (bits_.take(2)) {
      case 0: stored(); break;
      case 1: fixed(); break;
      case 2: dynamic(); break;
      default: throw Invalid{};
    }
    if (final_block) bits_.align();
    final_block_last = final_block;
    return true;
  }

  Data text() const { return Data(text_.begin() + static_cast<std::ptrdiff_t>(history_), text_.end()); }
  std::size_t left() const { return bits_.left(); }

  bool final_block_last = false;
  std::size_t distance_max = 0;

 private:
  void stored() {
    bits_.align();
    const unsigned size = bits_.take(16);
    if (bits_.take(16) != (~size & 0xFFFF)) throw Invalid{};
    for (unsigned i = 0; i < size; ++i) text_.push_back(static_cast<std::uint8_t>(bits_.take(8)));
  }

  void fixed() {
    std::vector<unsigned> lengths(288, 8);
    std::fill(lengths.begin() + 144, lengths.begin() + 256, 9);
    std::fill(lengths.begin() + 256, lengths.begin() + 280, 7);
    coded(Code(lengths, false), Code(std::vector<unsigned>(32, 5), false));
  }

  void dynamic() {
    const unsigned literals = 257 + bits_.take(5);
    const unsigned distances = 1 + bits_.take(5);
    const unsigned count = 4 + bits_.take(4);
    if (literals > 286 || distances > 30) throw Invalid{};
    static constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    std::vector<unsigned> meta(19);
    for (unsigned i = 0; i < count; ++i) meta[order[i]] = bits_.take(3);
    if (std::all_of(meta.begin(), meta.end(), [](unsigned n) { return n == 0; })) {
      // As zlib has it: a code of no words is found bad only when it was used for all of the lengths.
      for (unsigned i = 0; i < literals + distances; ++i) bits_.take(1);
      throw Invalid{};
    }
    const Code code(meta, false);
    std::vector<unsigned> lengths;
    while (lengths.size() < literals + distances) {
      const unsigned symbol = code.take(bits_);
      if (symbol < 16) {
        lengths.push_back(symbol);
        continue;
      }
      const unsigned times = symbol == 16   ? 3 + bits_.take(2)
                             : symbol == 17 ? 3 + bits_.take(3)
                                            : 11 + bits_.take(7);
      if (symbol == 16 && lengths.empty()) throw Invalid{};
      if (lengths.size() + times > literals + distances) throw Invalid{};
      lengths.insert(lengths.end(), times, symbol == 16 ? lengths.back() : 0);
    }
    if (lengths[256] == 0) throw Invalid{};
    const auto middle = lengths.begin() + literals;
    coded(Code({lengths.begin(), middle}, true), Code({middle, lengths.end()}, true));
  }

  void coded(const Code& literals, const Code& distances) {
    for (;;) {
      const unsigned symbol = literals.take(bits_);
      if (symbol == 256) return;
      if (symbol < 256) {
        text_.push_back(static_cast<std::uint8_t>(symbol));
        continue;
      }
      if (symbol > 285) throw Invalid{};
      const std::size_t length = length_of(symbol - 257);
      const unsigned code = distances.take(bits_);
      if (code > 29) throw Invalid{};
      const unsigned extra = code < 4 ? 0 : code / 2 - 1;
      const std::size_t base = code < 4 ? code : (2 + code % 2) << extra;
      const std::size_t distance = 1 + base + bits_.take(extra);
      if (distance > text_.size()) throw Invalid{};
      distance_max = std::max(distance_max, distance);
      for (std::size_t i = 0; i < length; ++i) text_.push_back(text_[text_.size() - distance]);
    }
  }

  std::size_t length_of(unsigned code) {
    if (code == 28) return 258;
    const unsigned extra = code < 8 ? 0 : code / 4 - 1;
    const unsigned base = code < 8 ? code : (4 + code % 4) << extra;
    return 3 + base + bits_.take(extra);
  }

  Bits bits_;
  Data text_;
  std::size_t history_;
};

}  // namespace

SlowInflated slow_inflate(const Data& history, const Data& payload) {
  const auto attempt = [&history](const Data& data, bool& final_at_end) {
    SlowInflated result;
    Inflation inflation(history, data);
    try {
      while (inflation.block()) {
      }
      final_at_end = inflation.final_block_last;
    } catch (Truncated) {
      result.verdict = Verdict::truncated;
    } catch (Invalid) {
      result.verdict = Verdict::invalid;
    }
    result.text = inflation.text();
    result.distance_max = inflation.distance_max;
    return result;
  };
  // Nothing is missing behind a last block with BFINAL set.
  bool final_at_end = false;
  SlowInflated alone = attempt(payload, final_at_end);
  if (alone.verdict == Verdict::invalid || final_at_end) return alone;
  return attempt(payload + Data{0x00, 0x00, 0xFF, 0xFF}, final_at_end);
}

}  // namespace sansock::testing
