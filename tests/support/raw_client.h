// A client of bare bytes: for peers that do what no client should do. Every wait is bounded.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

#include "sansock/socket.h"

namespace sansock::test {

inline constexpr int raw_wait_ms = 10'000;

class RawClient {
 public:
  explicit RawClient(const Address& server) {
    if (server.family == Address::Family::unix_path) {
      error_ = connect_unix(server.host, std::chrono::seconds(10), socket_);
    } else {
      error_ = connect_tcp({.host = server.host, .port = server.port, .timeout = std::chrono::seconds(10)},
                           socket_);
    }
  }

  std::error_code error() const { return error_; }
  int fd() const { return socket_.fd(); }
  int release() { return socket_.release(); }
  void close() { socket_.reset(); }
  void finish() { ::shutdown(socket_.fd(), SHUT_WR); }
  // The end of the transport becomes a reset.
  void reset() {
    const linger now{1, 0};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.reset();
  }

  // true: all of it was taken.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (!wait(POLLOUT)) {
        return false;
      }
    }
    return true;
  }

  // Reads until `received` has `needle`, the transport ends, or nothing comes for long.
  const std::string& read_until(std::string_view needle) {
    while (received_.find(needle) == std::string::npos && read_some()) continue;
    return received_;
  }
  const std::string& read_size(std::size_t size) {
    while (received_.size() < size && read_some()) continue;
    return received_;
  }
  // All up to the end of the transport. ended() tells whether it came.
  const std::string& read_all() {
    while (read_some()) continue;
    return received_;
  }
  bool ended() const { return ended_; }
  void forget() { received_.clear(); }
  // What is to be read again.
  void put_back(std::string bytes) { received_ = std::move(bytes); }

  // An upgrade request for `path`, with `extra` header lines; reads the answer's head.
  std::string upgrade(std::string_view path = "/", std::string_view extra = {}) {
    send(request(path, extra));
    std::string head = read_until("\r\n\r\n");
    received_.erase(0, received_.find("\r\n\r\n") + 4);
    return head;
  }
  static std::string request(std::string_view path = "/", std::string_view extra = {}) {
    std::string text = "GET ";
    text += path;
    text += " HTTP/1.1\r\nHost: test.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    text += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    text += extra;
    return text + "\r\n";
  }
  // A masked frame, with the key 1 2 3 4.
  static std::string frame(unsigned opcode, std::string_view payload, bool end = true) {
    std::string text(1, static_cast<char>((end ? 0x80u : 0u) | opcode));
    if (payload.size() < 126) {
      text += static_cast<char>(0x80u | payload.size());
    } else if (payload.size() < 65536) {
      text += static_cast<char>(0xfe);
      for (int shift = 8; shift >= 0; shift -= 8) text += static_cast<char>(payload.size() >> shift & 0xff);
    } else {
      text += static_cast<char>(0xff);
      for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(payload.size() >> shift & 0xff);
    }
    text += "\x01\x02\x03\x04";
    for (std::size_t i = 0; i < payload.size(); ++i)
      text += static_cast<char>(payload[i] ^ static_cast<char>(i % 4 + 1));
    return text;
  }

 private:
  bool wait(short events) {
    pollfd wait{socket_.fd(), events, 0};
    return ::poll(&wait, 1, raw_wait_ms) > 0;
  }
  bool read_some() {
    char buffer[16384];
    if (!wait(POLLIN)) return false;
    const ssize_t got = ::recv(socket_.fd(), buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  Socket socket_;
  std::error_code error_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace sansock::test
