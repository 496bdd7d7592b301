// A client and a server joined by a transport without a kernel: bytes go over in whatever chunks a
// test likes. For Connection the opening handshake was done elsewhere; Endpoints do theirs.
#pragma once

#include "harness.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace sansock::testing {

template <class Subject>
class Pair {
 public:
  explicit Pair(const std::function<void(Config&)>& tweak = {}, std::size_t block_size = 20'000)
      : server_pool(block_size),
        client_pool(block_size),
        server_config(make_config(server_pool, tweak)),
        client_config(make_config(client_pool, tweak)),
        server(Role::server, server_config),
        client(Role::client, client_config),
        server_h(server),
        client_h(client) {
    open();
  }

  // Moves at most `size` bytes of `from`'s output that was consumed but not yet delivered.
  bool deliver(Role to, std::size_t size) {
    Harness<Subject>& receiver = harness(to);
    const Data& output = harness(to == Role::server ? Role::client : Role::server).output;
    std::size_t& done = delivered_[to == Role::server ? 0 : 1];
    const std::size_t count = std::min(size, output.size() - done);
    if (count == 0) return false;
    const auto begin = output.begin() + static_cast<std::ptrdiff_t>(done);
    const Data chunk(begin, begin + static_cast<std::ptrdiff_t>(count));
    done += count;
    receiver.feed(chunk);
    return true;
  }
  // Everything, to and fro, until nothing is left.
  void settle(std::size_t chunk = static_cast<std::size_t>(-1)) {
    for (bool moved = true; moved;) {
      server_h.settle();
      client_h.settle();
      if (server_h.subject.output_size() != 0) server_h.drain();
      if (client_h.subject.output_size() != 0) client_h.drain();
      moved = deliver(Role::server, chunk);
      moved = deliver(Role::client, chunk) || moved;
    }
  }
  // The server's side closes its transport first, as RFC 6455 section 7.1.1 has it.
  void hang_up() {
    if (!client_h.closed()) client_h.eof();
    if (!server_h.closed()) server_h.eof();
  }
  Harness<Subject>& harness(Role role) { return role == Role::server ? server_h : client_h; }
  Subject& subject(Role role) { return role == Role::server ? server : client; }

  TestPool server_pool;
  TestPool client_pool;
  SeededEntropy entropy{42};
  Config server_config;
  Config client_config;
  Subject server;
  Subject client;
  Harness<Subject> server_h;
  Harness<Subject> client_h;

 private:
  Config make_config(TestPool& pool, const std::function<void(Config&)>& tweak) {
    Config config;
    config.pool = &pool;
    config.entropy = &entropy;
    if (tweak) tweak(config);
    return config;
  }
  void open() {
    if constexpr (std::is_same_v<Subject, Endpoint>) {
      server_h.handler = [this](const Event& event) {
        if (event.kind != EventKind::request) return;
        EXPECT_EQ(event.error, errc::none);
        EXPECT_EQ(server.accept(), std::error_code{});
      };
      EXPECT_EQ(client.connect({.host = "example.com"}), std::error_code{});
      settle();
      EXPECT_EQ(client.state(), ReadyState::open);
      EXPECT_EQ(server.state(), ReadyState::open);
      server_h.handler = nullptr;
    }
  }

  std::size_t delivered_[2] = {0, 0};
};

}  // namespace sansock::testing
