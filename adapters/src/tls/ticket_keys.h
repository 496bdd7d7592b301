// The keys of session tickets (RFC 5077 section 4), which change by themselves. Any thread may use it.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <mutex>

#include "sansock/types.h"

namespace sansock {

class TicketKeys {
 public:
  ~TicketKeys();

  // Each key makes tickets for so long, and opens them for as long again.
  void set_lifetime(Duration lifetime) noexcept;

  // Of SSL_CTX_set_tlsext_ticket_key_cb(), which tells what the arguments and results are.
  int use(std::uint8_t* key_name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac, bool encrypt,
          Instant now) noexcept;

 private:
  static constexpr std::size_t name_size = 16;
  static constexpr std::size_t key_size = 32;
  struct Key {
    std::array<std::uint8_t, name_size> name;
    std::array<std::uint8_t, key_size> cipher;
    std::array<std::uint8_t, key_size> hmac;
    Instant made_at = never;  // never: there is none
  };

  void rotate(Instant now) noexcept;
  const Key* find(const std::uint8_t* name) const noexcept;

  std::mutex mutex_;
  Duration lifetime_ = std::chrono::hours(12);
  std::array<Key, 2> keys_;  // the one that makes tickets, and the one before
};

}  // namespace sansock
