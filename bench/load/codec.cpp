#include "codec.h"

#include <fmt/core.h>

#include <stdexcept>

namespace load {
namespace {

constexpr int memory_level = 8;  // zlib's default
constexpr std::string_view message_end("\0\0\xff\xff", 4);

Bytef* bytes_of(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

}  // namespace

Deflater::Deflater(int window_bits) {
  // A negative window means: without the header of zlib.
  if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib can not compress");
  }
}

std::string Deflater::compress(std::string_view payload) {
  // zlib gives nothing for nothing (RFC 7692 section 7.2.3.6).
  if (payload.empty()) return std::string(1, '\0');
  std::string compressed(deflateBound(&stream_, static_cast<uLong>(payload.size())) + 16, '\0');
  stream_.next_in = bytes_of(payload.data());
  stream_.avail_in = static_cast<uInt>(payload.size());
  stream_.next_out = bytes_of(compressed.data());
  stream_.avail_out = static_cast<uInt>(compressed.size());
  const int status = deflate(&stream_, Z_SYNC_FLUSH);
  if (status != Z_OK || stream_.avail_in != 0 || stream_.avail_out == 0) {
    throw std::runtime_error("zlib did not compress a message at once");
  }
  compressed.resize(compressed.size() - stream_.avail_out);
  if (!compressed.ends_with(message_end)) throw std::runtime_error("zlib did not end a message");
  compressed.resize(compressed.size() - message_end.size());
  return compressed;
}

Inflater::Inflater(int window_bits) {
  if (inflateInit2(&stream_, -window_bits) != Z_OK) throw std::runtime_error("zlib can not decompress");
}

void Inflater::give(std::span<const char> input) noexcept {
  stream_.next_in = bytes_of(input.data());
  stream_.avail_in = static_cast<uInt>(input.size());
}

void Inflater::give_end() noexcept { give(message_end); }

std::span<const char> Inflater::next() {
  for (;;) {
    stream_.next_out = bytes_of(output_.data());
    stream_.avail_out = static_cast<uInt>(output_.size());
    const int status = inflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t size = output_.size() - stream_.avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      throw std::runtime_error(fmt::format("the server sent what can not be decompressed: {}",
                                           stream_.msg == nullptr ? "no reason given" : stream_.msg));
    }
    if (status == Z_STREAM_END) {
      // A final block may be anywhere (RFC 7692 section 7.2.3.4); the window stays.
      inflateResetKeep(&stream_);
      if (size == 0 && stream_.avail_in > 0) continue;
    }
    return {output_.data(), size};
  }
}

}  // namespace load
