// Server and Client over TLS.
#include "tls_server_fixture.h"

#include "temporary_directory.h"

namespace sansock::test {
namespace {

class TlsServe : public TlsServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, TlsServe, every_adapter_tcp, place_name);

TEST_P(TlsServe, EchoesAndTellsWhatWasAgreedOn) {
  make();
  Route route = echo();
  route.on_request = [this](Peer& peer, const Request&) {
    const auto status = peer.tls();
    log_.add(status && status->established ? std::string(name(status->version)) : "no TLS");
    return Decision::accept();
  };
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(status.clean ? "clean" : std::string(name(status.cause)));
  };
  server().route("/", route);
  start_tls();
  Client client = connect_tls();
  const auto status = client.tls();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->established);
  EXPECT_EQ(status->version, TlsVersion::tls_1_3);
  EXPECT_TRUE(status->cipher_suite.starts_with("TLS_")) << status->cipher_suite;
  EXPECT_EQ(status->application_protocol, "http/1.1");
  EXPECT_EQ(status->server_name, "");
  EXPECT_FALSE(status->resumed);
  ASSERT_TRUE(status->peer);
  EXPECT_EQ(status->peer->subject, "CN=server");
  EXPECT_EQ(echoed(client, "hello"), "hello");
  for (const std::size_t size : {0u, 1u, 16'384u, 65'536u, 1'000'000u}) {
    const std::string text(size, 't');
    EXPECT_TRUE(echoed(client, text) == text) << size;
  }
  EXPECT_FALSE(client.close());
  EXPECT_TRUE(client.close_status().clean);
  EXPECT_FALSE(client.tls());
  EXPECT_TRUE(eventually([this] { return log_.lines().size() == 2; }));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"TLS 1.3", "clean"}));
}

TEST_P(TlsServe, CarriesManyMessagesBothWays) {
  make();
  server().route("/", echo());
  start_tls();
  Client client = connect_tls();
  int received = 0;
  const auto receive = [&] {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    ASSERT_TRUE(message->text().starts_with(std::to_string(received) + " "));
    ++received;
  };
  for (int i = 0; i < 3000; ++i) {
    std::string text = std::to_string(i) + " ";
    text.resize(static_cast<std::size_t>(i * 37 % 5000 + 10), 'm');
    ASSERT_FALSE(client.send(text));
    if (i >= 100) receive();
  }
  while (received < 3000 && !HasFailure()) receive();
}

class TlsServer_ : public TlsServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, TlsServer_, every_adapter, place_name);

TEST_P(TlsServer_, AnswersPlainHttpReadably) {
  make();
  server().route("/", echo());
  start_tls();
  RawClient raw(address());
  raw.send(RawClient::request());
  const std::string answer = raw.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  EXPECT_NE(answer.find(describe(errc::tls_plain_http)), std::string::npos);
  EXPECT_TRUE(raw.ended());
  Client client(client_options());
  EXPECT_EQ(client.connect(url()), errc::status_unexpected);
  EXPECT_EQ(client.response().status, 400);
  expect_alive();
}

TEST_P(TlsServer_, IsToldFromAPlainOne) {
  make();
  server().route("/", echo());
  start();
  Client client(tls_client_options());
  EXPECT_EQ(client.connect(tls_url()), errc::tls_not_spoken);
  Client plain = connect();
  EXPECT_EQ(echoed(plain, "alive"), "alive");
}

TEST_P(TlsServer_, RefusesOlderVersions) {
  make();
  server().route("/", echo());
  TlsServerOptions newest = server_tls_options();
  newest.version_min = TlsVersion::tls_1_3;
  start_tls(newest);
  RawTlsClient old(address(), {.version_max = TLS1_2_VERSION});
  EXPECT_FALSE(old.handshake());
  EXPECT_EQ(old.peer.alert(), SSL_AD_PROTOCOL_VERSION);
  expect_alive();
}

TEST_P(TlsServer_, SpeaksTls12) {
  make();
  Route route = echo();
  route.on_open = [this](Peer& peer) { log_.add(std::string(name(peer.tls()->version))); };
  server().route("/", route);
  start_tls();
  RawTlsClient raw(address(), {.version_max = TLS1_2_VERSION});
  ASSERT_TRUE(raw.handshake());
  EXPECT_TRUE(raw.upgrade().starts_with("HTTP/1.1 101 "));
  raw.send(RawClient::frame(1, "hello"));
  EXPECT_EQ(raw.read_size(7), std::string("\x81\x05hello"));
  EXPECT_TRUE(log_.has("TLS 1.2"));
  RawTlsClient older(address(),
                     {.version_min = TLS1_VERSION,
                      .version_max = TLS1_1_VERSION,
                      .prepare = [](SSL_CTX* context) { SSL_CTX_set_cipher_list(context, "ALL"); }});
  EXPECT_FALSE(older.handshake());
  EXPECT_EQ(older.peer.alert(), SSL_AD_PROTOCOL_VERSION);
}

TEST_P(TlsServer_, NegotiatesTheApplicationProtocol) {
  make();
  server().route("/", echo());
  TlsServerOptions two = server_tls_options();
  two.application_protocols = {"second", "http/1.1"};
  start_tls(two);
  RawTlsClient none(address(), {.application_protocols = {}});
  EXPECT_TRUE(none.handshake());
  EXPECT_TRUE(none.upgrade().starts_with("HTTP/1.1 101 "));
  RawTlsClient both(address(), {.application_protocols = {"http/1.1", "second"}});
  EXPECT_TRUE(both.handshake());
  const std::uint8_t* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(both.peer.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(chosen, chosen + size), "second");  // the server's order
  ClientOptions other = tls_client_options();
  other.tls.application_protocols = {"h2"};
  Client client(other);
  EXPECT_EQ(client.connect(tls_url()), errc::tls_protocol_unsupported);
  expect_alive();
}

TEST_P(TlsServer_, OriginsAreHttps) {
  make();
  server().route("/", echo());
  start_tls();
  ClientOptions options = tls_client_options();
  options.origin = "https://" + address().text();
  Client same = connect_tls(options);
  EXPECT_EQ(echoed(same, "x"), "x");
  options.origin = "http://" + address().text();
  Client plain(options);
  EXPECT_EQ(plain.connect(tls_url()), errc::status_unexpected);
  EXPECT_EQ(plain.response().status, 403);
  options.origin = "https://elsewhere.test";
  Client elsewhere(options);
  EXPECT_EQ(elsewhere.connect(tls_url()), errc::status_unexpected);
  EXPECT_EQ(elsewhere.response().status, 403);
}

TEST_P(TlsServer_, ServesPages) {
  make();
  const std::string body(200'000, 'b');
  server().page("/", [&body](const Request&) { return Page{.body = body}; });
  start_tls();
  for (const std::uint16_t version : both_versions) {
    RawTlsClient raw(address(), {.version_max = version});
    ASSERT_TRUE(raw.handshake());
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = raw.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
    EXPECT_TRUE(raw.peer.peer_closed());  // the end of the page is not somebody else's
  }
  server_.reset();  // before what its handlers refer to
}

TEST_P(TlsServer_, GivesItsOcspAnswerToThoseWhoAsk) {
  make();
  server().route("/", echo());
  const TemporaryDirectory files;
  TlsServerOptions options = server_tls_options();
  options.certificates[0].ocsp_file = files.write("ocsp.der", "an answer of the authority");
  start_tls(options);
  for (const std::uint16_t version : both_versions) {
    for (const bool asks : {true, false}) {
      RawTlsClient raw(address(), {.version_max = version, .prepare = [asks](SSL_CTX* context) {
                                     if (asks) SSL_CTX_enable_ocsp_stapling(context);
                                   }});
      ASSERT_TRUE(raw.handshake());
      const std::uint8_t* answer = nullptr;
      std::size_t size = 0;
      SSL_get0_ocsp_response(raw.peer.ssl(), &answer, &size);
      EXPECT_EQ(std::string(answer, answer + size), asks ? "an answer of the authority" : "");
    }
  }
}

TEST_P(TlsServer_, BroadcastsToPlainAndSecurePeers) {
  make();
  server().route("/", echo());
  tls_ = make_tls_server();
  ASSERT_FALSE(server().listen({}));
  ASSERT_FALSE(server().listen({.tls = tls_}));
  ASSERT_FALSE(server().start());
  const std::string plain_url = "ws://" + server().addresses().at(0).text() + "/";
  const std::string secure_url = "wss://" + server().addresses().at(1).text() + "/";
  std::vector<Client> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back(tls_client_options());
    const auto error = clients.back().connect(i % 2 == 0 ? plain_url : secure_url);
    ASSERT_FALSE(error) << error.message();
    EXPECT_EQ(echoed(clients.back(), "here"), "here");
    EXPECT_EQ(clients.back().tls().has_value(), i % 2 == 1);
  }
  const std::string news(50'000, 'n');
  server().broadcast(MessageType::text, as_bytes(news));
  for (Client& client : clients) {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->text() == news);
  }
  EXPECT_EQ(server().counters().frames_encoded, 1u);
  // A plain connection is none to the other place, and the other way round.
  Client wrong(tls_client_options());
  EXPECT_EQ(wrong.connect("wss://" + server().addresses().at(0).text() + "/"), errc::tls_not_spoken);
  EXPECT_EQ(wrong.connect("ws://" + server().addresses().at(1).text() + "/"), errc::status_unexpected);
}

TEST_P(TlsServer_, GivesBorrowedMemoryBack) {
  make();
  std::string borrowed(3u << 20, 'b');
  server().route("/", {.on_open =
                           [&](Peer& peer) {
                             EXPECT_FALSE(peer.send_borrowed(
                                 MessageType::binary, std::as_writable_bytes(std::span(borrowed)), 77));
                             peer.send("behind");
                           },
                       .on_sent =
                           [this](Peer&, std::uint64_t token, bool complete) {
                             log_.add("sent " + std::to_string(token) + (complete ? " whole" : " cut"));
                           }});
  start_tls();
  Client client = connect_tls();
  EXPECT_TRUE(client.receive(std::chrono::seconds(20))->text() == std::string(3u << 20, 'b'));
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "behind");
  EXPECT_TRUE(eventually([this] { return log_.has("sent 77 whole"); }));
  {
    RawTlsClient gone(address());
    ASSERT_TRUE(gone.handshake());
    gone.upgrade();
  }
  EXPECT_TRUE(eventually([this] { return log_.has("sent 77 cut") || log_.count("sent 77 whole") == 2; }));
  server_.reset();  // before what its handlers refer to
}

TEST_P(TlsServer_, KnowsATruncatedConnection) {
  make();
  Route route = echo();
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)) + (status.clean ? " clean" : ""));
  };
  server().route("/", route);
  start_tls();
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  raw.raw.finish();
  EXPECT_TRUE(eventually([this] { return log_.has("tls_truncated"); }));
  raw.read_all();
  EXPECT_TRUE(raw.ended());
  RawTlsClient broken(address());
  ASSERT_TRUE(broken.handshake());
  broken.upgrade();
  broken.raw.send("this is no record, and never was");
  EXPECT_TRUE(eventually([this] { return log_.has("tls_record_invalid"); }));
  broken.read_all();
  EXPECT_NE(broken.peer.alert(), -1);  // it came through, and was not overtaken by a reset
  expect_alive();
}

TEST_P(TlsServer_, LosesNothingInAPause) {
  make();
  PeerId id;
  std::atomic<bool> paused{false};
  server().route("/", {.on_message = [&](Peer& peer, Message message) {
                   log_.add(std::string(message.text()));
                   if (message.text() != "stop") return;
                   peer.pause();
                   id = peer.id();
                   paused = true;
                 }});
  start_tls();
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  std::string bytes;
  for (const char* text : {"first", "stop", "second", "third"}) bytes += RawClient::frame(1, text);
  raw.send(bytes);
  EXPECT_TRUE(eventually([&] { return paused.load(); }));
  raw.send(RawClient::frame(1, "fourth"));
  raw.send(RawClient::frame(8, "\x03\xe8"));
  raw.peer.close();
  raw.flush();
  raw.raw.finish();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"first", "stop"}));
  server().post(id, [](Peer& peer) { peer.resume(); });
  EXPECT_TRUE(eventually([this] { return log_.lines().size() == 5; }));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"first", "stop", "second", "third", "fourth"}));
  EXPECT_EQ(raw.read_all(), std::string("\x88\x02\x03\xe8", 4));
  EXPECT_TRUE(raw.peer.peer_closed());
  server_.reset();  // before what its handlers refer to
}

TEST_P(TlsServer_, StopsDuringHandshakes) {
  ServerOptions bounded = options();
  bounded.stop_timeout = std::chrono::milliseconds(200);
  make(bounded);
  server().route("/", echo());
  start_tls();
  std::vector<std::unique_ptr<RawTlsClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<RawTlsClient>(address()));
    RawTlsClient& client = *clients.back();
    if (i % 4 == 3) {
      EXPECT_TRUE(client.handshake());
      continue;
    }
    client.peer.handshake();
    const std::string hello = client.peer.take();
    if (i % 4 == 1) client.raw.send(std::string_view(hello).substr(0, hello.size() / 2));
    if (i % 4 == 2) {
      client.raw.send(hello);
      client.raw.read_size(1);
    }
  }
  EXPECT_TRUE(eventually([this] { return server().connections() == 12; }));
  server().stop();
  server().join();
  EXPECT_EQ(server().connections(), 0u);
  for (auto& client : clients) {
    client->raw.read_all();
    EXPECT_TRUE(client->ended());
  }
}

TEST_P(TlsServer_, WithoutCertificatesServesNobody) {
  make();
  server().route("/", echo());
  ListenOptions where;
  where.tls = std::make_shared<TlsServer>();  // load() was forgotten
  ASSERT_FALSE(server().listen(where));
  ASSERT_FALSE(server().start());
  RawClient raw(address());
  raw.send(RawClient::request());
  EXPECT_EQ(raw.read_all(), "");  // above all, not over a plain connection
  EXPECT_TRUE(raw.ended());
}

}  // namespace
}  // namespace sansock::test
