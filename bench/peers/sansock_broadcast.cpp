// What one peer sends, all get: the server for the load generator's mode `broadcast`. When it is ended
// by SIGTERM it says how many frames were encoded for how many messages.
#include <csignal>

#include "peer.h"
#include "sansock/server.h"

namespace {

sansock::Server* running = nullptr;

void stop(int) { running->stop(); }

}  // namespace

int main(int argc, char** argv) {
  const int port = peer::port_argument(argc, argv);
  sansock::Server server(sansock::ServerOptions{.adapter = sansock::Adapter::epoll, .threads = 1});
  unsigned long long messages = 0;
  server.route("/", {.on_message = [&](sansock::Peer&, sansock::Message message) {
                 ++messages;
                 server.broadcast(message.type, message.bytes);
               }});
  if (server.listen({.port = static_cast<std::uint16_t>(port)})) peer::die("listen");
  running = &server;
  std::signal(SIGTERM, stop);
  peer::print_ready_line("ws", server.port());
  if (server.run()) return 1;
  const auto counters = server.counters();
  std::printf("messages=%llu frames_encoded=%llu broadcast_missed=%llu\n", messages,
              static_cast<unsigned long long>(counters.frames_encoded),
              static_cast<unsigned long long>(counters.broadcast_missed));
  return 0;
}
