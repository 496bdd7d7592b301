// A fixed amount of work for callgrind to count: workload NAME. check.py runs it.
//
// Only what happens inside of `measured` counts (callgrind's --toggle-collect). Everything is fixed that
// could change the count: seeds, sizes, time, and where the buffers lie within a cache line.
#include <algorithm>
#include <cstdio>
#include <functional>

#include "engine.h"
#include "measured.h"
#include "opening.h"
#include "sansock/connection.h"

namespace sansock::bench {

namespace {

constexpr std::size_t handshakes = 1'000;
constexpr std::size_t messages = 10'000;

// Counts whole messages; `answer` is called with each.
template <class Machine, class Answer>
std::size_t poll_all(Machine& machine, Answer answer) {
  std::size_t count = 0;
  while (const Event event = machine.poll()) {
    if (event.kind != EventKind::data || !event.end) continue;
    ++count;
    answer(event);
  }
  return count;
}

// Frames come in as a server reads them: as many at once as a read of 16 KiB brings.
std::size_t parse(Content content, std::size_t size) {
  Setting setting;
  Connection server(Role::server, setting.config);
  const std::size_t at_once = std::min(frames_at_once(size), messages);
  Buffer stream(frame_stream(content, size, at_once, true), 0);
  const std::size_t frame_size = stream.size() / at_once;
  return measured([&] {
    std::size_t count = 0;
    while (count < messages) {
      const std::size_t frames = std::min(at_once, messages - count);
      server.feed(bytes_of(stream).first(frames * frame_size), now);
      if (poll_all(server, [](const Event&) {}) != frames) break;
      count += frames;
    }
    return count;
  });
}

// Each message is gathered and consumed by itself.
std::size_t write(Role role, std::size_t size) {
  Setting setting;
  Connection connection(role, setting.config);
  Buffer payload(content_of(Content::binary, size), 0);
  return measured([&] {
    std::size_t count = 0;
    for (; count < messages; ++count) {
      if (connection.send(MessageType::binary, bytes_of(payload))) break;
      IoSlice slices[4];
      std::size_t written = 0;
      const std::size_t filled = connection.gather(slices);
      for (std::size_t i = 0; i < filled; ++i) written += slices[i].size;
      connection.consume(written, now);
      while (connection.poll()) continue;
    }
    return count;
  });
}

// Moves the output of one side to the other through memory, as a transport would.
std::size_t carry(Endpoint& from, Endpoint& to, Buffer& wire) {
  std::size_t size = 0;
  IoSlice slices[4];
  const std::size_t filled = from.gather(slices);
  for (std::size_t i = 0; i < filled; ++i) {
    std::memcpy(wire.data() + size, slices[i].base, slices[i].size);
    size += slices[i].size;
  }
  from.consume(size, now);
  while (from.poll()) continue;
  to.feed(bytes_of(wire).first(size), now);
  return size;
}

bool open_pair(Endpoint& client, Endpoint& server, Buffer& wire) {
  if (client.connect({.host = browser_host, .target = "/chat"})) return false;
  carry(client, server, wire);
  while (const Event event = server.poll()) {
    if (event.kind == EventKind::request && server.accept()) return false;
  }
  carry(server, client, wire);
  while (client.poll()) continue;
  return client.state() == ReadyState::open && server.state() == ReadyState::open;
}

std::size_t echo(std::size_t size) {
  Setting setting;
  Buffer wire(16384, 0);
  Endpoint client(Role::client, setting.config);
  Endpoint server(Role::server, setting.config);
  if (!open_pair(client, server, wire)) return 0;
  Buffer payload(content_of(Content::ascii, size), 0);
  return measured([&] {
    std::size_t count = 0;
    for (; count < messages; ++count) {
      if (client.send(MessageType::text, bytes_of(payload))) break;
      carry(client, server, wire);
      poll_all(server, [&](const Event& event) { (void)server.send(event.type, event.bytes); });
      carry(server, client, wire);
      if (poll_all(client, [](const Event&) {}) != 1) break;
    }
    return count;
  });
}

std::size_t shake_hands() {
  Setting setting;
  Buffer wire(16384, 0);
  return measured([&] {
    std::size_t count = 0;
    for (; count < handshakes; ++count) {
      Endpoint client(Role::client, setting.config);
      Endpoint server(Role::server, setting.config);
      if (!open_pair(client, server, wire)) break;
    }
    return count;
  });
}

struct Workload {
  const char* name;
  std::size_t items;
  std::function<std::size_t()> run;
};

const Workload workloads[] = {
    {"parse_16", messages, [] { return parse(Content::binary, 16); }},
    {"parse_125", messages, [] { return parse(Content::binary, 125); }},
    {"parse_1024", messages, [] { return parse(Content::binary, 1024); }},
    {"parse_text_16", messages, [] { return parse(Content::ascii, 16); }},
    {"parse_text_1024", messages, [] { return parse(Content::ascii, 1024); }},
    {"write_server_16", messages, [] { return write(Role::server, 16); }},
    {"write_server_1024", messages, [] { return write(Role::server, 1024); }},
    {"write_client_16", messages, [] { return write(Role::client, 16); }},
    {"write_client_1024", messages, [] { return write(Role::client, 1024); }},
    {"echo_125", messages, [] { return echo(125); }},
    {"handshake", handshakes, shake_hands},
};

}  // namespace

}  // namespace sansock::bench

// Without an argument: what was built, then the names, each with its number of items.
int main(int argc, char** argv) {
  if (argc < 2) std::puts(SANSOCK_BENCH_BUILD);
  for (const auto& one : sansock::bench::workloads) {
    if (argc < 2) {
      std::printf("%s %zu\n", one.name, one.items);
      continue;
    }
    if (std::string_view(argv[1]) != one.name) continue;
    const std::size_t done = one.run();
    if (done == one.items) return 0;
    std::fprintf(stderr, "%s: only %zu of %zu\n", one.name, done, one.items);
    return 1;
  }
  return argc < 2 ? 0 : 2;
}
