// Sessions that a client may resume, by host. Any thread may use it.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "boringssl.h"

namespace sansock {

class TlsSessionCache {
 public:
  // The newest ones are kept.
  void put(const std::string& key, boringssl::Session session) noexcept;
  // nullptr: there is none. One of TLS 1.3 is given away once only, so that nobody can tell that two
  // connections are of one client (RFC 8446 appendix C.4).
  boringssl::Session take(const std::string& key) noexcept;

 private:
  static constexpr std::size_t hosts_max = 256;
  static constexpr std::size_t sessions_max = 4;  // of a host

  std::mutex mutex_;
  std::map<std::string, std::deque<boringssl::Session>> hosts_;
};

}  // namespace sansock
