// One connection with all that it borrows, ready to be driven.
#pragma once

#include "harness.h"
#include "model.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace sansock::testing {

using Tweak = std::function<void(Config&)>;

// No timer that fires by itself.
inline Timeouts no_timeouts() {
  Timeouts timeouts;
  timeouts.message_assembly = timeouts.ping_interval = timeouts.pong = no_timeout;
  return timeouts;
}

// What most tests want, changed by `tweak`.
inline Config make_config(BlockPool& pool, EntropySource& entropy, MessageCodec* codec, const Tweak& tweak) {
  Config made;
  made.pool = &pool;
  made.entropy = &entropy;
  made.timeouts = no_timeouts();
  made.codec = codec;
  if (tweak) tweak(made);
  return made;
}

class Bench {
 public:
  explicit Bench(Role role, const Tweak& tweak = {}, std::size_t block_size = 4096)
      : pool(block_size),
        config(make_config(pool, entropy, nullptr, tweak)),
        connection(role, config),
        h(connection),
        peer(role) {}

  TestPool pool;
  ConstantEntropy entropy{0x37FA213D};
  Config config;
  Connection connection;
  ConnectionHarness h;
  Peer peer;  // writes what the other side sends
};

// Feeds `stream` and then the end of the transport to fresh connections: whole, byte by byte, and at
// every two-way cut, and expects the same transcript each time: `expected`, or, in the other form,
// what the model says.
void expect_every_split(Role role, const Data& stream, const std::string& expected, const Tweak& tweak = {});
void expect_as_model(Role role, const Data& stream, const Tweak& tweak = {});

// The transcript of a stream cut at the given positions, with the end of the transport behind it.
std::string transcript_of(Role role, const Data& stream, const std::vector<std::size_t>& cuts,
                          const Tweak& tweak = {});
std::string model_transcript_of(Role role, const Data& stream, const Tweak& tweak = {});

std::vector<std::size_t> every_byte(const Data& stream);

}  // namespace sansock::testing
