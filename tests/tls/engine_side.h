// A TlsEngine without a driver and a transport: what the test gives it, and what comes out.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sansock/tls_engine.h"
#include "test_pool.h"
#include "trust.h"

namespace sansock::test {

inline constexpr std::size_t all_of_it = static_cast<std::size_t>(-1);

class EngineSide {
 public:
  explicit EngineSide(const TlsServer& server, std::size_t block_size = 4096)
      : pool(block_size), engine(server.make_engine(pool)) {
    engine->start();
  }
  EngineSide(const TlsClient& client, std::string_view host, std::size_t block_size = 4096)
      : pool(block_size), engine(client.make_engine(pool, host, 443)) {
    engine->start();
  }

  void feed(std::string_view ciphertext) {
    // Memory of its own, so that a sanitizer sees every byte beside it.
    std::vector<char> memory(ciphertext.begin(), ciphertext.end());
    engine->feed(std::as_writable_bytes(std::span(memory)));
    for (Bytes plain = engine->next(); !plain.empty(); plain = engine->next()) received += as_text(plain);
  }
  std::string take(std::size_t max = all_of_it) {
    std::string taken;
    std::array<IoSlice, 3> slices;
    while (taken.size() < max && engine->output_size() != 0) {
      const std::size_t count = engine->gather(slices);
      const std::size_t before = taken.size();
      for (const IoSlice& slice : std::span(slices).first(count)) {
        taken.append(static_cast<const char*>(slice.base), std::min(slice.size, max - taken.size()));
      }
      engine->consume(taken.size() - before);
    }
    return taken;
  }
  std::size_t seal(std::string_view plaintext) {
    std::string copy(plaintext);
    const IoSlice slice{copy.data(), copy.size()};
    return engine->seal({&slice, 1});
  }
  bool established() const { return engine->established(); }

  testing::TestPool pool;
  std::unique_ptr<TlsEngine> engine;
  std::string received;
};

// What one has said to the other, `size` bytes at a time; how much that was.
inline std::size_t pass(EngineSide& from, EngineSide& to, std::size_t size = all_of_it) {
  const std::string bytes = from.take();
  for (std::size_t at = 0; at < bytes.size(); at += std::min(size, bytes.size() - at)) {
    to.feed(std::string_view(bytes).substr(at, size));
  }
  return bytes.size();
}

// To and fro until nothing is left to say.
inline void converse(EngineSide& one, EngineSide& other, std::size_t size = all_of_it) {
  while (pass(one, other, size) + pass(other, one, size) != 0) continue;
}

}  // namespace sansock::test
