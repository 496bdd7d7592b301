// A server connection on a loop, with a handler that a test scripts, and the other end of its socket
// in the test's hands.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sansock/clock.h"
#include "sansock/driver.h"
#include "sansock/loop.h"
#include "sansock/os_entropy.h"
#include "sansock/slab_block_pool.h"
#include "sansock/socket.h"

namespace scripted {

// What a connection went through.
struct Record {
  std::vector<std::string> messages;
  int closed = 0;
  int gone = 0;
  sansock::errc cause = sansock::errc::none;
  sansock::CloseCode code = sansock::CloseCode::none;
};

class Handler {
 public:
  using Script = std::function<sansock::Verdict(sansock::Endpoint&, const sansock::Event&)>;
  explicit Handler(Record* record, Script script = {}) : record_(record), script_(std::move(script)) {}

  sansock::Verdict on_event(sansock::Endpoint& endpoint, const sansock::Event& event) {
    using sansock::errc;
    using sansock::EventKind;
    if (event.kind == EventKind::request && event.error == errc::none) {
      EXPECT_FALSE(endpoint.accept());
    }
    if (event.kind == EventKind::data) {
      if (event.begin) record_->messages.emplace_back();
      record_->messages.back() += event.text();
    }
    if (event.kind == EventKind::closed) {
      ++record_->closed;
      record_->cause = event.error;
      record_->code = event.code;
    }
    return script_ ? script_(endpoint, event) : sansock::Verdict::keep;
  }
  void on_gone(sansock::ConnectionId) { ++record_->gone; }

 private:
  Record* record_;
  Script script_;
};

// A masked frame with the key 0, which leaves the payload as it is.
inline std::string frame(int opcode, std::string_view payload) {
  std::string bytes{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
  return bytes + std::string(4, '\0') + std::string(payload);
}
inline std::string text_frame(std::string_view payload) { return frame(1, payload); }
inline std::string close_frame(int code) {
  return frame(8, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)});
}
inline std::string request() {
  return "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

// The test's end of a connection.
class Peer {
 public:
  Peer() = default;
  explicit Peer(int fd) : socket_(fd) {}
  // Not sendmsg(2) and recv(2): those are the loops'.
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string receive() {
    std::string bytes(1 << 16, '\0');
    const ssize_t size = ::recvfrom(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, nullptr);
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
  }
  // Waits for so many bytes, or for the end.
  void receive_all(std::size_t size) {
    std::string bytes(1 << 16, '\0');
    while (size > 0) {
      pollfd readable{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
      ::poll(&readable, 1, 5000);
      const ssize_t got =
          ::recvfrom(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, nullptr);
      if (got <= 0) return;
      size -= std::min(size, static_cast<std::size_t>(got));
    }
  }
  void close() { socket_.reset(); }
  // TCP: the other end sees an error, not an end.
  void reset_connection() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    EXPECT_EQ(::setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    socket_.reset();
  }
  void shut_down_write() { EXPECT_EQ(::shutdown(socket_.fd(), SHUT_WR), 0); }
  // Ends both directions, but leaves what is unread where it is.
  void shut_down() { EXPECT_EQ(::shutdown(socket_.fd(), SHUT_RDWR), 0); }

 private:
  sansock::Socket socket_;
};

// A Unix socket pair; the first end is for a loop.
inline int make_pair(Peer& peer) {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  peer = Peer(fds[1]);
  return fds[0];
}

struct Resources {
  Resources() { config.pool = &pool; }
  sansock::SlabBlockPool pool{64u << 20};
  sansock::Config config;
};

// Turns `loop` until `done()` or five seconds have passed; says which.
template <class Loop, class Done>
bool turn_until(Loop& loop, Done done) {
  const auto limit = sansock::MonotonicClock::now() + std::chrono::seconds(5);
  while (!done()) {
    if (sansock::MonotonicClock::now() > limit) return false;
    loop.turn(std::chrono::milliseconds(10));
  }
  return true;
}

template <class Loop>
void turn_times(Loop& loop, int times) {
  for (int i = 0; i < times; ++i) loop.turn(sansock::Duration::zero());
}

}  // namespace scripted
