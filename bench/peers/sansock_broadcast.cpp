// What one peer sends, all get: the server for the load generator's mode `broadcast`.
#include "peer.h"
#include "sansock/server.h"

int main(int argc, char** argv) {
  const int port = peer::port_argument(argc, argv);
  sansock::Server server(sansock::ServerOptions{.threads = 1});
  server.route("/", {.on_message = [&server](sansock::Peer&, sansock::Message message) {
                 server.broadcast(message.type, message.bytes);
               }});
  if (server.listen({.port = static_cast<std::uint16_t>(port)})) peer::die("listen");
  peer::print_ready_line("ws", server.port());
  return server.run() ? 1 : 0;
}
