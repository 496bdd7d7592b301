// A codec for tests of the engine: what it makes can be written by hand, and it tells what goes wrong.
//
//   message = context *( count byte ) 00        count: 1 to 255 times the byte
//   context = EE, which refers to nothing, or the number of bytes compressed before, modulo 200
//
// A receiver that has inflated another number of bytes before finds the data invalid. So each message shows
// whether the two sides' contexts are the same.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "frames.h"
#include "sansock/codec.h"

namespace sansock::testing {

class ToyCodec final : public MessageCodec {
 public:
  static constexpr std::uint8_t no_context = 0xEE;

  ToyCodec() = default;
  ToyCodec(const ToyCodec&) = delete;
  ToyCodec& operator=(const ToyCodec&) = delete;
  ~ToyCodec() { EXPECT_TRUE(streams_.empty()) << "streams were not closed"; }

  std::size_t run_max = 7;  // bytes made by one inflate()
  bool open_fails = false;  // for want of memory
  bool deflate_fails = false;
  bool inflate_fails = false;
  std::size_t streams() const { return streams_.size(); }
  std::size_t opened() const { return opened_; }
  bool holds() const { return holds_ != nullptr; }

  CodecStream* open(Role role, const DeflateParameters& parameters, const DeflateOptions&) noexcept override {
    if (open_fails) return nullptr;
    ++opened_;
    auto* const stream = new Stream;
    const bool server = role == Role::server;
    stream->takes_over =
        !(server ? parameters.server_no_context_takeover : parameters.client_no_context_takeover);
    stream->bits = server ? parameters.server_window_bits : parameters.client_window_bits;
    streams_.insert(stream);
    return stream;
  }
  void close(CodecStream& any) noexcept override {
    Stream& stream = of(any);
    if (holds_ == &stream) holds_ = nullptr;
    streams_.erase(&stream);
    delete &stream;
  }

  ConstBytes deflate(CodecStream& any, ConstBytes payload, bool end, std::size_t size_max) noexcept override {
    Stream& stream = of(any);
    if (deflate_fails) return {};
    made_.clear();
    if (!stream.sending) {
      const bool known = stream.takes_over && stream.sent_known && stream.sent != 0;
      made_.push_back(known ? static_cast<std::uint8_t>(stream.sent % 200) : no_context);
    }
    made_ = std::move(made_) + part(as_text(payload));
    if (end) made_.push_back(0);
    return made_.size() > size_max ? ConstBytes{} : std::as_bytes(std::span(made_));
  }
  void deflated(CodecStream& any, ConstBytes payload, bool end) noexcept override {
    Stream& stream = of(any);
    stream.sent += payload.size();
    stream.sending = !end;
  }
  bool deflated_elsewhere(CodecStream& any, std::uint8_t bits) noexcept override {
    Stream& stream = of(any);
    if (stream.sending || bits > stream.bits) return false;
    stream.sent_known = false;
    return true;
  }

  Inflated inflate(CodecStream& any, ConstBytes input, bool end) noexcept override {
    Stream& stream = of(any);
    if (holds_ != nullptr && holds_ != &stream) ADD_FAILURE() << "what was made was not released";
    if (stream.failed) ADD_FAILURE() << "used after an error";
    holds_ = &stream;
    Inflated made;
    stream.out.clear();
    made.error = inflate_fails ? errc::codec_exhausted : run(stream, input, made.consumed);
    if (made.error == errc::none) {
      made.more = stream.left != 0 || made.consumed < input.size();
      if (end && !made.more) made.error = finish(stream);
    }
    stream.failed = made.error != errc::none;
    made.bytes = std::as_writable_bytes(std::span(stream.out));
    return made;
  }
  void release(CodecStream& any) noexcept override {
    Stream& stream = of(any);
    if (holds_ != &stream) ADD_FAILURE() << "released what is not held";
    holds_ = nullptr;
    std::fill(stream.out.begin(), stream.out.end(), std::uint8_t{0xDE});
  }

  // What a well-behaved peer sends for a message, and any part of one.
  static Data message(std::string_view text, std::uint8_t context = no_context) {
    Data data{context};
    return data + part(text) + Data{0};
  }
  static Data part(std::string_view text) {
    Data data;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t count = 1;
      while (i + count < text.size() && count < 255 && text[i + count] == text[i]) ++count;
      data.push_back(static_cast<std::uint8_t>(count));
      data.push_back(static_cast<std::uint8_t>(text[i]));
      i += count;
    }
    return data;
  }

 private:
  enum class Next : std::uint8_t { context, count, byte, nothing };
  struct Stream final : CodecStream {
    bool takes_over = true;
    std::uint8_t bits = 15;
    // sent
    bool sending = false;
    bool sent_known = true;
    std::size_t sent = 0;
    // received
    Next next = Next::context;
    std::size_t received = 0;
    std::size_t received_before = 0;
    unsigned count = 0;
    unsigned left = 0;  // of `byte`, to be made
    std::uint8_t byte = 0;
    bool failed = false;
    Data out;
  };

  Stream& of(CodecStream& any) {
    auto& stream = static_cast<Stream&>(any);
    if (!streams_.contains(&stream)) ADD_FAILURE() << "a stream that is not open";
    return stream;
  }
  errc run(Stream& stream, ConstBytes input, std::size_t& consumed) const {
    for (;;) {
      while (stream.left != 0 && stream.out.size() < run_max) {
        stream.out.push_back(stream.byte);
        --stream.left;
        ++stream.received;
      }
      if (stream.left != 0 || consumed == input.size()) return errc::none;
      const errc error = take(stream, static_cast<std::uint8_t>(input[consumed++]));
      if (error != errc::none) return error;
    }
  }
  static errc take(Stream& stream, std::uint8_t byte) {
    switch (stream.next) {
      case Next::context:
        if (byte != no_context && byte != stream.received_before % 200) return errc::compressed_data_invalid;
        stream.next = Next::count;
        return errc::none;
      case Next::count:
        stream.count = byte;
        stream.next = byte == 0 ? Next::nothing : Next::byte;
        return errc::none;
      case Next::byte:
        stream.byte = byte;
        stream.left = stream.count;
        stream.next = Next::count;
        return errc::none;
      case Next::nothing: break;
    }
    return errc::compressed_data_invalid;
  }
  static errc finish(Stream& stream) {
    if (stream.next != Next::nothing) return errc::compressed_data_truncated;
    stream.next = Next::context;
    stream.received_before = stream.received;
    return errc::none;
  }

  std::set<Stream*> streams_;
  std::size_t opened_ = 0;
  const Stream* holds_ = nullptr;
  Data made_;
};

}  // namespace sansock::testing
