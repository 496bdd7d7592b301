// What TLS alone costs: an echo over epoll that knows nothing of messages, by the TLS of the library. One
// read into a buffer that all connections share, all records decrypted and each encrypted back, one write;
// what the socket does not take stays with the TLS engine, and reading pauses.
#include <sansock/slab_block_pool.h>
#include <sansock/tls_engine.h>
#include <sys/uio.h>

#include <array>
#include <memory>

#include "socket_loop.h"

namespace {

// What all connections share. Pages of the pool are there only once they are used.
constexpr std::size_t pool_bytes_max = std::size_t{1} << 30;
std::byte buffer[256 << 10];
sansock::SlabBlockPool pool(pool_bytes_max);
sansock::TlsServer tls;

class Session {
 public:
  Session(int epoll, int fd) : epoll_(epoll), fd_(fd), engine_(tls.make_engine(pool)) {
    if (engine_ == nullptr) peer::die("no memory for TLS");
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(fd_); }

  bool handle(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) return write();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
    const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
    if (size <= 0) return size < 0 && errno == EAGAIN;
    engine_->feed(sansock::Bytes(buffer, static_cast<std::size_t>(size)));
    for (sansock::Bytes plain = engine_->next(); !plain.empty(); plain = engine_->next()) {
      if (!seal(plain)) return false;
    }
    // What has failed may still have an alert to send.
    return write() && engine_->failure() == sansock::errc::none && !engine_->peer_closed();
  }

 private:
  bool seal(sansock::Bytes plain) {
    while (!plain.empty()) {
      const sansock::IoSlice slice{plain.data(), plain.size()};
      const std::size_t taken = engine_->seal({&slice, 1});
      if (taken == 0) return false;
      plain = plain.subspan(taken);
    }
    return true;
  }

  bool write() {
    while (engine_->output_size() != 0) {
      std::array<sansock::IoSlice, 64> slices;
      std::array<iovec, slices.size()> parts;
      const std::size_t count = engine_->gather(slices);
      for (std::size_t i = 0; i < count; ++i) parts[i] = {slices[i].base, slices[i].size};
      const ssize_t sent = writev(fd_, parts.data(), static_cast<int>(count));
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0) break;
      engine_->consume(static_cast<std::size_t>(sent));
    }
    const bool waits = engine_->output_size() != 0;
    if (waits != output_wanted_) peer::watch(epoll_, EPOLL_CTL_MOD, fd_, this, !waits, waits);
    output_wanted_ = waits;
    return true;
  }

  int epoll_;
  int fd_;
  bool output_wanted_ = false;
  std::unique_ptr<sansock::TlsEngine> engine_;
};

}  // namespace

int main(int argc, char** argv) {
  const peer::Arguments given = peer::arguments(argc, argv);
  if (given.tls_certificate == nullptr) return peer::refuse("give --tls-cert and --tls-key");
  if (given.deflate != peer::Deflate::off)
    return peer::refuse("raw bytes are not compressed; drop --deflate");
  sansock::TlsServerOptions options;
  options.certificates = {{.chain_file = given.tls_certificate, .key_file = given.tls_key}};
  if (tls.load(options)) return peer::refuse(tls.problem().c_str());
  peer::serve<Session>("tls", given.port);
}
