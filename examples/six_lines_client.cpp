// The README's client in six lines: says hello to an echo server such as ten_lines_server, and prints
// what comes back.
#include <sansock/client.h>

#include <cstdio>

int main() {
  sansock::Client client;
  if (client.connect("ws://127.0.0.1:9001/") || client.send("hello")) return 1;
  if (auto message = client.receive()) std::fwrite(message->bytes.data(), 1, message->bytes.size(), stdout);
}
