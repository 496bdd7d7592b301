// What a Server does for well-behaved clients, everywhere.
#include "server_fixture.h"

namespace sansock::test {
namespace {

class Server_ : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, Server_, every_place, place_name);

TEST_P(Server_, EchoesEverySize) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 300'000u, 5'000'000u}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 23);
    ASSERT_FALSE(client.send(MessageType::binary, as_bytes(payload)));
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message) << size;
    EXPECT_EQ(message->type, MessageType::binary);
    EXPECT_TRUE(message->text() == payload) << size;
  }
  EXPECT_EQ(echoed(client, "grüße"), "grüße");
  EXPECT_FALSE(client.close());
}

TEST_P(Server_, ManyMessagesInFlightStayInOrder) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  constexpr int count = 3000;
  for (int i = 0; i < count; ++i) ASSERT_FALSE(client.send(std::to_string(i)));
  for (int i = 0; i < count; ++i) {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    ASSERT_EQ(message->text(), std::to_string(i));
  }
}

TEST_P(Server_, PeerKnowsItsRequest) {
  make();
  server().route("/room/*", {.on_request =
                                 [this](Peer& peer, const Request& request) {
                                   peer.data() = std::string(request.query());
                                   log_.add(std::string(request.target()));
                                   log_.add(std::string(request.header("X-Token").value_or("none")));
                                   return Decision::accept({}, {{"X-Answer", "42"}});
                                 },
                             .on_open =
                                 [this](Peer& peer) {
                                   log_.add(std::string(peer.request()->path()));
                                   log_.add(*peer.data_as<std::string>());
                                   log_.add(peer.route_path());
                                   log_.add(std::string(peer.subprotocol()));
                                   log_.add(&peer.server() == server_.get() ? "same" : "other");
                                   const Address remote = peer.remote_address();
                                   log_.add(remote.family == address().family ? "family" : remote.text());
                                 },
                             .on_message =
                                 [this](Peer& peer, Message) {
                                   log_.add(peer.request() == nullptr ? "gone" : "still there");
                                   peer.send("done");
                                 },
                             .subprotocols = {"alpha", "beta"}});
  start();
  ClientOptions with = client_options();
  with.headers = {{"X-Token", "secret"}};
  with.subprotocols = {"gamma", "beta", "alpha"};
  Client client(with);
  ASSERT_FALSE(client.connect(url("/room/7?user=me")));
  EXPECT_EQ(client.subprotocol(), "beta");
  EXPECT_EQ(client.response().header("x-answer"), "42");
  EXPECT_EQ(client.response().status, 101);
  EXPECT_EQ(echoed(client, "x"), "done");
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"/room/7?user=me", "secret", "/room/7", "user=me",
                                                    "/room/*", "beta", "same", "family", "gone"}));
}

// H10: frames in the same segment as the request are delivered once, in order.
TEST_P(Server_, H10FramesBehindTheRequest) {
  make();
  server().route("/", echo());
  start();
  RawClient raw(address());
  ASSERT_FALSE(raw.error());
  raw.send(RawClient::request() + RawClient::frame(1, "one") + RawClient::frame(1, "two"));
  raw.read_until("two");
  EXPECT_TRUE(raw.read_until("two").ends_with(std::string("\x81\x03one\x81\x03two")));
}

TEST_P(Server_, CountsAndClosesOnce) {
  make();
  server().route("/", {.on_close = [this](Peer& peer, const CloseStatus& status, std::string_view reason) {
                   log_.add("close " + std::to_string(static_cast<int>(status.received)) + " " +
                            std::string(reason) + " " + std::to_string(status.clean) + " " +
                            (peer.state() == ReadyState::closed ? "closed" : "not"));
                 }});
  start();
  Client client = connect();
  EXPECT_FALSE(client.close(CloseCode{4321}, "bye now"));
  ASSERT_TRUE(eventually([this] { return server().counters().closed == 1; }));
  EXPECT_EQ(log_.lines(), std::vector<std::string>{"close 4321 bye now 1 closed"});
  const Server::Counters counters = server().counters();
  EXPECT_EQ(counters.accepted, 1u);
  EXPECT_EQ(counters.opened, 1u);
  EXPECT_EQ(counters.refused, 0u);
  EXPECT_EQ(server().connections(), 0u);
}

TEST_P(Server_, ListensAtSeveralPlaces) {
  make();
  server().route("/", echo());
  ASSERT_FALSE(server().listen({.host = "127.0.0.1"}));
  ASSERT_FALSE(server().listen({.host = "::1"}));
  ASSERT_FALSE(server().listen({.unix_path = unique_path()}));
  start();
  ASSERT_EQ(server().addresses().size(), 4u);
  EXPECT_NE(server().port(), 0);
  for (const Address& at : server().addresses()) {
    const bool started = at == server().addresses().back();  // that one alone is of this place
    RawClient raw({at, started ? address().tls : nullptr});
    ASSERT_FALSE(raw.error()) << at.text();
    EXPECT_TRUE(raw.upgrade().starts_with("HTTP/1.1 101 ")) << at.text();
  }
}

TEST_P(Server_, ThreeThreads) {
  ServerOptions three = options();
  three.threads = 3;
  make(three);
  server().route("/", echo());
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 24; ++i) clients.push_back(connect());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(echoed(clients[i], std::to_string(i)), std::to_string(i));
  }
  EXPECT_EQ(server().connections(), 24u);
}

// A slot serves one peer after the other; what one of them leaves in it must not be the next one's.
TEST_P(Server_, DataIsOfOnePeerAndGoesWithIt) {
  make();
  std::atomic<int> clean{0};
  const auto kept = std::make_shared<int>(0);
  server().route("/", {.on_open =
                           [&](Peer& peer) {
                             if (peer.data_as<std::shared_ptr<int>>() == nullptr) ++clean;
                             peer.data() = kept;
                           },
                       .on_message =
                           [](Peer& peer, Message message) {
                             peer.data().emplace<std::string>(message.text());
                             if (peer.data_as<int>() == nullptr) peer.send(*peer.data_as<std::string>());
                           }});
  start();
  constexpr int rounds = 3;
  constexpr int clients_at_once = 70;  // the tables that it lies in have chunks of 64
  for (int round = 1; round <= rounds; ++round) {
    std::vector<Client> clients;
    for (int i = 0; i < clients_at_once; ++i) clients.push_back(connect());
    ASSERT_TRUE(eventually([&] { return clean == round * clients_at_once; }));
    for (int i = 0; i < 7; ++i) {
      EXPECT_EQ(echoed(clients[static_cast<std::size_t>(i)], std::to_string(i)), std::to_string(i));
    }
    EXPECT_EQ(kept.use_count(), 1 + clients_at_once - 7);
    clients.clear();
    ASSERT_TRUE(eventually([&] { return server().connections() == 0 && kept.use_count() == 1; }));
  }
}

// C15: caps. Further connections wait in the backlog and are served when there is room.
TEST_P(Server_, ConnectionsOverTheLimitWait) {
  ServerOptions two = options();
  two.connections_max = 2;
  make(two);
  server().route("/", echo());
  start();
  Client first = connect();
  Client second = connect();
  std::atomic<bool> answered{false};
  std::thread third([this, &answered] {  // over TLS it waits already for the handshake
    RawClient raw(address());
    ASSERT_FALSE(raw.error());
    EXPECT_TRUE(raw.upgrade().starts_with("HTTP/1.1 101 "));
    answered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(echoed(first, "a"), "a");
  EXPECT_EQ(server().counters().accepted, 2u);
  EXPECT_FALSE(answered);
  EXPECT_FALSE(second.close());
  third.join();
}

TEST_P(Server_, PostReachesAPeerUntilItIsGone) {
  make();
  std::atomic<bool> known{false};
  PeerId id;
  server().route("/", {.on_open = [&](Peer& peer) {
                   id = peer.id();
                   known = true;
                 }});
  start();
  Client other = connect();
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  known = false;
  Client client = connect();
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  server().post(id, [](Peer& peer) { peer.send("posted"); });
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "posted");
  EXPECT_FALSE(client.close());
  ASSERT_TRUE(eventually([this] { return server().counters().closed == 1; }));
  std::atomic<int> ran{0};
  server().post(id, [&](Peer&) { ++ran; });
  server().post({.thread = 99, .slot = 1, .serial = 1}, [&](Peer&) { ++ran; });
  server().for_each([&](Peer& peer) { peer.send("all"); });
  EXPECT_EQ(other.receive(std::chrono::seconds(20))->text(), "all");
  EXPECT_EQ(ran, 0);
  server_.reset();  // before what its handlers refer to
}

// A message that is collected out of many runs, and one that the thread's memory does not hold.
TEST_P(Server_, MessageMemoryIsBounded) {
  ServerOptions small = options();
  small.message_memory_max = 256u << 10;
  make(small);
  Route route = echo();
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)));
  };
  server().route("/", route);
  start();
  Client client = connect();
  Client other = connect();
  EXPECT_EQ(echoed(client, std::string(100'000, 'x')).size(), 100'000u);
  // In two frames, so that no read can hold it whole.
  const std::string half(400'000, 'y');
  client.send_part(MessageType::text, as_bytes(half), false);
  client.send_part(MessageType::text, as_bytes(half), true);
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_EQ(client.close_status().received, close_code_for(errc::memory_exhausted));
  EXPECT_TRUE(eventually([this] { return log_.has("memory_exhausted"); }));
  EXPECT_EQ(echoed(other, "alive"), "alive");
}

}  // namespace
}  // namespace sansock::test
