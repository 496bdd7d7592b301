// Opening handshakes through an Endpoint, from its construction to `open`, output included.
#include "engine.h"
#include "opening.h"
#include "suite.h"

namespace sansock::bench {

namespace {

void accept_as_server(benchmark::State& state) {
  Setting setting;
  std::string request(browser_request);
  for (auto _ : state) {
    Endpoint server(Role::server, setting.config);
    if (!open_server(server, std::as_writable_bytes(std::span(request)))) {
      return state.SkipWithError("not accepted");
    }
    benchmark::DoNotOptimize(drain(server));
  }
  count(state, 1, request.size());
}

void connect_as_client(benchmark::State& state) {
  Setting setting;
  FixedEntropy entropy;
  setting.config.entropy = &entropy;
  std::string answer = answer_for(setting.config);
  for (auto _ : state) {
    Endpoint client(Role::client, setting.config);
    if (!open_client(client, std::as_writable_bytes(std::span(answer)))) {
      return state.SkipWithError("not accepted");
    }
  }
  count(state, 1, answer.size());
}

void copy(benchmark::State& state, std::string_view text) {
  Buffer destination(text.size(), 0);
  for (auto _ : state) {
    std::memcpy(destination.data(), text.data(), text.size());
    benchmark::ClobberMemory();
  }
  count(state, 1, text.size());
}

}  // namespace

void add_handshake() {
  Setting setting;
  FixedEntropy entropy;
  setting.config.entropy = &entropy;
  const std::string answer = answer_for(setting.config);
  add("handshake/server/sansock", browser_request.size(), "batch", 1, accept_as_server);
  add("handshake/server/memcpy", browser_request.size(), "batch", 1,
      [](benchmark::State& state) { copy(state, browser_request); });
  add("handshake/client/sansock", answer.size(), "batch", 1, connect_as_client);
  add("handshake/client/memcpy", answer.size(), "batch", 1,
      [answer](benchmark::State& state) { copy(state, answer); });
}

}  // namespace sansock::bench
