#include "socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "sansock/socket.h"

namespace sansock {
namespace {

// Name look-up has error codes of its own.
class ResolveCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int code) const override { return gai_strerror(code); }
};

const std::error_category& resolve_category() noexcept {
  static const ResolveCategory category;
  return category;
}

std::string text_of(int family, const void* address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, text, sizeof text);
  return text;
}

}  // namespace

std::string Address::text() const {
  switch (family) {
    case Family::ipv4: return host + ":" + std::to_string(port);
    case Family::ipv6: return "[" + host + "]:" + std::to_string(port);
    case Family::unix_path: return "unix:" + host;
    case Family::none: break;
  }
  return "unknown";
}

Address to_address(const SocketAddress& address, socklen_t size) {
  switch (address.any.sa_family) {
    case AF_INET:
      return {Address::Family::ipv4, text_of(AF_INET, &address.ipv4.sin_addr), ntohs(address.ipv4.sin_port)};
    case AF_INET6:
      return {Address::Family::ipv6, text_of(AF_INET6, &address.ipv6.sin6_addr),
              ntohs(address.ipv6.sin6_port)};
    case AF_UNIX: {
      const std::size_t begin = offsetof(sockaddr_un, sun_path);
      const std::size_t length = size > begin ? strnlen(address.unix_path.sun_path, size - begin) : 0;
      return {Address::Family::unix_path, std::string(address.unix_path.sun_path, length), 0};
    }
    default: return {};
  }
}

bool to_unix_address(const std::string& path, SocketAddress& address, socklen_t& size) noexcept {
  address.unix_path = {};
  address.unix_path.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.unix_path.sun_path ||
      path.find('\0') != std::string::npos) {
    return false;
  }
  std::memcpy(address.unix_path.sun_path, path.data(), path.size());
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return true;
}

void FreeAddressList::operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }

std::error_code resolve(const std::string& host, std::uint16_t port, int family, bool passive,
                        AddressList& list) {
  addrinfo hints{};
  hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int code =
      getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code == EAI_SYSTEM) return {errno, std::system_category()};
  if (code != 0) return {code, resolve_category()};
  list.reset(found);
  return {};
}

}  // namespace sansock
