// Calls of a codec as the engine makes them. Input lies in memory of its own that is gone after each call, so
// that a sanitizer sees what is read beside it, and what is kept of it.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <ostream>

#include "frames.h"
#include "sansock/deflate_codec.h"

namespace sansock::testing {

using Levels = std::initializer_list<std::uint8_t>;
inline constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

class ExactCopy {
 public:
  explicit ExactCopy(ConstBytes bytes) : memory_(new std::byte[bytes.size()]), size_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  }
  ConstBytes view() const { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_;
};

// Closes its stream.
class OpenStream {
 public:
  OpenStream(MessageCodec& codec, Role role, const DeflateParameters& parameters = {},
             const DeflateOptions& options = {})
      : codec_(codec), stream_(codec.open(role, parameters, options)) {}
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;
  ~OpenStream() {
    if (stream_ != nullptr) codec_.close(*stream_);
  }
  bool good() const { return stream_ != nullptr; }
  CodecStream& operator*() const { return *stream_; }
  MessageCodec& codec() const { return codec_; }

 private:
  MessageCodec& codec_;
  CodecStream* stream_;
};

struct Received {
  Data text;
  errc error = errc::none;
  bool operator==(const Received&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Received& received) {
    return out << quote(received.text) << " " << static_cast<int>(received.error);
  }
};

// The message in these pieces; `end` comes with the last. Stops at an error.
inline Received receive(OpenStream& stream, const std::vector<Data>& pieces) {
  Received received;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool end = i + 1 == pieces.size();
    ConstBytes left = view_of(pieces[i]);
    for (;;) {
      MessageCodec::Inflated step;
      {
        const ExactCopy input(left);
        step = stream.codec().inflate(*stream, input.view(), end);
      }
      received.text = received.text + bytes_of(ConstBytes(step.bytes));
      stream.codec().release(*stream);
      received.error = step.error;
      if (step.error != errc::none) return received;
      left = left.subspan(step.consumed);
      if (!step.more) break;
    }
    if (!left.empty()) std::abort();
  }
  return received;
}
inline Received receive(OpenStream& stream, const Data& payload) {
  return receive(stream, std::vector<Data>{payload});
}

// The next part, queued; nothing if it was refused.
inline std::optional<Data> send_part(OpenStream& stream, const Data& text, bool end) {
  const ExactCopy part(view_of(text));
  const ConstBytes made = stream.codec().deflate(*stream, part.view(), end, no_limit);
  if (made.data() == nullptr) return std::nullopt;
  const Data payload = bytes_of(made);
  stream.codec().deflated(*stream, part.view(), end);
  return payload;
}
// The payload of a message sent in these parts; nothing if one of them was refused.
inline std::optional<Data> send(OpenStream& stream, const std::vector<Data>& parts) {
  Data payload;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto made = send_part(stream, parts[i], i + 1 == parts.size());
    if (!made) return std::nullopt;
    payload = payload + *made;
  }
  return payload;
}
inline std::optional<Data> send(OpenStream& stream, const Data& text) {
  return send(stream, std::vector<Data>{text});
}

// The last bytes of it.
inline Data last_of(const Data& data, std::size_t size) {
  return Data(data.end() - static_cast<std::ptrdiff_t>(std::min(size, data.size())), data.end());
}

}  // namespace sansock::testing
