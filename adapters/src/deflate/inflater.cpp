// Theory of operation. One zlib stream with the largest window decodes messages of any agreed window: what a
// message may refer to is what it was primed with and its own text, however its data is cut into calls. So
// the same data gives the same text and the same error always. zlib also is the strictest of the decoders:
// ISA-L takes codes that are incomplete, libdeflate symbols that are reserved.
#include "inflater.h"

#include <algorithm>
#include <limits>

namespace sansock {
namespace {

// Ends the last, empty block of a message (RFC 7692 section 7.2.2).
constexpr std::array<Bytef, 4> tail = {0x00, 0x00, 0xFF, 0xFF};
// zlib counts in 32 bits.
constexpr std::size_t input_max = std::numeric_limits<uInt>::max();

// zlib's pointers to input are not const.
Bytef* input_of(ConstBytes bytes) noexcept {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

Inflater* Inflater::open(DeflateMemory& memory) noexcept {
  auto* const inflater = memory.make<Inflater>(memory);
  if (inflater == nullptr || inflater->ready_) return inflater;
  memory.destroy(inflater);
  return nullptr;
}

void Inflater::close(DeflateMemory& memory, Inflater* inflater) noexcept { memory.destroy(inflater); }

Inflater::Inflater(DeflateMemory& memory) noexcept {
  memory.serve(stream_);
  constexpr Bytef nothing = 0;
  // Raw data, which 15 bits of window suit whatever was agreed. An empty dictionary makes zlib take the
  // memory of its window now, so that there is nothing left that could be refused in the middle of a message.
  ready_ = inflateInit2(&stream_, -15) == Z_OK && inflateSetDictionary(&stream_, &nothing, 0) == Z_OK;
}

Inflater::~Inflater() { inflateEnd(&stream_); }

void Inflater::begin(const std::array<ConstBytes, 2>& history) noexcept {
  inflateReset(&stream_);
  for (const ConstBytes run : history) {
    if (!run.empty()) inflateSetDictionary(&stream_, input_of(run), static_cast<uInt>(run.size()));
  }
  final_block_ended_ = false;
  tail_used_ = 0;
}

Inflater::Step Inflater::run(ConstBytes input, bool end, Bytes output) noexcept {
  const ConstBytes now = input.first(std::min(input.size(), input_max));
  stream_.next_in = input_of(now);
  stream_.avail_in = static_cast<uInt>(now.size());
  stream_.next_out = reinterpret_cast<Bytef*>(output.data());
  stream_.avail_out = static_cast<uInt>(output.size());
  Step step;
  step.error = decode();
  step.consumed = now.size() - stream_.avail_in;
  const bool input_used = step.consumed == input.size();
  // Where the last block has ended already there is nothing for the tail to end.
  if (step.error == errc::none && end && input_used && !final_block_ended_ && stream_.avail_out != 0)
    step.error = decode_tail();
  step.made = output.size() - stream_.avail_out;
  if (step.error == errc::none) {
    // Where the output is full, zlib may hold more of it back.
    const bool text_held_back = stream_.avail_out == 0 && !final_block_ended_;
    step.more = text_held_back || !input_used;
  }
  return step;
}

// Until the input is used up or the output is full.
errc Inflater::decode() noexcept {
  for (;;) {
    if (final_block_ended_) {
      if (stream_.avail_in == 0) return errc::none;
      // A block with BFINAL set ends neither the message nor what later blocks may refer to: the next one
      // begins with the next byte (RFC 7692 sections 7.2.3.4 and 7.2.3.5). This keeps the window, at no cost.
      inflateResetKeep(&stream_);
      final_block_ended_ = false;
    }
    const int status = inflate(&stream_, Z_SYNC_FLUSH);
    if (status == Z_STREAM_END) {
      final_block_ended_ = true;
    } else {
      // Z_BUF_ERROR: nothing could be done without more input or room.
      return status == Z_OK || status == Z_BUF_ERROR ? errc::none : errc::compressed_data_invalid;
    }
  }
}

errc Inflater::decode_tail() noexcept {
  // zlib's field is not const, but it only reads.
  stream_.next_in = const_cast<Bytef*>(tail.data()) + tail_used_;
  stream_.avail_in = static_cast<uInt>(tail.size() - tail_used_);
  const errc error = decode();
  tail_used_ = static_cast<std::uint8_t>(tail.size() - stream_.avail_in);
  if (error != errc::none || stream_.avail_out == 0 || final_block_ended_) return error;
  // 128: between blocks; the lowest six bits: so many bits of the next one were read (zlib.h, inflate()).
  const bool between_blocks = (stream_.data_type & 128) != 0 && (stream_.data_type & 63) == 0;
  return between_blocks ? errc::none : errc::compressed_data_truncated;
}

}  // namespace sansock
