// Which payload loops Server and Client use: the given ones, those of the environment, the best.
#include "sansock/kernels_choice.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "server_fixture.h"

namespace sansock::test {
namespace {

// SANSOCK_SIMD for a while, or without it (nullptr); whoever runs the tests may have set it.
class Environment {
 public:
  explicit Environment(const char* value) {
    if (const char* const former = std::getenv(name)) former_ = former;
    set(value);
  }
  ~Environment() { set(former_ ? former_->c_str() : nullptr); }

 private:
  static constexpr const char* name = "SANSOCK_SIMD";
  static void set(const char* value) { value == nullptr ? unsetenv(name) : setenv(name, value, 1); }

  std::optional<std::string> former_;
};

class KernelsChoice : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, KernelsChoice, every_adapter, place_name);

TEST_P(KernelsChoice, EachEchoesEveryMix) {
  std::string text;
  while (text.size() < 100'000) text += "plain, \u00e9, \u20ac and \U0001F600; ";
  for (std::size_t i = 0; const Kernels* const kernels = kernels_at(i); ++i) {
    ServerOptions options;
    options.adapter = GetParam().adapter;
    options.kernels = kernels;
    Server server(options);
    server.route("/", echo());
    ASSERT_FALSE(server.listen({.host = "127.0.0.1", .port = 0}));
    ASSERT_FALSE(server.start());
    ClientOptions given;
    given.kernels = kernels;
    Client client(given);
    ASSERT_FALSE(client.connect("ws://127.0.0.1:" + std::to_string(server.port()) + "/"));
    for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 1000u}) {
      const std::string part = text.substr(0, size);
      if (!utf8_is_valid(as_bytes(part))) continue;
      EXPECT_EQ(echoed(client, part), part) << kernels->name;
    }
    EXPECT_EQ(echoed(client, text), text) << kernels->name;
    EXPECT_FALSE(client.close());
    server.stop();
    server.join();
  }
}

TEST(KernelsFromEnvironment, NamesThem) {
  {
    const Environment none(nullptr);
    EXPECT_EQ(kernels_from_environment(), &best_kernels());
  }
  {
    const Environment empty("");
    EXPECT_EQ(kernels_from_environment(), &best_kernels());
  }
  {
    const Environment scalar("Scalar");
    EXPECT_EQ(kernels_from_environment(), &scalar_kernels());
  }
}

TEST(KernelsFromEnvironment, AWrongNameIsAnError) {
  const Environment wrong("abacus");
  EXPECT_EQ(kernels_from_environment(), nullptr);
  Server server;
  ASSERT_FALSE(server.listen({.host = "127.0.0.1", .port = 0}));
  EXPECT_EQ(server.run(), errc::config_invalid);
  ServerOptions options;
  options.kernels = &scalar_kernels();
  Server other(options);
  ASSERT_FALSE(other.listen({.host = "127.0.0.1", .port = 0}));
  ASSERT_FALSE(other.start());
  Client client;
  EXPECT_EQ(client.connect("ws://127.0.0.1:" + std::to_string(other.port()) + "/"), errc::config_invalid);
  other.stop();
  other.join();
}

}  // namespace
}  // namespace sansock::test
