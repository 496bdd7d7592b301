#include "run/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace conform {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

Stream::Stream(Descriptor socket, std::unique_ptr<TlsChannel> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {
  const int on = 1;
  setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// --- receiving -------------------------------------------------------------------------------------
Stream::Input Stream::receive(const Sink& sink) {
  static std::array<char, 262144> buffer;
  const ssize_t size = read(socket_.number(), buffer.data(), buffer.size());
  if (size <= 0) return take_end(size);
  const std::string_view octets(buffer.data(), static_cast<std::size_t>(size));
  if (tls_) {
    if (broken_) return Input::octets;
    how_ = open() ? "broke TLS: " : "failed the TLS handshake: ";
    tls_->feed(octets);
    return take_records(sink);
  }
  sink(octets);
  return Input::octets;
}

Stream::Input Stream::take_end(ssize_t size) {
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Input::nothing;
  how_ = size == 0 ? "dropped TCP" : std::string("ended TCP: ") + std::strerror(errno);
  if (!tls_ || broken_ || tls_->state() == TlsChannel::State::ended) return Input::ended;
  if (tls_->state() == TlsChannel::State::handshake) {
    how_ += " in the TLS handshake";
  } else {
    // A sound one says so before it ends TCP (RFC 8446 section 6.1, RFC 5246 section 7.2.1).
    cut_off_ = true;
    how_ = "cut TLS off (" + how_ + ", no close_notify)";
  }
  return Input::ended;
}

Stream::Input Stream::take_records(const Sink& sink) {
  for (std::string_view octets = tls_->read(); !octets.empty(); octets = tls_->read()) sink(octets);
  switch (tls_->state()) {
    case TlsChannel::State::failed:
      broken_ = failed_ = cut_off_ = true;
      how_ += tls_->problem();
      return Input::broken;
    case TlsChannel::State::ended:
      // What is not yet written is no longer awaited (RFC 5246 section 7.2.1). Until it gets this answer,
      // many a testee does not end TCP.
      failed_ = true;
      tls_->close();
      break;
    default: break;
  }
  return Input::octets;
}

// --- sending ---------------------------------------------------------------------------------------
bool Stream::write_some(std::string_view octets, std::size_t& written) {
  const ssize_t size = ::send(socket_.number(), octets.data(), octets.size(), MSG_NOSIGNAL);
  if (size >= 0) {
    written = static_cast<std::size_t>(size);
    return true;
  }
  // ENOTCONN: the connection is still being made.
  blocked_ = errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
  failed_ = failed_ || !blocked_;
  return false;
}

bool Stream::send(std::string_view octets, std::size_t& written) {
  if (failed_ || ending_) return false;
  blocked_ = false;
  if (!tls_) return write_some(octets, written);
  if (!flush() || !open()) return false;
  if (sealed_ == 0) {
    sealed_ = std::min(octets.size(), TlsChannel::write_size_max);
    tls_->write(octets.substr(0, sealed_));
    if (!flush()) return false;
  }
  written = std::exchange(sealed_, 0);
  return true;
}

bool Stream::flush() {
  blocked_ = false;
  std::size_t written = 0;
  while (tls_ && !tls_->output().empty()) {
    if (!write_some(tls_->output(), written)) return false;
    tls_->consume(written);
  }
  if (ending_ && !std::exchange(fin_sent_, true)) shutdown(socket_.number(), SHUT_WR);
  return true;
}

void Stream::end() {
  if (std::exchange(ending_, true)) return;
  if (tls_) tls_->close();
  flush();
}

}  // namespace conform
