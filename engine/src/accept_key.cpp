// Sec-WebSocket-Key and what is derived from it (RFC 6455 sections 4.1 and 4.2.2), and the other
// header value made of base64, Basic credentials.
#include <cstring>

#include "base64.h"
#include "character.h"
#include "sansock/handshake.h"
#include "sha1.h"

namespace sansock {

namespace {

constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view basic = "Basic ";

}  // namespace

std::array<char, 28> accept_key(std::string_view key) noexcept {
  detail::Sha1 sha1;
  sha1.update(as_bytes(key));
  sha1.update(as_bytes(accept_guid));
  const std::array<std::byte, 20> digest = sha1.digest();
  std::array<char, 28> result{};
  static_assert(detail::base64_size(digest.size()) == result.size());
  detail::encode_base64(digest, result.data());
  return result;
}

std::array<char, 24> encode_key(std::span<const std::byte, 16> nonce) noexcept {
  std::array<char, 24> result{};
  static_assert(detail::base64_size(nonce.size()) == result.size());
  detail::encode_base64(nonce, result.data());
  return result;
}

bool is_key(std::string_view key) noexcept {
  if (key.size() != 24 || !detail::finishes_with(key, "==")) return false;
  for (const char c : detail::before(key, 22)) {
    if (detail::base64_value(c) < 0) return false;
  }
  // 22 digits are 132 bits: the last four are no part of the 16 bytes, and zero in the one canonical
  // form (RFC 4648 section 3.5).
  return (detail::base64_value(key[21]) & 15) == 0;
}

std::string_view basic_credentials(std::string_view user_and_password, std::span<char> out) noexcept {
  const std::size_t size = basic.size() + detail::base64_size(user_and_password.size());
  if (out.size() < size) return {};
  std::memcpy(out.data(), basic.data(), basic.size());
  detail::encode_base64(as_bytes(user_and_password), out.data() + basic.size());
  return {out.data(), size};
}

}  // namespace sansock
