// A connected socket, with TLS or without: what is sent and received, and how it ends.
//
// Over TLS each send() is a record, and each record a write, so that what a case cuts is cut on the wire too.
// The testee's close_notify is answered at once, and nothing is sent any more; its end is the end of TCP all
// the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "wire/tls_channel.h"

namespace conform {

// An owned descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }

 private:
  int number_;
};

class Stream {
 public:
  enum class Input : std::uint8_t {
    nothing,  // for now
    octets,   // perhaps of TLS alone
    broken,   // TLS failed: told once, and what still comes is thrown away
    ended,    // TCP ended
  };
  using Sink = std::function<void(std::string_view octets)>;

  // `socket` does not block, and is connected or about to be; `tls` is null for plain TCP.
  Stream(Descriptor socket, std::unique_ptr<TlsChannel> tls);

  int descriptor() const { return socket_.number(); }
  // The TLS handshake is done, if there is one.
  bool open() const { return !tls_ || tls_->state() != TlsChannel::State::handshake; }
  // Waits for the socket to take more.
  bool blocked() const { return blocked_; }
  // Nothing of send() can be written any more.
  bool failed() const { return failed_; }

  // One read.
  Input receive(const Sink& sink);
  // How it ended or broke, in words: "dropped TCP".
  const std::string& how() const { return how_; }
  // TLS was not ended as it has to be: an attacker may have done it, who cut off what was still to come.
  bool cut_off() const { return cut_off_; }

  // True: `written` of the octets are in the socket. False: none of them is known to be; what was not taken
  // is given again, with or without more behind it, when the stream is neither blocked nor failed.
  bool send(std::string_view octets, std::size_t& written);
  // Writes what TLS itself has to say. True: all is written.
  bool flush();
  // No more is sent: close_notify, then FIN, as soon as what is under way is written; flush() until then.
  void end();

 private:
  Input take_end(ssize_t size);
  Input take_records(const Sink& sink);
  bool write_some(std::string_view octets, std::size_t& written);

  Descriptor socket_;
  std::unique_ptr<TlsChannel> tls_;
  std::size_t sealed_ = 0;  // octets of send() in the channel's output
  std::string how_;
  bool cut_off_ = false;
  bool broken_ = false;
  bool blocked_ = false;
  bool failed_ = false;
  bool ending_ = false;
  bool fin_sent_ = false;
};

}  // namespace conform
