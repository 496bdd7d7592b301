// The end of a server: graceful, bounded, from anywhere.
#include <csignal>

#include "server_fixture.h"

namespace sansock::test {
namespace {

class Stop : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, Stop, every_place, place_name);

TEST_P(Stop, ClosesEveryPeerWith1001) {
  ServerOptions two = options();
  two.threads = 2;
  make(two);
  Route route = echo();
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::to_string(static_cast<int>(status.sent)) + (status.clean ? " clean" : " unclean"));
  };
  server().route("/", route);
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(connect());
  for (Client& client : clients) EXPECT_EQ(echoed(client, "x"), "x");
  const Address at = address();
  server().stop();
  server().stop();
  for (Client& client : clients) {
    EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
    EXPECT_EQ(client.close_status().received, CloseCode::going_away);
    EXPECT_TRUE(client.close_status().clean);
  }
  server().join();
  EXPECT_EQ(log_.count("1001 clean"), 6u);
  EXPECT_EQ(server().connections(), 0u);
  RawClient late(at);
  EXPECT_TRUE(late.error());
  server().broadcast(MessageType::text, as_bytes("nobody"));  // and no harm done
  server().for_each([](Peer&) { FAIL(); });
}

// A peer that never answers, one that is still asking and one that is being decided on: bounded.
TEST_P(Stop, IsBounded) {
  ServerOptions quick = options();
  quick.stop_timeout = std::chrono::milliseconds(100);
  make(quick);
  std::atomic<int> asked{0};
  Route route = echo();
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)));
  };
  server().route("/", route);
  server().route("/later", {.on_request = [&asked](Peer&, const Request&) {
                   ++asked;
                   return Decision::later();
                 }});
  start();
  RawClient deaf(address());
  EXPECT_TRUE(deaf.upgrade().starts_with("HTTP/1.1 101"));
  RawClient asking(address());
  asking.send("GET / HT");
  RawClient undecided(address());
  undecided.send(RawClient::request("/later"));
  ASSERT_TRUE(eventually([&] { return asked == 1 && server().counters().accepted == 3; }));
  server().stop();
  server().join();
  EXPECT_EQ(log_.lines(), std::vector<std::string>{"close_timeout"});
  EXPECT_EQ(deaf.read_all(), std::string("\x88\x02\x03\xe9"));
  EXPECT_TRUE(undecided.read_all().starts_with("HTTP/1.1 503 "));
  asking.read_all();
  EXPECT_TRUE(deaf.ended() && undecided.ended() && asking.ended());
  EXPECT_FALSE(undecided.truncated());  // what was refused was refused whole
}

TEST_P(Stop, FromAHandler) {
  make();
  server().route("/", {.on_message = [](Peer& peer, Message) { peer.server().stop(); }});
  start();
  Client client = connect();
  client.send("stop");
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_EQ(client.close_status().received, CloseCode::going_away);
  server().join();
}

TEST_P(Stop, BeforeRunReturnsAtOnce) {
  make();
  server().route("/", echo());
  ASSERT_FALSE(server().listen(listen_options(GetParam().transport)));
  server().stop();
  EXPECT_FALSE(server().run());
}

TEST_P(Stop, DestructorStops) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
  std::thread reader([&client] { EXPECT_FALSE(client.receive(std::chrono::seconds(20))); });
  server_.reset();
  reader.join();
  EXPECT_EQ(client.close_status().received, CloseCode::going_away);
}

TEST_P(Stop, AcceptingStopsAndPeersLiveOn) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
  const Address at = address();
  server().stop_accepting();
  ASSERT_TRUE(eventually([&at] { return bool(RawClient(at).error()); }));
  EXPECT_EQ(echoed(client, "y"), "y");
}

Server* signalled = nullptr;

TEST_P(Stop, FromASignalHandler) {
  make();
  server().route("/", echo());
  ASSERT_FALSE(server().listen(listen_options(GetParam().transport)));
  signalled = server_.get();
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) { signalled->stop(); };
  sigaction(SIGUSR1, &action, &old);
  std::error_code result = errc::aborted;
  std::thread runner([this, &result] { result = server().run(); });
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
  pthread_kill(runner.native_handle(), SIGUSR1);
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  runner.join();
  sigaction(SIGUSR1, &old, nullptr);
  EXPECT_FALSE(result) << result.message();
  EXPECT_EQ(client.close_status().received, CloseCode::going_away);
}

class StopUnix : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, StopUnix, testing::ValuesIn(places({Transport::unix_path})), place_name);

TEST_P(StopUnix, SocketFileIsRemoved) {
  make();
  server().route("/", echo());
  start();
  const std::string path = address().host;
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  server_.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sansock::test
