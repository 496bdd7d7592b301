// What the threads of one Server share: settings that are fixed while it runs, and a few flags.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "sansock/server.h"
#include "server_routes.h"

namespace sansock {

struct ServerCore {
  ServerCore(Server& owner, ServerOptions given) : server(owner), options(std::move(given)) {}

  Server& server;
  ServerOptions options;
  RouteTable routes;
  std::function<std::optional<Page>(errc, const Request*)> refusal_hook;

  // Set by stop() and stop_accepting(), also from signal handlers; threads look after each turn.
  std::atomic<bool> stopping{false};
  std::atomic<bool> accept_stopped{false};
  std::atomic<std::uint64_t> frames_encoded{0};
  std::atomic<std::uint64_t> broadcast_missed{0};  // where there was no memory for the frame itself
};

static_assert(std::atomic<bool>::is_always_lock_free, "stop() is called from signal handlers");

}  // namespace sansock
