// A TLS library as TlsLayer uses it: bytes in, bytes out, no I/O. TlsServer and TlsClient make one of
// BoringSSL for each connection; another library can be used by implementing this.
#pragma once

#include <memory>

#include "sansock/error.h"
#include "sansock/tls.h"
#include "sansock/types.h"

namespace sansock {

class TlsEngine {
 public:
  TlsEngine() = default;
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;
  virtual ~TlsEngine() = default;

  // --- input ------------------------------------------------------------------------------------
  // Begins the handshake, for a client: output is there then. Once, before anything else.
  virtual void start() noexcept = 0;
  // Ciphertext that has arrived. Borrowed, and may be written, until next() has given an empty span; all of
  // it is taken. Nothing is taken after failed() or peer_closed().
  virtual void feed(Bytes ciphertext) noexcept = 0;
  // Goes on with the handshake, and decrypts: the next plaintext, to be changed in place. It may lie in the
  // memory that was fed or in the engine's; valid until the next call.
  virtual Bytes next() noexcept = 0;

  // --- state ------------------------------------------------------------------------------------
  virtual bool established() const noexcept = 0;  // the handshake is complete, the peer is verified
  virtual bool peer_closed() const noexcept = 0;  // close_notify has come
  virtual errc failure() const noexcept = 0;      // why it has failed, for good; none if it has not
  virtual TlsStatus status() const = 0;

  // --- output -----------------------------------------------------------------------------------
  // Encrypts what it can, once established(): how many bytes of plaintext were taken. 0 if there is no
  // memory.
  virtual std::size_t seal(std::span<const IoSlice> plaintext) noexcept = 0;
  // Queues close_notify; nothing is sealed after it.
  virtual void close() noexcept = 0;
  // Ciphertext that is queued, as of Endpoint.
  virtual std::size_t output_size() const noexcept = 0;
  virtual std::size_t gather(std::span<IoSlice> slices) noexcept = 0;
  virtual void consume(std::size_t written) noexcept = 0;
};

}  // namespace sansock
