// Peers of bare bytes, which do what no peer should do, over TLS too. Every wait is bounded.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "sansock/slab_block_pool.h"
#include "sansock/socket.h"
#include "sansock/tls_engine.h"

namespace sansock::test {

inline constexpr int raw_wait_ms = 10'000;

// One side of a transport that is connected. One thread may send while another one reads.
class RawStream {
 public:
  explicit RawStream(Socket socket = {}) : socket_(std::move(socket)) {}
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  // Goes on over TLS, with what `make(pool)` makes. false: the other side did not want to.
  template <class MakeEngine>
  bool handshake(MakeEngine make) {
    pool_ = std::make_unique<SlabBlockPool>(std::size_t{64} << 20);
    engine_ = make(*pool_);
    if (!engine_) return false;
    engine_->start();
    while (!engine_->established()) {
      const bool flushed = write(take());
      if (!flushed || engine_->failure() != errc::none || !read_some()) return false;
    }
    return write(take());
  }

  int fd() const { return socket_.fd(); }
  // At once: without a close_notify, where there should be one.
  void close() { socket_.reset(); }
  // No more is sent; reading goes on.
  void finish() {
    if (engine_) {
      {
        const std::lock_guard lock(mutex_);
        engine_->close();
      }
      write(take());
    }
    ::shutdown(socket_.fd(), SHUT_WR);
  }
  // The end of the transport becomes a reset.
  void reset() {
    const linger now{1, 0};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.reset();
  }

  // true: all of it was taken.
  bool send(std::string_view bytes) {
    if (!engine_) return write(bytes);
    while (!bytes.empty()) {
      std::size_t sealed = 0;
      {
        const std::lock_guard lock(mutex_);
        const IoSlice plaintext{const_cast<char*>(bytes.data()), bytes.size()};
        sealed = engine_->seal(std::span(&plaintext, 1));
      }
      bytes.remove_prefix(sealed);
      if (!write(take()) || sealed == 0) return false;
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
  // Over TLS: it came without a close_notify, so that nobody can tell whether something is missing.
  bool truncated() const { return ended_ && engine_ && !engine_->peer_closed(); }
  void forget() { received_.clear(); }
  // What is to be read again.
  void put_back(std::string bytes) { received_ = std::move(bytes); }

 protected:
  Socket socket_;
  std::string received_;

 private:
  bool wait(short events) {
    pollfd wait{socket_.fd(), events, 0};
    return ::poll(&wait, 1, raw_wait_ms) > 0;
  }
  bool write(std::string_view bytes) {
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
  // The ciphertext that is queued.
  std::string take() {
    const std::lock_guard lock(mutex_);
    std::string taken;
    std::array<IoSlice, 16> slices;
    while (engine_->output_size() != 0) {
      const std::size_t before = taken.size();
      const std::size_t count = engine_->gather(slices);
      for (std::size_t i = 0; i < count; ++i)
        taken.append(static_cast<const char*>(slices[i].base), slices[i].size);
      engine_->consume(taken.size() - before);
    }
    return taken;
  }
  bool read_some() {
    char buffer[16384];
    if (!wait(POLLIN)) return false;
    const ssize_t got = ::recv(socket_.fd(), buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    if (engine_) {
      decrypt(std::as_writable_bytes(std::span(buffer, static_cast<std::size_t>(got))));
    } else {
      received_.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }
  void decrypt(Bytes ciphertext) {
    const std::lock_guard lock(mutex_);
    if (engine_->failure() != errc::none || engine_->peer_closed()) return;
    engine_->feed(ciphertext);
    for (Bytes plaintext = engine_->next(); !plaintext.empty(); plaintext = engine_->next())
      received_ += as_text(plaintext);
  }

  bool ended_ = false;
  // TLS, if it is spoken.
  std::mutex mutex_;
  std::unique_ptr<SlabBlockPool> pool_;
  std::unique_ptr<TlsEngine> engine_;
};

// Where a server listens, and what its clients trust if it speaks TLS there.
struct ServerAddress : Address {
  std::shared_ptr<const TlsClient> tls = nullptr;
};

class RawClient : public RawStream {
 public:
  explicit RawClient(const Address& server) {
    if (server.family == Address::Family::unix_path) {
      error_ = connect_unix(server.host, std::chrono::seconds(10), socket_);
    } else {
      error_ = connect_tcp({.host = server.host, .port = server.port, .timeout = std::chrono::seconds(10)},
                           socket_);
    }
  }
  // Over TLS it waits for the server's part of the handshake.
  explicit RawClient(const ServerAddress& server) : RawClient(static_cast<const Address&>(server)) {
    if (error_ || !server.tls) return;
    const bool established =
        handshake([&](BlockPool& pool) { return server.tls->make_engine(pool, server.host, server.port); });
    if (!established) error_ = std::make_error_code(std::errc::connection_aborted);
  }

  std::error_code error() const { return error_; }
  int release() { return socket_.release(); }

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
  std::error_code error_;
};

}  // namespace sansock::test
