// TLS 1.3 of the client, by BoringSSL, over bytes that others send and receive. The server's certificate
// is not verified, only its signature: this is for servers of one's own on the same machine.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace load {

// Whether this program has TLS; if not, nothing else of this file may be used.
bool tls_built() noexcept;

// What all connections share; any thread may use it.
class TlsContext {
 public:
  explicit TlsContext(bool resume);
  ~TlsContext();

 private:
  friend class TlsStream;
  struct State;
  std::unique_ptr<State> state_;
};

// One connection after the other. Whatever fails is thrown as std::runtime_error.
class TlsStream {
 public:
  explicit TlsStream(const TlsContext& context);
  ~TlsStream();

  // A new connection; what it resumes is the session of the one before.
  void restart();
  // Goes on with the handshake as far as it can. True when it is complete.
  bool handshake();
  // What came from the server; has to stay where it is until read() gave nothing.
  void give(std::span<const char> records) noexcept;
  // Fills the front of `plain`, and tells how much; 0 if there is nothing more. Throws if the server ended
  // it.
  std::size_t read(std::span<char> plain);
  void write(std::string_view plain);
  // What is to be sent to the server; who sent it takes it out.
  std::string& output() noexcept;

  // Of a complete handshake.
  bool resumed() const noexcept;
  std::string cipher() const;

 private:
  friend class TlsContext;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace load
