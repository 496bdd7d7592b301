#include "sansock/limits.h"

#include <gtest/gtest.h>

#include <cstring>

namespace sansock {
namespace {

class SizedPool final : public BlockPool {
 public:
  explicit SizedPool(std::size_t size) : size_(size) {}
  std::size_t block_size() const noexcept override { return size_; }
  std::byte* acquire() noexcept override { return nullptr; }
  void release(std::byte*) noexcept override {}

 private:
  std::size_t size_;
};

class NoEntropy final : public EntropySource {
 public:
  void fill(Bytes out) noexcept override { std::memset(out.data(), 1, out.size()); }
};

class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() {
    config.pool = &pool;
    config.entropy = &entropy;
  }
  // Whether both roles refuse what `change` does to a good configuration.
  template <class Change>
  bool refused(Change&& change) {
    Config changed = config;
    change(changed);
    return validate(changed, Role::server) == errc::config_invalid &&
           validate(changed, Role::client) == errc::config_invalid;
  }

  SizedPool pool{16 << 10};
  NoEntropy entropy;
  Config config;
};

TEST_F(LimitsTest, DefaultsAreValidWithBlocksOf16KiB) {
  EXPECT_EQ(validate(config, Role::server), errc::none);
  EXPECT_EQ(validate(config, Role::client), errc::none);
}

TEST_F(LimitsTest, PoolIsRequired) {
  EXPECT_TRUE(refused([](Config& c) { c.pool = nullptr; }));
}

TEST_F(LimitsTest, EntropyIsRequiredOfClients) {
  config.entropy = nullptr;
  EXPECT_EQ(validate(config, Role::server), errc::none);
  EXPECT_EQ(validate(config, Role::client), errc::config_invalid);
}

TEST_F(LimitsTest, BlockHoldsTheOpeningHandshake) {
  config.limits.head_bytes_max = 1024;
  config.limits.refusal_body_max = 512;
  const std::size_t needed = 512 + 1024 + 512 + 2048;
  SizedPool exact(needed);
  config.pool = &exact;
  EXPECT_EQ(validate(config, Role::server), errc::none);
  SizedPool small(needed - 1);
  EXPECT_TRUE(refused([&](Config& c) { c.pool = &small; }));
}

TEST_F(LimitsTest, WithoutAHeadABlockMayBeSmall) {
  config.limits.head_bytes_max = 0;
  SizedPool smallest(block_size_min);
  config.pool = &smallest;
  EXPECT_EQ(validate(config, Role::server), errc::none);
  SizedPool small(block_size_min - 1);
  EXPECT_TRUE(refused([&](Config& c) { c.pool = &small; }));
}

TEST_F(LimitsTest, LimitsOfNothingAreRefused) {
  EXPECT_TRUE(refused([](Config& c) { c.limits.frame_payload_max = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.limits.message_payload_max = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.limits.message_fragments_max = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.limits.control_frames_per_second_max = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.limits.headers_max = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.limits.output_bytes_max = 1023; }));
  EXPECT_FALSE(refused([](Config& c) { c.limits.output_bytes_max = 1024; }));
  EXPECT_FALSE(refused([](Config& c) { c.limits.message_fragments_empty_max = 0; }));
  EXPECT_FALSE(refused([](Config& c) { c.limits.refusal_body_max = 0; }));
}

TEST_F(LimitsTest, OneWholePongFits) {
  EXPECT_TRUE(refused([](Config& c) { c.limits.pong_bytes_max = 130; }));
  EXPECT_FALSE(refused([](Config& c) { c.limits.pong_bytes_max = 131; }));
  EXPECT_FALSE(refused([](Config& c) {
    c.limits.pong_bytes_max = 0;
    c.auto_pong = false;
  }));
}

TEST_F(LimitsTest, DeadlinesAreInTheFuture) {
  using Member = Duration Timeouts::*;
  for (const Member member :
       {&Timeouts::opening_handshake, &Timeouts::first_message, &Timeouts::message_assembly,
        &Timeouts::ping_interval, &Timeouts::pong, &Timeouts::idle, &Timeouts::close}) {
    EXPECT_TRUE(refused([&](Config& c) { c.timeouts.*member = Duration::zero(); }));
    EXPECT_TRUE(refused([&](Config& c) { c.timeouts.*member = std::chrono::seconds(-1); }));
    EXPECT_FALSE(refused([&](Config& c) { c.timeouts.*member = no_timeout; }));
  }
}

TEST_F(LimitsTest, DeflateOptionsAreInRange) {
  for (const auto member : {&DeflateOptions::server_max_window_bits, &DeflateOptions::client_max_window_bits,
                            &DeflateOptions::own_window_bits_max}) {
    for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{7, 16, 255})
      EXPECT_TRUE(refused([&](Config& c) { c.deflate.*member = bits; }));
    for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{8, 15})
      EXPECT_FALSE(refused([&](Config& c) { c.deflate.*member = bits; }));
  }
  EXPECT_TRUE(refused([](Config& c) { c.deflate.server_max_window_bits = 0; }));
  EXPECT_TRUE(refused([](Config& c) { c.deflate.own_window_bits_max = 0; }));
  for (const std::uint8_t level : std::initializer_list<std::uint8_t>{0, 10})
    EXPECT_TRUE(refused([&](Config& c) { c.deflate.level = level; }));
  for (const std::uint8_t level : std::initializer_list<std::uint8_t>{1, 9})
    EXPECT_FALSE(refused([&](Config& c) { c.deflate.level = level; }));
}

TEST_F(LimitsTest, OriginsAreOrigins) {
  const std::string_view good[] = {"https://example.com", "http://[::1]:8080"};
  config.origins = good;
  EXPECT_EQ(validate(config, Role::server), errc::none);
  const std::string_view bad[] = {"https://example.com", "example.com"};
  config.origins = bad;
  EXPECT_EQ(validate(config, Role::server), errc::config_invalid);
  EXPECT_EQ(validate(config, Role::client), errc::none);
}

}  // namespace
}  // namespace sansock
