// What all parts of one simulation share.
#pragma once

#include <algorithm>
#include <memory>

#include "checks.h"
#include "counting_pool.h"
#include "host_codec.h"
#include "knobs.h"
#include "sansock/heap_message_memory.h"
#include "scene_tls.h"
#include "scheduler.h"
#include "test_entropy.h"
#include "trace.h"

namespace sansock::sim {

inline constexpr unsigned server = 0;
inline constexpr unsigned client = 1;

struct Stats {
  std::uint64_t seeds = 0;
  std::uint64_t messages = 0;     // delivered
  std::uint64_t bytes = 0;        // of them
  std::uint64_t connections = 0;  // begun
  std::uint64_t faults = 0;       // that happened
  std::uint64_t turns = 0;
  std::uint64_t clean = 0;       // ports that were closed cleanly
  std::uint64_t compressed = 0;  // frames that took fewer bytes than their payload
  std::uint64_t full = 0;        // sends that were refused because of backpressure
  std::uint64_t simulated = 0;   // nanoseconds
};

// What the servers, or the clients, have in common.
struct Host {
  Host(const Side& side, Prng prng, Checks& checks, Plant plant, bool deflate)
      : pool(side, prng.fork(), checks, plant == Plant::block_leaked),
        entropy(prng.next()),
        memory(side.message_memory_max) {
    config.pool = &pool;
    config.entropy = &entropy;
    config.limits = side.limits;
    config.timeouts = side.timeouts;
    config.auto_pong = side.auto_pong;
    config.check_sent_text = side.check_sent_text;
    config.origin_policy = OriginPolicy::any;
    if (deflate) config.codec = codec.get();
    config.deflate = side.deflate;
    config_other = config;
    config_other.limits.output_bytes_max = std::max(1'024u, config.limits.output_bytes_max / 2);
    config_other.timeouts.ping_interval =
        std::min<Duration>(config.timeouts.ping_interval, std::chrono::seconds(7));
    config_other.check_sent_text = !config.check_sent_text;
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  ~Host() {
    if (!kept_.empty()) memory.release(kept_);
  }
  // A planted bug.
  void keep_memory() noexcept {
    if (kept_.empty()) kept_ = memory.resize({}, 0, 16);
  }

  CountingPool pool;
  testing::SeededEntropy entropy;
  HeapMessageMemory memory;
  HostCodec codec;
  Config config;
  Config config_other;  // for connections that a server accepts with one of their own

 private:
  Bytes kept_;
};

struct Scene {
  explicit Scene(const Knobs& drawn)
      : knobs(drawn),
        prng(drawn.seed ^ 0xD1B54A32D192ED03),
        servers(knobs.sides[server], prng.fork(), checks, knobs.plant, knobs.deflate),
        clients(knobs.sides[client], prng.fork(), checks, knobs.plant, knobs.deflate),
        tls(knobs.tls) {}

  Host& host(unsigned side) noexcept { return side == server ? servers : clients; }
  const Side& side(unsigned which) const noexcept { return knobs.sides[which]; }
  void note(unsigned port, const char* what, std::uint64_t a = 0, std::uint64_t b = 0) noexcept {
    trace.add(now, port, what, a, b);
  }

  const Knobs knobs;
  Prng prng;
  Instant now = start;
  Trace trace;
  Checks checks;
  Scheduler scheduler;
  Stats stats;
  Host servers;
  Host clients;
  const SceneTls tls;
};

}  // namespace sansock::sim
