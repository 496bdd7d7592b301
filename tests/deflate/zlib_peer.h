// The peer of a codec: one dedicated zlib stream in each direction, as most implementations have them.
#pragma once

#include <zlib.h>

#include <cstdlib>
#include <optional>

#include "frames.h"

namespace sansock::testing {

class ZlibSender {
 public:
  // Of 8 bits zlib makes 9; its distances still fit then.
  ZlibSender(unsigned window_bits, bool takeover, int level = 6, int memory_level = 8,
             int strategy = Z_DEFAULT_STRATEGY)
      : takeover_(takeover) {
    const int bits = window_bits < 9 ? 9 : static_cast<int>(window_bits);
    if (deflateInit2(&stream_, level, Z_DEFLATED, -bits, memory_level, strategy) != Z_OK) std::abort();
  }
  ZlibSender(const ZlibSender&) = delete;
  ZlibSender& operator=(const ZlibSender&) = delete;
  ~ZlibSender() { deflateEnd(&stream_); }

  // The payload of a message. `flush`: Z_SYNC_FLUSH, or Z_FINISH for a block with BFINAL set, after which
  // comes what RFC 7692 section 7.2.3.4 says.
  Data message(const Data& text, int flush = Z_SYNC_FLUSH) {
    if (text.empty()) return {0x00};
    Data out = run(text, flush);
    if (flush == Z_FINISH) {
      out.push_back(0x00);
      deflateReset(&stream_);
      return out;
    }
    out.resize(out.size() - 4);
    if (!takeover_) deflateReset(&stream_);
    return out;
  }
  // With the end of its last block.
  Data run(const Data& text, int flush) {
    Data out(2 * text.size() + 1000);
    stream_.next_in = const_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream_, flush);
    if (stream_.avail_in != 0 || stream_.avail_out == 0) std::abort();
    out.resize(out.size() - stream_.avail_out);
    return out;
  }
  // What the next message may refer to besides what it knows itself.
  void prime(const Data& text) {
    deflateSetDictionary(&stream_, text.data(), static_cast<uInt>(text.size()));
  }

 private:
  z_stream stream_{};
  bool takeover_;
};

class ZlibReceiver {
 public:
  explicit ZlibReceiver(bool takeover) : takeover_(takeover) {
    if (inflateInit2(&stream_, -15) != Z_OK) std::abort();
  }
  ZlibReceiver(const ZlibReceiver&) = delete;
  ZlibReceiver& operator=(const ZlibReceiver&) = delete;
  ~ZlibReceiver() { inflateEnd(&stream_); }

  // The text of a message, if it is a good one without a block with BFINAL set.
  std::optional<Data> message(Data payload) {
    payload = payload + Data{0x00, 0x00, 0xFF, 0xFF};
    stream_.next_in = payload.data();
    stream_.avail_in = static_cast<uInt>(payload.size());
    Data text;
    int status = Z_OK;
    do {
      Data run(65536);
      stream_.next_out = run.data();
      stream_.avail_out = static_cast<uInt>(run.size());
      status = ::inflate(&stream_, Z_SYNC_FLUSH);
      run.resize(run.size() - stream_.avail_out);
      text = text + run;
    } while (status == Z_OK && stream_.avail_out == 0);
    if ((status != Z_OK && status != Z_BUF_ERROR) || stream_.avail_in != 0) return std::nullopt;
    if (!takeover_) inflateReset(&stream_);
    return text;
  }

 private:
  z_stream stream_{};
  bool takeover_;
};

}  // namespace sansock::testing
