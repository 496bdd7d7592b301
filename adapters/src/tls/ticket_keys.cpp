#include "ticket_keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <cstring>

namespace sansock {
namespace {

// What BoringSSL wants to know of an opened ticket.
constexpr int failed = -1;
constexpr int unknown = 0;
constexpr int opened = 1;
constexpr int opened_and_to_be_renewed = 2;

}  // namespace

TicketKeys::~TicketKeys() { OPENSSL_cleanse(keys_.data(), sizeof keys_); }

void TicketKeys::set_lifetime(Duration lifetime) noexcept {
  const std::lock_guard lock(mutex_);
  lifetime_ = lifetime;
}

void TicketKeys::rotate(Instant now) noexcept {
  for (Key& key : keys_) {
    const bool newest = &key == &keys_[0];
    if (newest || key.made_at == never || now - key.made_at < 2 * lifetime_) continue;
    OPENSSL_cleanse(&key, sizeof key);
    key.made_at = never;
  }
  if (keys_[0].made_at != never && now - keys_[0].made_at < lifetime_) return;
  const bool lately = keys_[0].made_at != never && now - keys_[0].made_at < 2 * lifetime_;
  if (lately) keys_[1] = keys_[0];
  RAND_bytes(keys_[0].name.data(), name_size);
  RAND_bytes(keys_[0].cipher.data(), key_size);
  RAND_bytes(keys_[0].hmac.data(), key_size);
  keys_[0].made_at = now;
}

const TicketKeys::Key* TicketKeys::find(const std::uint8_t* name) const noexcept {
  for (const Key& key : keys_) {
    if (key.made_at != never && std::memcmp(key.name.data(), name, name_size) == 0) return &key;
  }
  return nullptr;
}

int TicketKeys::use(std::uint8_t* key_name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac,
                    bool encrypt, Instant now) noexcept {
  const std::lock_guard lock(mutex_);
  rotate(now);
  const Key* const key = encrypt ? &keys_[0] : find(key_name);
  if (key == nullptr) return unknown;
  const EVP_CIPHER* const algorithm = EVP_aes_256_cbc();
  if (encrypt) {
    std::memcpy(key_name, key->name.data(), name_size);
    RAND_bytes(iv, EVP_CIPHER_iv_length(algorithm));
  }
  const auto start = encrypt ? EVP_EncryptInit_ex : EVP_DecryptInit_ex;
  if (start(cipher, algorithm, nullptr, key->cipher.data(), iv) != 1 ||
      HMAC_Init_ex(hmac, key->hmac.data(), key_size, EVP_sha256(), nullptr) != 1) {
    return failed;
  }
  return encrypt || key == &keys_[0] ? opened : opened_and_to_be_renewed;
}

}  // namespace sansock
