// Calls that can not succeed: each has its error, and the server goes on.
#include "server_fixture.h"

namespace sansock::test {
namespace {

class Misuse : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, Misuse, every_place, place_name);

TEST_P(Misuse, RunWithoutListen) {
  make();
  server().route("/", echo());
  EXPECT_EQ(server().run(), std::errc::destination_address_required);
  start();
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
}

TEST_P(Misuse, StartTwice) {
  make();
  server().route("/", echo());
  start();
  EXPECT_EQ(server().start(), std::errc::operation_in_progress);
  EXPECT_EQ(server().run(), std::errc::operation_in_progress);
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
}

TEST_P(Misuse, PlaceThatIsTaken) {
  make();
  server().route("/", echo());
  start();
  Server second(options());
  ListenOptions same{.host = address().host, .port = address().port};
  if (GetParam().transport == Transport::unix_path) same = {.unix_path = address().host};
  EXPECT_EQ(second.listen(same), std::errc::address_in_use);
  EXPECT_TRUE(second.addresses().empty());
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
}

TEST_P(Misuse, HostThatIsNone) {
  make();
  EXPECT_TRUE(server().listen({.host = "256.256.256.256"}));
  EXPECT_TRUE(server().listen({.unix_path = std::string(300, 'x')}));
}

TEST_P(Misuse, ContradictingLimits) {
  make();
  Route route = echo();
  route.limits.head_bytes_max = 65535;
  route.limits.refusal_body_max = 65535;
  route.limits.output_bytes_max = 1;
  server().route("/", route);
  ASSERT_FALSE(server().listen(listen_options(GetParam().transport)));
  EXPECT_EQ(server().run(), errc::config_invalid);
}

TEST_P(Misuse, CommandsOfAPeer) {
  make();
  server().route("/", {.on_open = [this](Peer& peer) {
                   EXPECT_EQ(peer.decide(Decision::accept()), errc::already_answered);
                   EXPECT_EQ(peer.ping(as_bytes(std::string(126, 'x'))), errc::control_payload_too_long);
                   EXPECT_EQ(peer.close(CloseCode{1005}, "with a reason"), errc::close_reason_too_long);
                   EXPECT_EQ(peer.close(CloseCode{999}), errc::close_code_not_sendable);
                   EXPECT_EQ(peer.close(CloseCode::normal, std::string(124, 'x')),
                             errc::close_reason_too_long);
                   EXPECT_EQ(peer.send(MessageType::binary, as_bytes(std::string(40'000'000, 'x'))),
                             errc::message_over_limit);
                   EXPECT_EQ(peer.state(), ReadyState::open);
                   EXPECT_FALSE(peer.close(CloseCode::normal, "now"));
                   EXPECT_EQ(peer.close(), errc::already_closing);
                   EXPECT_EQ(peer.send("x"), errc::already_closing);
                   log_.add("tried");
                 }});
  start();
  Client client = connect();
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_EQ(client.close_reason(), "now");
  EXPECT_TRUE(log_.has("tried"));
}

}  // namespace
}  // namespace sansock::test
