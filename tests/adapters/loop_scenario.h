// Clients and servers on one loop over loopback TCP: each client sends messages, wants them back,
// and closes. What every fault-injection test runs.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sansock/clock.h"
#include "sansock/driver.h"
#include "sansock/loop.h"
#include "sansock/os_entropy.h"
#include "sansock/slab_block_pool.h"
#include "sansock/socket.h"

namespace scenario {

// What happened to one connection.
struct Record {
  bool client = false;
  bool opened = false;
  int closed = 0;  // `closed` events
  bool event_after_closed = false;
  bool clean = false;
  unsigned echoes = 0;
  std::size_t echo_position = 0;  // bytes of the current echo
  bool echo_wrong = false;
  bool gone = false;  // on_gone was called
  sansock::errc cause = sansock::errc::none;
};

inline const std::vector<std::string>& messages() {
  static const std::vector<std::string> all = {"hello", std::string(40'000, 'x'), "", std::string(200, 'y')};
  return all;
}

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
          for (const std::string& text : messages()) EXPECT_FALSE(endpoint.send(text));
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
    const std::string& wanted = messages()[record_->echoes];
    if (wanted.compare(record_->echo_position, event.bytes.size(), event.text()) != 0)
      record_->echo_wrong = true;
    record_->echo_position += event.bytes.size();
    if (!event.end) return sansock::Verdict::keep;
    if (record_->echo_position != wanted.size()) record_->echo_wrong = true;
    record_->echo_position = 0;
    if (++record_->echoes == messages().size()) {
      EXPECT_FALSE(endpoint.close());
    }
    return sansock::Verdict::keep;
  }

  Record* record_;
};

struct Setting {
  Setting() {
    config.pool = &pool;
    config.entropy = &entropy;
    config.timeouts.close = std::chrono::milliseconds(200);
    config.timeouts.opening_handshake = std::chrono::milliseconds(500);
  }
  sansock::SlabBlockPool pool{64u << 20};
  sansock::OsEntropy entropy;
  sansock::Config config;
  std::vector<std::unique_ptr<Record>> records;

  Record* add_record(bool client) {
    records.push_back(std::make_unique<Record>());
    records.back()->client = client;
    return records.back().get();
  }
  unsigned completed() const {
    unsigned count = 0;
    for (const auto& record : records) {
      if (record->client && record->clean && record->echoes == messages().size() && !record->echo_wrong)
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
    }
    EXPECT_EQ(pool.in_use(), 0u);
  }
};

// Turns `loop` until `done()` or five seconds have passed; says which.
template <class Loop, class Done>
bool turn_until(Loop& loop, Done done) {
  const auto limit = sansock::MonotonicClock::now() + std::chrono::seconds(5);
  while (!done()) {
    if (sansock::MonotonicClock::now() > limit) return false;
    loop.turn(std::chrono::milliseconds(20));
  }
  return true;
}

// Listens on a free port of 127.0.0.1.
inline std::uint16_t listen_on(sansock::Socket& socket) {
  EXPECT_FALSE(sansock::listen_tcp({.host = "127.0.0.1", .port = 0}, socket));
  return sansock::local_address(socket.fd()).port;
}

}  // namespace scenario
