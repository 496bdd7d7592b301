// A Driver behind a TlsLayer in virtual time, without a transport: the test gives and takes the bytes, and
// does with Interest what a loop would.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "raw_client.h"
#include "record_forge.h"
#include "sansock/tls_layer.h"
#include "test_entropy.h"
#include "test_pool.h"
#include "tls_peer.h"
#include "trust.h"

namespace sansock::test {

inline constexpr std::size_t whole = static_cast<std::size_t>(-1);

class LayerSide {
 public:
  using Script = std::function<Verdict(Endpoint&, const Event&)>;
  using MakeEngine = std::function<std::unique_ptr<TlsEngine>(BlockPool&)>;

  LayerSide(Role role, const MakeEngine& make, const std::function<void(Config&)>& tweak = {})
      : config(make_config(pool, entropy, tweak)), driver(role, config, this), layer(make(pool)) {
    if (role == Role::client) {
      EXPECT_FALSE(driver.endpoint().connect({.host = "localhost"}));
    }
    interest = layer.resume(driver, now);
  }
  // A server, and a client of "localhost".
  explicit LayerSide(const TlsServer& server, const std::function<void(Config&)>& tweak = {})
      : LayerSide(
            Role::server, [&server](BlockPool& blocks) { return server.make_engine(blocks); }, tweak) {}
  explicit LayerSide(const TlsClient& client, const std::function<void(Config&)>& tweak = {})
      : LayerSide(
            Role::client,
            [&client](BlockPool& blocks) { return client.make_engine(blocks, "localhost", 443); }, tweak) {}

  // As a loop, which reads only where that is wanted.
  void feed(std::string_view bytes) {
    if (bytes.empty() || interest.close) return;
    EXPECT_TRUE(interest.read);
    force(bytes);
  }
  // What a loop had under way when reading was paused.
  void force(std::string_view bytes) {
    std::vector<char> memory(bytes.begin(), bytes.end());
    obey(layer.on_bytes(driver, std::as_writable_bytes(std::span(memory)), now));
  }
  void eof() {
    if (!interest.close) obey(layer.on_eof(driver, now));
  }
  void resume() { obey(layer.resume(driver, now)); }
  void resume_reading() {
    driver.resume_reading();
    resume();
  }

  // What it wants to send, at most so much.
  std::string take(std::size_t max = whole) {
    std::string taken;
    std::array<IoSlice, 16> slices;
    while (interest.write && !interest.close && taken.size() < max) {
      const std::size_t count = layer.gather(driver, slices);
      if (count == 0) {
        ++starved;
        obey(layer.resume(driver, now));
        // It has said when to try again; to say "write" as well would keep a loop busy.
        EXPECT_FALSE(interest.write);
        EXPECT_LE(interest.deadline, now + std::chrono::milliseconds(10));
        break;
      }
      const std::size_t before = taken.size();
      for (const IoSlice& slice : std::span(slices).first(count)) {
        taken.append(static_cast<const char*>(slice.base), std::min(slice.size, max - taken.size()));
      }
      obey(layer.on_written(driver, taken.size() - before, now));
    }
    return taken;
  }

  // So much time passes; deadlines are kept on the way.
  void pass(Duration time) {
    const Instant end = now + time;
    while (!interest.close && interest.deadline <= end) {
      now = std::max(now, interest.deadline);
      obey(layer.on_timeout(driver, now));
      ASSERT_GT(interest.deadline, now) << "it would spin";
    }
    now = end;
  }

  bool said(const std::string& line) const { return std::find(log.begin(), log.end(), line) != log.end(); }
  Endpoint& endpoint() { return driver.endpoint(); }
  bool over() const { return interest.close; }

  struct Handler {
    LayerSide* side;
    Verdict on_event(Endpoint& endpoint, const Event& event) { return side->on_event(endpoint, event); }
  };

  Instant now{std::chrono::seconds(1000)};
  testing::TestPool pool{16384};
  testing::SeededEntropy entropy{7};
  Config config;
  std::vector<std::string> log;       // "open", "peer_close 1000", "closed none 1000 clean"
  std::vector<std::string> messages;  // whole and partly arrived
  Script script;
  int starved = 0;
  bool fin = false;
  Interest interest;
  Driver<Handler> driver;
  TlsLayer layer;

 private:
  static Config make_config(BlockPool& pool, EntropySource& entropy,
                            const std::function<void(Config&)>& tweak) {
    Config config;
    config.pool = &pool;
    config.entropy = &entropy;
    config.secure = true;
    config.timeouts.ping_interval = no_timeout;
    if (tweak) tweak(config);
    return config;
  }
  void obey(Interest next) {
    EXPECT_FALSE(interest.close) << "it was over already";
    interest = next;
    if (interest.shutdown_write && !interest.write) fin = true;
  }
  Verdict on_event(Endpoint& endpoint, const Event& event) {
    switch (event.kind) {
      case EventKind::request:
        if (event.error == errc::none && endpoint.accept()) return Verdict::drop;  // no memory
        break;
      case EventKind::open: log.push_back("open"); break;
      case EventKind::data:
        if (event.begin) messages.emplace_back();
        messages.back() += event.text();
        break;
      case EventKind::peer_close:
        log.push_back("peer_close " + std::to_string(static_cast<int>(event.code)));
        break;
      case EventKind::closed: {
        const CloseStatus status = endpoint.close_status();
        log.push_back("closed " + std::string(name(event.error)) + (status.clean ? " clean" : ""));
        break;
      }
      default: break;
    }
    return script ? script(endpoint, event) : Verdict::keep;
  }
};

// What one says to the other, `size` bytes at a time; how much that was.
inline std::size_t pass(LayerSide& from, LayerSide& to, std::size_t size = whole) {
  std::size_t total = 0;
  for (std::string bytes = from.take(size); !bytes.empty(); bytes = from.take(size)) {
    total += bytes.size();
    to.feed(bytes);
  }
  return total;
}
inline void converse(LayerSide& one, LayerSide& other, std::size_t size = whole) {
  while (pass(one, other, size) + pass(other, one, size) != 0) continue;
}

// The handshake, with a peer at the other end; false: it was not completed.
inline bool shake_hands(LayerSide& side, TlsPeer& peer) {
  for (int i = 0; i < 4 && !side.over(); ++i) {
    peer.put(side.take());
    peer.handshake();
    side.feed(peer.take());
  }
  return peer.established() && side.layer.status().established;
}
// And the opening one of a client in the peer's hands.
inline void open(LayerSide& server, TlsPeer& peer) {
  ASSERT_TRUE(shake_hands(server, peer));
  peer.write(RawClient::request());
  server.feed(peer.take());
  peer.put(server.take());
  ASSERT_TRUE(peer.read().starts_with("HTTP/1.1 101 ")) << peer.read();
  ASSERT_TRUE(server.said("open"));
}

}  // namespace sansock::test
