// A RawClient that takes the server's frames apart, so that a test sees what was compressed and what of the
// window it refers to.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "raw_client.h"
#include "slow_inflate.h"

namespace sansock::test {

class RawDeflateClient {
 public:
  // `offer`: the value of its Sec-WebSocket-Extensions; empty: none. `bits`: the window that was agreed on.
  RawDeflateClient(const ServerAddress& server, std::string_view path, const std::string& offer,
                   unsigned bits)
      : raw_(server), window_size_(std::size_t{1} << bits) {
    const std::string extra = offer.empty() ? "" : "Sec-WebSocket-Extensions: " + offer + "\r\n";
    head_ = raw_.upgrade(path, extra);
  }

  RawClient& raw() { return raw_; }
  const std::string& head() const { return head_; }
  bool agreed() const { return head_.find("permessage-deflate") != std::string::npos; }

  struct Message {
    bool compressed = false;  // RSV1 of the first frame
    std::size_t frames = 0;
    std::size_t payload_size = 0;  // as it was sent
    std::string text = {};
    testing::Verdict verdict = testing::Verdict::complete;
    std::size_t distance_max = 0;
  };

  // The next data message; one without frames if there is none, or a Close came.
  Message next() {
    using testing::operator+;
    Message message;
    testing::Data payload;
    for (;;) {
      const testing::Frame frame = next_frame();
      if (frame.opcode == testing::op_close) return {};
      if (frame.opcode >= testing::op_close) continue;
      if (message.frames++ == 0) message.compressed = frame.rsv == 4;
      payload = payload + frame.payload;
      if (frame.fin) break;
    }
    message.payload_size = payload.size();
    if (!message.compressed) {
      message.text = testing::string_of(payload);
      return message;
    }
    const testing::SlowInflated made = testing::slow_inflate(window_, payload);
    message.text = testing::string_of(made.text);
    message.verdict = made.verdict;
    message.distance_max = made.distance_max;
    // What was not compressed is no part of the window (RFC 7692 section 7.2.2).
    window_ = window_ + made.text;
    if (window_.size() > window_size_)
      window_.erase(window_.begin(), window_.end() - static_cast<std::ptrdiff_t>(window_size_));
    return message;
  }
  // The code of the Close frame that comes next, behind whatever messages.
  unsigned close_code() {
    for (;;) {
      const testing::Frame frame = next_frame();
      if (frame.opcode != testing::op_close) continue;
      if (frame.payload.size() < 2) return 0;
      return frame.payload[0] * 256u + frame.payload[1];
    }
  }
  void forget_window() { window_.clear(); }

  // A compressed frame, masked.
  static std::string compressed(unsigned opcode, const testing::Data& payload) {
    return RawClient::frame(opcode | 0x40u, testing::string_of(payload));
  }

 private:
  // A Close frame where nothing comes any more.
  testing::Frame next_frame() {
    while (frames_.empty()) {
      const std::string& received = raw_.read_size(rest_.size() + 1);
      if (received.size() == rest_.size()) return {.opcode = testing::op_close};
      testing::Decoded decoded = testing::decode(testing::bytes_of(received));
      if (decoded.frames.empty()) {
        rest_ = received;
        continue;
      }
      frames_ = std::move(decoded.frames);
      std::reverse(frames_.begin(), frames_.end());
      rest_ = testing::string_of(decoded.rest);
      raw_.put_back(rest_);
    }
    testing::Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  RawClient raw_;
  std::size_t window_size_;
  std::string head_;
  std::string rest_;
  std::vector<testing::Frame> frames_;  // the newest first
  testing::Data window_;
};

}  // namespace sansock::test
