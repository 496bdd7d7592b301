// Row C15 of the list of attacks: many who begin and do not go on.
#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

class AttacksHalfOpen : public TlsServerTest {
 protected:
  static constexpr unsigned connections_max = 30;

  // As far into its handshake as `stage` says.
  std::unique_ptr<RawTlsClient> begin(int stage) {
    auto client = std::make_unique<RawTlsClient>(address());
    client->peer.handshake();
    const std::string hello = client->peer.take();
    if (stage == 1) client->raw.send(std::string_view(hello).substr(0, 3));
    if (stage == 2) client->raw.send(std::string_view(hello).substr(0, hello.size() / 2));
    if (stage == 3) client->raw.send(hello);
    return client;
  }
};
INSTANTIATE_TEST_SUITE_P(Places, AttacksHalfOpen, every_adapter, place_name);

TEST_P(AttacksHalfOpen, C15TheDeadlineEndsThemAndOthersLive) {
  ServerOptions bounded = options();
  bounded.handshake_timeout = std::chrono::milliseconds(200);
  bounded.connections_max = connections_max;
  make(bounded);
  Route route = echo();
  server().route("/", route);
  start_tls();
  Client live = connect_tls();
  EXPECT_EQ(echoed(live, "before"), "before");
  std::vector<std::unique_ptr<RawTlsClient>> flood;
  for (int i = 0; i < 3 * static_cast<int>(connections_max); ++i) {
    flood.push_back(begin(i % 4));
    EXPECT_LE(server().connections(), connections_max);
    EXPECT_EQ(echoed(live, "x"), "x");
  }
  for (auto& client : flood) {
    while (!client->ended()) {
      client->raw.read_all();
      EXPECT_EQ(echoed(live, "y"), "y");
      EXPECT_LE(server().connections(), connections_max);
    }
  }
  EXPECT_TRUE(eventually([this] { return server().connections() == 1; }));
  EXPECT_EQ(server().counters().opened, 1u);
  EXPECT_EQ(server().counters().accepted, flood.size() + 1);
  expect_alive();
  EXPECT_EQ(echoed(live, "after"), "after");
}

// One byte now and then does not move the deadline.
TEST_P(AttacksHalfOpen, C15ADripDoesNotMoveTheDeadline) {
  ServerOptions bounded = options();
  bounded.handshake_timeout = std::chrono::milliseconds(200);
  make(bounded);
  server().route("/", echo());
  start_tls();
  RawTlsClient drip(address());
  drip.peer.handshake();
  const std::string hello = drip.peer.take();
  std::size_t sent = 0;
  EXPECT_TRUE(eventually([&] {
    if (sent + 1 < hello.size()) drip.raw.send(std::string_view(hello).substr(sent++, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return server().counters().closed == 1;
  }));
}

}  // namespace
}  // namespace sansock::test
