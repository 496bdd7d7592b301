// TlsEngine over BoringSSL. Its input and output are a BIO that reads from what was fed and writes into a
// queue of blocks.
//
// BoringSSL takes ciphertext only through that BIO, into a record buffer that exists while a record is cut;
// the plaintext comes back into the memory that was fed, where the ciphertext lay that it was made of. So a
// receive of many records becomes one run of plaintext.
#pragma once

#include <memory>
#include <string>

#include "boringssl.h"
#include "cipher_queue.h"
#include "sansock/tls_engine.h"

namespace sansock {

class TlsSessionCache;

class BoringEngine final : public TlsEngine {
 public:
  // `ssl` is set up but for its BIO and the role's state. `owner` lives as long as this.
  BoringEngine(boringssl::Ssl ssl, bool server, BlockPool& pool, std::shared_ptr<const void> owner) noexcept;
  // false: no memory.
  bool open() noexcept;
  // A client's: resumes a session of the cache, and puts new ones there.
  void resume(std::shared_ptr<TlsSessionCache> cache, std::string key) noexcept;

  void start() noexcept override;
  void feed(Bytes ciphertext) noexcept override;
  Bytes next() noexcept override;
  bool established() const noexcept override { return established_; }
  bool peer_closed() const noexcept override { return peer_closed_; }
  errc failure() const noexcept override { return failure_; }
  TlsStatus status() const override;
  std::size_t seal(std::span<const IoSlice> plaintext) noexcept override;
  void close() noexcept override;
  std::size_t output_size() const noexcept override { return output_.size(); }
  std::size_t gather(std::span<IoSlice> slices) noexcept override { return output_.gather(slices); }
  void consume(std::size_t written) noexcept override {
    slow_ = written < output_.size();
    output_.consume(written);
  }

  // --- for BoringSSL's callbacks ------------------------------------------------------------------
  static BoringEngine& of(const SSL* ssl) noexcept;
  // What a context needs for its connections to be engines.
  static void prepare(SSL_CTX* context) noexcept;
  // What the verification of the peer's certificate found; fails the handshake if that is something.
  void set_verification(errc cause) noexcept { verification_ = cause; }
  // The server asks for a certificate, and there is none to show.
  void set_certificate_missing() noexcept { certificate_missing_ = true; }

 private:
  struct Callbacks;

  bool readable() noexcept;
  void handshake() noexcept;
  bool first_byte_fits(std::byte first) noexcept;
  void answer_plain_http() noexcept;
  std::size_t read(std::byte* into, std::size_t capacity) noexcept;
  Bytes read_whole_records() noexcept;
  static ConstBytes next_chunk(std::span<const IoSlice> slices, std::size_t offset,
                               std::size_t size) noexcept;
  std::size_t reserve_record(std::size_t size) noexcept;
  std::size_t write(ConstBytes plaintext) noexcept;
  void fail(int result) noexcept;

  boringssl::Ssl ssl_;
  CipherQueue output_;
  Bytes input_;  // fed and not read yet
  std::shared_ptr<const void> owner_;
  std::shared_ptr<TlsSessionCache> sessions_;
  std::unique_ptr<std::string> session_key_;
  errc failure_ = errc::none;
  errc verification_ = errc::none;
  // How many messages of the handshake protocol may still come before more data: tickets and key updates cost
  // more than they weigh.
  std::uint8_t messages_left_;
  bool flooded_ = false;
  bool server_;
  bool begun_ = false;  // the first byte has come
  bool established_ = false;
  bool peer_closed_ = false;
  bool closed_ = false;
  bool certificate_missing_ = false;
  bool slow_ = false;  // the transport did not take all of the last output
};

}  // namespace sansock
