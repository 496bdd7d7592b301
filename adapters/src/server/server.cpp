// Server: the calls of the easy API, over a ServerBackend.
#include "sansock/server.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "broadcast.h"
#include "connections_limit.h"
#include "sansock/kernels_choice.h"
#include "server_backend.h"
#include "server_core.h"
#include "server_listener.h"

namespace sansock {

class Server::Impl {
 public:
  Impl(Server& server, ServerOptions options) : core(server, std::move(options)) {}

  ServerCore core;
  std::vector<ServerListener> listeners;
  std::unique_ptr<ServerBackend> backend;
  // The same, for the threads and signal handlers that use it while it serves; set once.
  std::atomic<ServerBackend*> serving{nullptr};
  std::thread background;  // of start()
  std::error_code background_result;

  std::error_code open();
  std::error_code serve();
};

std::error_code Server::Impl::open() {
  if (backend) return std::make_error_code(std::errc::operation_in_progress);
  if (listeners.empty()) return std::make_error_code(std::errc::destination_address_required);
  if (core.options.kernels == nullptr) core.options.kernels = kernels_from_environment();
  const Adapter adapter = resolve_adapter(core.options.adapter);
  if (core.options.connections_max == 0) core.options.connections_max = connections_limit(adapter);
  std::unique_ptr<ServerBackend> made = make_backend(adapter, core);
  if (!made) return std::make_error_code(std::errc::operation_not_supported);
  if (const std::error_code error = made->open(listeners)) return error;
  backend = std::move(made);
  serving = backend.get();
  return {};
}

std::error_code Server::Impl::serve() {
  const std::error_code error = backend->run();
  for (ServerListener& listener : listeners) listener.close();
  return error;
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(*this, std::move(options))) {}

Server::~Server() {
  stop();
  join();
}

void Server::route(std::string path, Route route) {
  impl_->core.routes.add_route(std::move(path), std::move(route));
}

void Server::page(std::string path, std::function<Page(const Request&)> handler) {
  impl_->core.routes.add_page(std::move(path), std::move(handler));
}

void Server::on_refusal(std::function<std::optional<Page>(errc cause, const Request*)> handler) {
  impl_->core.refusal_hook = std::move(handler);
}

std::error_code Server::listen(const ListenOptions& options) {
  const ServerOptions& server = impl_->core.options;
  const bool loops = resolve_adapter(server.adapter) != Adapter::blocking;
  ServerListener listener;
  const std::error_code error = listener.open(options, loops ? std::max(1u, server.threads) : 1);
  if (!error) impl_->listeners.push_back(std::move(listener));
  return error;
}

std::uint16_t Server::port() const noexcept {
  for (const ServerListener& listener : impl_->listeners) {
    if (listener.address().port != 0) return listener.address().port;
  }
  return 0;
}

std::vector<Address> Server::addresses() const {
  std::vector<Address> addresses;
  for (const ServerListener& listener : impl_->listeners) addresses.push_back(listener.address());
  return addresses;
}

std::error_code Server::run() {
  if (const std::error_code error = impl_->open()) return error;
  return impl_->serve();
}

std::error_code Server::start() {
  if (const std::error_code error = impl_->open()) return error;
  try {
    impl_->background = std::thread([this] { impl_->background_result = impl_->serve(); });
  } catch (const std::system_error& failure) {
    return failure.code();
  }
  return {};
}

void Server::join() {
  if (impl_->background.joinable()) impl_->background.join();
}

// The flag first, then the wake-up: a thread that was woken too early looks again before it sleeps.
void Server::stop() noexcept {
  impl_->core.stopping.store(true, std::memory_order_release);
  if (ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire)) backend->wake();
}

void Server::stop_accepting() noexcept {
  impl_->core.accept_stopped.store(true, std::memory_order_release);
  if (ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire)) backend->wake();
}

void Server::post(PeerId peer, std::function<void(Peer&)> task) {
  ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire);
  if (backend == nullptr) return;
  backend->with_thread(peer, [&](ServerThread& thread) {
    thread.post([&thread, peer, task = std::move(task)] {
      thread.with_peer(peer, [&task](ServerPeer& found) { task(found); });
    });
  });
}

void Server::for_each(std::function<void(Peer&)> visit) {
  ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire);
  if (backend == nullptr) return;
  backend->for_each_thread([&visit](ServerThread& thread) {
    thread.post([&thread, visit] { thread.for_each_open([&visit](ServerPeer& peer) { visit(peer); }); });
  });
}

Server::Counters Server::counters() const noexcept {
  ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire);
  Counters counters = backend == nullptr ? Counters{} : backend->counters();
  counters.frames_encoded = impl_->core.frames_encoded.load(std::memory_order_relaxed);
  counters.broadcast_missed += impl_->core.broadcast_missed.load(std::memory_order_relaxed);
  return counters;
}

unsigned Server::connections() const noexcept {
  const Counters now = counters();
  return now.accepted < now.closed ? 0 : static_cast<unsigned>(now.accepted - now.closed);
}

void Server::broadcast(MessageType type, ConstBytes payload, BroadcastOptions options) {
  ServerBackend* const backend = impl_->serving.load(std::memory_order_acquire);
  if (backend == nullptr) return;
  const std::uint16_t route =
      options.route.empty() ? RouteTable::none : impl_->core.routes.find_route(options.route);
  if (!options.route.empty() && route == RouteTable::none) return;
  const auto message = Broadcast::make(type, payload, route, std::move(options), impl_->core.frames_encoded);
  if (message == nullptr) {
    impl_->core.broadcast_missed.fetch_add(connections(), std::memory_order_relaxed);
    return;
  }
  backend->for_each_thread(
      [&message](ServerThread& thread) { thread.post([&thread, message] { thread.broadcast(*message); }); });
}

}  // namespace sansock
