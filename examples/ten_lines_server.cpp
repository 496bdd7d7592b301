// The README's server in ten lines: `ten_lines_server`, then any WebSocket client.
#include <cstdio>

#include "sansock/server.h"

int main() {
  sansock::Server server;
  server.route("/", {.on_message = [](sansock::Peer& peer, sansock::Message message) {
                 peer.send(message.type, message.bytes);
               }});
  if (auto error = server.listen({.port = 9001})) {
    return std::fprintf(stderr, "port 9001: %s\n", error.message().c_str()), 1;
  }
  return server.run() ? 1 : 0;
}
