// A codec that remembers what was opened and closed, and can have no memory. It never compresses anything.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "sansock/codec.h"

namespace sansock::testing {

class FakeCodec final : public MessageCodec {
 public:
  struct Stream final : CodecStream {
    Stream(Role role_, const DeflateParameters& parameters_, const DeflateOptions& options_)
        : role(role_), parameters(parameters_), options(options_) {}
    Role role;
    DeflateParameters parameters;
    DeflateOptions options;
    bool closed = false;
  };

  FakeCodec() = default;
  FakeCodec(const FakeCodec&) = delete;
  FakeCodec& operator=(const FakeCodec&) = delete;
  ~FakeCodec() { EXPECT_EQ(live(), 0u) << "streams were not closed"; }

  CodecStream* open(Role role, const DeflateParameters& parameters,
                    const DeflateOptions& options) noexcept override {
    ++asked_;
    if (asked_ == fail_at_ || refusing_) return nullptr;
    streams_.push_back(std::make_unique<Stream>(role, parameters, options));
    return streams_.back().get();
  }
  void close(CodecStream& stream) noexcept override {
    for (const std::unique_ptr<Stream>& known : streams_) {
      if (known.get() != &stream) continue;
      EXPECT_FALSE(known->closed) << "a stream was closed twice";
      known->closed = true;
      return;
    }
    ADD_FAILURE() << "a stream was closed that is of another codec";
  }

  // There is no memory to compress with: messages go as they are.
  ConstBytes deflate(CodecStream&, ConstBytes, bool, std::size_t) noexcept override { return {}; }
  void deflated(CodecStream&, ConstBytes, bool) noexcept override {}
  bool deflated_elsewhere(CodecStream&, std::uint8_t) noexcept override { return false; }
  Inflated inflate(CodecStream&, ConstBytes, bool) noexcept override {
    return {.error = errc::codec_exhausted};
  }
  void release(CodecStream&) noexcept override {}

  void refuse(bool refusing) { refusing_ = refusing; }
  // The k-th open() from now on fails.
  void fail_at(std::size_t k) { asked_ = 0, fail_at_ = k; }

  std::size_t asked() const { return asked_; }
  // All that were ever opened, oldest first.
  const std::vector<std::unique_ptr<Stream>>& streams() const { return streams_; }
  std::size_t live() const {
    std::size_t count = 0;
    for (const std::unique_ptr<Stream>& stream : streams_) count += stream->closed ? 0 : 1;
    return count;
  }

 private:
  std::vector<std::unique_ptr<Stream>> streams_;
  std::size_t asked_ = 0;
  std::size_t fail_at_ = 0;
  bool refusing_ = false;
};

}  // namespace sansock::testing
