// The README's server in ten lines: an echo at ws://127.0.0.1:9001/.
#include <sansock/server.h>

int main() {
  sansock::Server server;
  server.route("/", {.on_message = [](sansock::Peer& peer, sansock::Message message) {
                 peer.send(message.type, message.bytes);
               }});
  if (server.listen({.port = 9001})) return 1;
  return server.run() ? 1 : 0;
}
