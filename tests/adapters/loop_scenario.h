// Clients and servers on one loop over loopback TCP: each client sends messages, wants them back,
// and closes. What every fault-injection test runs, with and without TLS.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "sansock/clock.h"
#include "sansock/driver.h"
#include "sansock/loop.h"
#include "sansock/os_entropy.h"
#include "sansock/slab_block_pool.h"
#include "sansock/socket.h"
#include "watched_engine.h"

namespace scenario {

inline const std::vector<std::string>& messages() {
  static const std::vector<std::string> all = {"hello", std::string(40'000, 'x'), "", std::string(200, 'y')};
  return all;
}

// What happened to one connection.
struct Record {
  bool client = false;
  const std::vector<std::string>* messages = nullptr;
  bool opened = false;
  int closed = 0;  // `closed` events
  bool event_after_closed = false;
  bool clean = false;
  unsigned echoes = 0;
  std::size_t echo_position = 0;  // bytes of the current echo
  bool echo_wrong = false;
  bool gone = false;  // on_gone was called
  sansock::errc cause = sansock::errc::none;
  // With TLS:
  EngineWatch tls;
  bool notified_before_closed = false;  // close_notify had come when it was `closed`
};

class PeerHandler {
 public:
  explicit PeerHandler(Record* record) : record_(record) {}

  sansock::Verdict on_event(sansock::Endpoint& endpoint, const sansock::Event& event) {
    using sansock::EventKind;
    if (record_->closed != 0) record_->event_after_closed = true;
    switch (event.kind) {
      case EventKind::request:
        if (event.error == sansock::errc::none) {
          EXPECT_FALSE(endpoint.accept());
        }
        break;
      case EventKind::open:
        record_->opened = true;
        if (record_->client) {
          for (const std::string& text : *record_->messages) EXPECT_FALSE(endpoint.send(text));
        }
        break;
      case EventKind::data:
        if (record_->client) return check_echo(endpoint, event);
        EXPECT_FALSE(endpoint.send_part(event.type, event.bytes, event.end));
        break;
      case EventKind::closed:
        ++record_->closed;
        record_->clean = event.end;
        record_->cause = event.error;
        record_->notified_before_closed = record_->tls.peer_closed;
        break;
      default: break;
    }
    return sansock::Verdict::keep;
  }

  template <class Id>
  void on_gone(Id) {
    record_->gone = true;
  }

 private:
  sansock::Verdict check_echo(sansock::Endpoint& endpoint, const sansock::Event& event) {
    if (record_->echoes >= record_->messages->size()) {
      record_->echo_wrong = true;  // nobody has sent that
      return sansock::Verdict::drop;
    }
    const std::string& wanted = (*record_->messages)[record_->echoes];
    if (wanted.compare(record_->echo_position, event.bytes.size(), event.text()) != 0)
      record_->echo_wrong = true;
    record_->echo_position += event.bytes.size();
    if (!event.end) return sansock::Verdict::keep;
    if (record_->echo_position != wanted.size()) record_->echo_wrong = true;
    record_->echo_position = 0;
    if (++record_->echoes == record_->messages->size()) {
      EXPECT_FALSE(endpoint.close());
    }
    return sansock::Verdict::keep;
  }

  Record* record_;
};

struct Setting {
  explicit Setting(Transport chosen = Transport::plain) : transport(chosen) {
    config.pool = &pool;
    config.secure = transport == Transport::tls;
    config.entropy = &entropy;
    config.timeouts.close = std::chrono::milliseconds(200);
    config.timeouts.opening_handshake = std::chrono::milliseconds(500);
  }
  sansock::SlabBlockPool pool{64u << 20};
  sansock::OsEntropy entropy;
  sansock::Config config;
  Transport transport;
  const std::vector<std::string>* sent = &messages();
  sansock::Duration time_max = std::chrono::seconds(5);
  std::vector<std::unique_ptr<Record>> records;

  Record* add_record(bool client) {
    records.push_back(std::make_unique<Record>());
    records.back()->client = client;
    records.back()->messages = sent;
    return records.back().get();
  }
  // Adds a connection to `loop`, with TLS below it if there is to be; a client asks for the handshake.
  template <class Loop, class Socket>
  void add(Loop& loop, Socket socket, sansock::Role role) {
    const bool client = role == sansock::Role::client;
    Record* const record = add_record(client);
    const auto id = loop.add(socket, role, config, record);
    ASSERT_TRUE(id);
    if (transport == Transport::tls) {
      ASSERT_TRUE(loop.secure(*id, make_watched_engine(role, pool, record->tls)));
    }
    if (client) {
      EXPECT_FALSE(loop.find(*id)->endpoint().connect({.host = "127.0.0.1"}));
    }
  }
  // One message of 100 KiB each way, and time for it.
  void send_long() {
    static const std::vector<std::string> one = {std::string(100u << 10, 'z')};
    sent = &one;
    time_max = std::chrono::seconds(30);
    config.timeouts.opening_handshake = config.timeouts.close = time_max;
  }
  unsigned completed() const {
    unsigned count = 0;
    for (const auto& record : records) {
      if (record->client && record->clean && record->echoes == record->messages->size() &&
          !record->echo_wrong)
        ++count;
    }
    return count;
  }
  // The rules that hold whatever the transport does.
  void expect_sound() const {
    for (const auto& record : records) {
      EXPECT_EQ(record->closed, 1);
      EXPECT_FALSE(record->event_after_closed);
      EXPECT_TRUE(record->gone);
      EXPECT_FALSE(record->echo_wrong);
      if (transport == Transport::tls) {
        // Whoever cuts a connection can not make it look like an end.
        EXPECT_TRUE(record->notified_before_closed || !record->clean);
        EXPECT_TRUE(record->tls.established || !record->opened);
        EXPECT_EQ(record->tls.engines, 0);
      }
    }
    EXPECT_EQ(pool.in_use(), 0u);
  }
};

// Descriptors of this process: a test that leaves more of them than it found has leaked.
inline std::size_t descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Turns `loop` until `done()` or the time has passed; says which.
template <class Loop, class Done>
bool turn_until(Loop& loop, Done done, sansock::Duration time = std::chrono::seconds(5)) {
  const auto limit = sansock::MonotonicClock::now() + time;
  while (!done()) {
    if (sansock::MonotonicClock::now() > limit) return false;
    loop.turn(std::chrono::milliseconds(20));
  }
  return true;
}

// One client and one server on `loop`, over a Unix socket pair, with one message of 100 KiB each way. Not
// over TCP, where the kernel has room for few segments of one byte. Returns whether the client got it.
template <class Loop>
bool run_over_pair(Loop& loop, Setting& setting) {
  EXPECT_FALSE(loop.open());
  int pair[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  setting.add(loop, pair[0], sansock::Role::server);
  setting.add(loop, pair[1], sansock::Role::client);
  EXPECT_TRUE(turn_until(
      loop, [&] { return loop.connections() == 0; }, setting.time_max));
  return setting.completed() == 1;
}

// Listens on a free port of 127.0.0.1.
inline std::uint16_t listen_on(sansock::Socket& socket) {
  EXPECT_FALSE(sansock::listen_tcp({.host = "127.0.0.1", .port = 0}, socket));
  return sansock::local_address(socket.fd()).port;
}

}  // namespace scenario
