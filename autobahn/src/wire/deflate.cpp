#include "wire/deflate.h"

#include <algorithm>
#include <stdexcept>

namespace conform {
namespace {

constexpr std::string_view flush_tail("\0\0\xFF\xFF", 4);

Bytef* input_pointer(std::string_view octets) {
  // zlib does not write to it, but its type does not say so.
  return reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
}

}  // namespace

Deflater::Deflater(int window_bits, bool context_takeover) : context_takeover_(context_takeover) {
  // zlib has no raw stream with a window of 2^8. Matches of distance 1 alone (Z_RLE) fit every window.
  const int strategy = window_bits == 8 ? Z_RLE : Z_DEFAULT_STRATEGY;
  if (deflateInit2(&stream_, 6, Z_DEFLATED, -std::max(window_bits, 9), 8, strategy) != Z_OK) {
    throw std::runtime_error("zlib can not begin to compress");
  }
}

Deflater::~Deflater() { deflateEnd(&stream_); }

std::string Deflater::message(std::string_view payload) {
  if (!context_takeover_) deflateReset(&stream_);
  std::string output(deflateBound(&stream_, payload.size()) + 16, '\0');
  stream_.next_in = input_pointer(payload);
  stream_.avail_in = static_cast<uInt>(payload.size());
  std::size_t used = 0;
  do {
    if (used == output.size()) output.resize(output.size() * 2);
    stream_.next_out = reinterpret_cast<Bytef*>(output.data()) + used;
    stream_.avail_out = static_cast<uInt>(output.size() - used);
    deflate(&stream_, Z_SYNC_FLUSH);
    used = output.size() - stream_.avail_out;
  } while (stream_.avail_out == 0);
  output.resize(used);
  if (output.ends_with(flush_tail)) output.resize(output.size() - flush_tail.size());
  // An empty message: a second flush writes nothing, and an empty block has to be there (section 7.2.3.6).
  if (output.empty()) output.assign(1, '\0');
  return output;
}

Inflater::Inflater(int window_bits, bool context_takeover) : context_takeover_(context_takeover) {
  // Opening with a larger window than was used is always right; zlib can not open raw 2^8.
  const int bits = std::max(window_bits, 9);
  piece_.resize(std::size_t{1} << bits >> 3);
  if (inflateInit2(&stream_, -bits) != Z_OK) {
    throw std::runtime_error("zlib can not begin to decompress");
  }
}

Inflater::~Inflater() { inflateEnd(&stream_); }

bool Inflater::inflate_all(std::string_view input, std::string& output, std::size_t size_max) {
  stream_.next_in = input_pointer(input);
  stream_.avail_in = static_cast<uInt>(input.size());
  for (;;) {
    stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream_.avail_out = static_cast<uInt>(piece_.size());
    const int status = inflate(&stream_, Z_SYNC_FLUSH);
    output.append(piece_.data(), piece_.size() - stream_.avail_out);
    if (output.size() > size_max) return false;
    // A block may be marked as the stream's last (section 7.2.3.5); what follows is a stream of its own.
    if (status == Z_STREAM_END) {
      if (inflateReset(&stream_) != Z_OK) return false;
      if (stream_.avail_in == 0) return true;
      continue;
    }
    if (status != Z_OK && status != Z_BUF_ERROR) return false;
    if (stream_.avail_in == 0 && stream_.avail_out != 0) return true;
    if (status == Z_BUF_ERROR && stream_.avail_out != 0) return false;
  }
}

std::optional<std::string> Inflater::message(std::string_view compressed, std::size_t size_max) {
  if (!context_takeover_ && inflateReset(&stream_) != Z_OK) return std::nullopt;
  std::string output;
  if (!inflate_all(compressed, output, size_max)) return std::nullopt;
  if (!inflate_all(flush_tail, output, size_max)) return std::nullopt;
  return output;
}

}  // namespace conform
