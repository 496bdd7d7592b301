// The README's client in six lines: says hello to an echo server, such as ten_lines_server.
#include <cstdio>

#include "sansock/client.h"

int main() {
  sansock::Client client;
  if (auto error = client.connect("ws://127.0.0.1:9001/")) {
    return std::fprintf(stderr, "%s\n", error.message().c_str()), 1;
  }
  client.send("hello");
  if (auto message = client.receive()) std::puts(std::string(message->text()).c_str());
  return client.close() ? 1 : 0;
}
