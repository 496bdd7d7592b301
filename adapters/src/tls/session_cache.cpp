#include "session_cache.h"

#include <new>

namespace sansock {

void TlsSessionCache::put(const std::string& key, boringssl::Session session) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (hosts_.size() >= hosts_max && !hosts_.contains(key)) hosts_.erase(hosts_.begin());
    auto& sessions = hosts_[key];
    if (sessions.size() >= sessions_max) sessions.pop_front();
    sessions.push_back(std::move(session));
  } catch (const std::bad_alloc&) {  // the next connection makes a full handshake
  }
}

boringssl::Session TlsSessionCache::take(const std::string& key) noexcept {
  const std::lock_guard lock(mutex_);
  const auto host = hosts_.find(key);
  if (host == hosts_.end()) return nullptr;
  auto& sessions = host->second;
  boringssl::Session newest;
  if (SSL_SESSION_should_be_single_use(sessions.back().get()) == 1) {
    newest = std::move(sessions.back());
    sessions.pop_back();
  } else {
    SSL_SESSION_up_ref(sessions.back().get());
    newest.reset(sessions.back().get());
  }
  if (sessions.empty()) hosts_.erase(host);
  return newest;
}

}  // namespace sansock
