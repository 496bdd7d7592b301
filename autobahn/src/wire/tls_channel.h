// The TLS of one connection, without I/O: octets of the socket in, contents of records out, and back. It is
// an interface so that the kit can be built without OpenSSL; then there are none.
//
//   handshake ──► open ──close_notify of the testee──► ended
//   An error, of ours or told by the testee, ends in `failed` from any state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace conform {

class TlsChannel {
 public:
  enum class State : std::uint8_t { handshake, open, ended, failed };

  // Of one write(): more has to wait until that is in the socket.
  static constexpr std::size_t write_size_max = 262144;

  virtual ~TlsChannel() = default;

  // What came from the socket; then read() until it gives nothing.
  virtual void feed(std::string_view octets) = 0;
  // The content of the next record, until the next call; empty: no whole one has come, or none will.
  virtual std::string_view read() = 0;
  // Makes a record of `octets`, several only if they are more than fit in one (16 KiB). In state `open` or
  // `ended`, before close().
  virtual void write(std::string_view octets) = 0;
  // The alert close_notify, once. Nothing may follow it.
  virtual void close() = 0;

  // For the socket, in order: records and what TLS itself has to say.
  virtual std::string_view output() const = 0;
  // So much of output() was written.
  virtual void consume(std::size_t written) = 0;

  virtual State state() const = 0;
  // Why it failed; empty if it did not.
  virtual const std::string& problem() const = 0;
};

// What the channels of a run share: certificates, and whom to trust.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  virtual std::unique_ptr<TlsChannel> channel() const = 0;
};

// The kit is the client of a server.
struct TlsTrust {
  std::string host;       // that its certificate has to name: a name, or an address without brackets
  std::string ca;         // file of root certificates (PEM); empty: those of the system
  bool insecure = false;  // any certificate will do
};

// Null: `problem` says why not. TLS 1.2 and 1.3.
std::unique_ptr<TlsContext> tls_client(const TlsTrust& trust, std::string& problem);
// The kit is the server; files in PEM, of the certificate with its chain and of its key.
std::unique_ptr<TlsContext> tls_server(const std::string& certificate, const std::string& key,
                                       std::string& problem);

}  // namespace conform
