// Endpoints driven through their opening handshakes.
#pragma once

#include <string>
#include <string_view>

#include "engine.h"
#include "opening_request.h"
#include "sansock/endpoint.h"

namespace sansock::bench {

inline constexpr std::string_view browser_host = "example.com:8080";

// Takes the output of `from` away, into `out` if there is one. Returns its size.
inline std::size_t drain(Endpoint& from, std::string* out = nullptr) {
  std::size_t written = 0;
  IoSlice slices[16];
  while (const std::size_t count = from.gather(slices)) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (out != nullptr) out->append(static_cast<const char*>(slices[i].base), slices[i].size);
      size += slices[i].size;
    }
    from.consume(size, now);
    while (from.poll()) continue;
    written += size;
  }
  return written;
}

// A server that reads a request and accepts it. Returns whether the connection is open.
inline bool open_server(Endpoint& server, Bytes request) {
  bool open = false;
  server.feed(request, now);
  while (const Event event = server.poll()) {
    if (event.kind == EventKind::request && server.accept()) return false;
    open = open || event.kind == EventKind::open;
  }
  return open;
}

// A client that asks, and reads the answer. `answer` has to fit its key.
inline bool open_client(Endpoint& client, Bytes answer) {
  if (client.connect({.host = browser_host, .target = "/chat"})) return false;
  drain(client);
  bool open = false;
  client.feed(answer, now);
  while (const Event event = client.poll()) open = open || event.kind == EventKind::open;
  return open;
}

// What a server answers to the request that a client with this configuration sends. Always the same,
// if the configuration's entropy is.
inline std::string answer_for(const Config& config) {
  Endpoint client(Role::client, config);
  std::string request;
  std::string answer;
  if (client.connect({.host = browser_host, .target = "/chat"})) return answer;
  drain(client, &request);
  Endpoint server(Role::server, config);
  if (open_server(server, {reinterpret_cast<std::byte*>(request.data()), request.size()})) {
    drain(server, &answer);
  }
  return answer;
}

}  // namespace sansock::bench
