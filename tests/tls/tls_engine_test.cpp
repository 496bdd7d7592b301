// TlsEngine of BoringSSL: records in every shape, in memory.
#include "engine_side.h"
#include "record_forge.h"
#include "tls_peer.h"

namespace sansock::test {
namespace {

constexpr std::size_t record_overhead = 22;  // TLS 1.3: header, content type, tag
constexpr std::size_t record_max = 16384;

class TlsEngine_ : public ::testing::Test {
 protected:
  // A server, and a peer that has completed its handshake with it.
  void join(EngineSide& side, TlsPeer& peer) {
    for (int i = 0; i < 4; ++i) {
      peer.handshake();
      side.feed(peer.take());
      peer.put(side.take());
    }
    peer.read();  // tickets
    ASSERT_TRUE(side.established());
    ASSERT_TRUE(peer.established());
  }

  std::shared_ptr<TlsServer> server_tls_ = make_tls_server();
  std::shared_ptr<TlsClient> client_tls_ = make_tls_client();
};

TEST_F(TlsEngine_, ShakesHandsWholeAndByteByByte) {
  for (const std::size_t size : {all_of_it, std::size_t{1}, std::size_t{7}}) {
    EngineSide server(*server_tls_);
    EngineSide client(*client_tls_, "localhost");
    converse(client, server, size);
    ASSERT_TRUE(client.established() && server.established()) << size;
    const TlsStatus status = client.engine->status();
    EXPECT_EQ(status.version, TlsVersion::tls_1_3);
    EXPECT_EQ(status.application_protocol, "http/1.1");
    EXPECT_EQ(status.server_name, "localhost");
    ASSERT_TRUE(status.peer);
    EXPECT_EQ(status.peer->subject, "CN=server");
    EXPECT_EQ(server.engine->status().server_name, "localhost");
    EXPECT_FALSE(server.engine->status().peer);
    EXPECT_EQ(client.seal("to the server"), 13u);
    EXPECT_EQ(server.seal("to the client"), 13u);
    converse(client, server, size);
    EXPECT_EQ(server.received, "to the server");
    EXPECT_EQ(client.received, "to the client");
  }
}

// Each flight is cut in two, at the same place in all of them.
TEST_F(TlsEngine_, ShakesHandsAtEveryCut) {
  std::size_t longest = 1;
  TlsClientOptions fresh = client_tls_options();
  fresh.resume = false;
  const auto client_tls = make_tls_client(fresh);
  for (std::size_t cut = 1; cut <= longest; ++cut) {
    EngineSide server(*server_tls_);
    EngineSide client(*client_tls, "localhost");
    for (int flights = 0; flights < 6; ++flights) {
      EngineSide& from = flights % 2 == 0 ? client : server;
      EngineSide& to = flights % 2 == 0 ? server : client;
      const std::string bytes = from.take();
      longest = std::max(longest, bytes.size());
      to.feed(std::string_view(bytes).substr(0, cut));
      if (bytes.size() > cut) to.feed(std::string_view(bytes).substr(cut));
    }
    ASSERT_TRUE(client.established() && server.established()) << cut;
  }
  EXPECT_GT(longest, 400u);
}

TEST_F(TlsEngine_, GivesThePlaintextOfWholeRecordsInPlaceAsOneRun) {
  for (const std::uint16_t version : both_versions) {
    EngineSide server(*server_tls_);
    TlsPeer peer({.version_max = version});
    join(server, peer);
    std::string plain;
    for (const char c : std::string("abcdefgh")) {
      const std::string part(1000, c);
      peer.write(part);
      plain += part;
    }
    std::string ciphertext = peer.take();
    server.engine->feed(std::as_writable_bytes(std::span(ciphertext)));
    const Bytes run = server.engine->next();
    EXPECT_EQ(as_text(run), plain);
    EXPECT_EQ(static_cast<const void*>(run.data()), static_cast<const void*>(ciphertext.data()));
    EXPECT_TRUE(server.engine->next().empty());
  }
}

TEST_F(TlsEngine_, GivesWhatIsWholeBeforeARecordThatIsCut) {
  EngineSide server(*server_tls_);
  TlsPeer peer;
  join(server, peer);
  peer.write("first");
  std::string ciphertext = peer.take();
  peer.write("second");
  const std::string second = peer.take();
  for (std::size_t cut = 1; cut < second.size(); ++cut) {
    // The same bytes can not be fed twice: each has its own connection's keys.
    EngineSide other(*server_tls_);
    TlsPeer its_peer;
    join(other, its_peer);
    its_peer.write("first");
    std::string bytes = its_peer.take();
    its_peer.write("second");
    bytes += its_peer.take();
    const std::size_t at = bytes.size() - second.size() + cut;
    other.feed(std::string_view(bytes).substr(0, at));
    EXPECT_EQ(other.received, "first");
    other.feed(std::string_view(bytes).substr(at));
    ASSERT_EQ(other.received, "firstsecond") << cut;
  }
}

TEST_F(TlsEngine_, TakesRecordsOfOneByte) {
  EngineSide server(*server_tls_);
  TlsPeer peer;
  join(server, peer);
  std::string plain;
  for (int i = 0; i < 5000; ++i) plain += static_cast<char>('a' + i % 26);
  for (const char c : plain) peer.write({&c, 1});
  server.feed(peer.take());
  EXPECT_EQ(server.received, plain);
  for (const char c : plain) peer.write({&c, 1});
  const std::string ciphertext = peer.take();
  for (std::size_t at = 0; at < ciphertext.size(); at += 100)
    server.feed(std::string_view(ciphertext).substr(at, 100));
  EXPECT_EQ(server.received, plain + plain);
}

TEST_F(TlsEngine_, CarriesLongMessagesOverSeveralRecords) {
  for (const std::size_t size :
       {record_max - 1, record_max, record_max + 1, 3 * record_max, 10 * record_max + 5}) {
    EngineSide server(*server_tls_);
    EngineSide client(*client_tls_, "localhost");
    converse(client, server);
    std::string plain(size, '\0');
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<char>(i * 7 >> 3);
    std::string_view left = plain;
    while (!left.empty()) {
      const std::size_t sealed = client.seal(left);
      ASSERT_NE(sealed, 0u);
      EXPECT_LE(sealed, 16 * record_max);  // a flight
      left.remove_prefix(sealed);
      pass(client, server, 5000);
    }
    EXPECT_EQ(server.received, plain) << size;
    EXPECT_EQ(client.pool.live(), 0u);
  }
}

TEST_F(TlsEngine_, TakesEmptyRecordsAndNotManyInARow) {
  for (const std::uint16_t version : both_versions) {
    EngineSide server(*server_tls_);
    TlsPeer peer({.version_max = version});
    join(server, peer);
    RecordForge forge(peer);
    std::string expected;
    for (int i = 0; i < 100; ++i) {
      for (const char* const part : {"", "x", "", "", "y"}) server.feed(forge.data(part));
      expected += "xy";
    }
    EXPECT_EQ(server.received, expected);
    EXPECT_EQ(server.engine->failure(), errc::none);
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += forge.data("");
    server.feed(flood);
    EXPECT_EQ(server.engine->failure(), errc::tls_flood);
  }
}

TEST_F(TlsEngine_, PutsSmallSlicesTogether) {
  EngineSide server(*server_tls_);
  EngineSide client(*client_tls_, "localhost");
  converse(client, server);
  std::vector<std::string> parts;
  std::string whole;
  for (int i = 0; i < 40; ++i) {
    parts.push_back(std::string(100, static_cast<char>('a' + i % 26)));
    whole += parts.back();
  }
  std::vector<IoSlice> slices;
  for (std::string& part : parts) slices.push_back({part.data(), part.size()});
  EXPECT_EQ(client.engine->seal(slices), whole.size());
  EXPECT_EQ(client.engine->output_size(), whole.size() + record_overhead);  // one record
  converse(client, server);
  EXPECT_EQ(server.received, whole);
}

// Small and large ones in every order, with empty ones among them.
TEST_F(TlsEngine_, SealsSlicesOfAllSizes) {
  EngineSide server(*server_tls_);
  EngineSide client(*client_tls_, "localhost");
  converse(client, server);
  const std::array<std::size_t, 6> sizes{0, 1, 100, record_max / 2, record_max, record_max + 1};
  std::string expected;
  for (std::size_t code = 0; code < 6 * 6 * 6 * 6; ++code) {
    std::string memory;
    std::vector<std::size_t> chosen;
    for (std::size_t rest = code, i = 0; i < 4; ++i, rest /= 6) chosen.push_back(sizes[rest % 6]);
    for (const std::size_t size : chosen) memory.append(size, static_cast<char>('a' + memory.size() % 23));
    std::vector<IoSlice> slices;
    std::size_t at = 0;
    for (const std::size_t size : chosen) {
      slices.push_back({memory.data() + at, size});
      at += size;
    }
    const std::size_t sealed = client.engine->seal(slices);
    ASSERT_EQ(sealed == 0, memory.empty()) << code;
    EXPECT_LE(sealed, memory.size());
    pass(client, server);
    ASSERT_EQ(server.received, memory.substr(0, sealed)) << code;
    server.received.clear();
  }
}

TEST_F(TlsEngine_, SealsNothingBeforeTheHandshakeAndBehindCloseNotify) {
  EngineSide server(*server_tls_);
  EngineSide client(*client_tls_, "localhost");
  EXPECT_EQ(client.seal("early"), 0u);
  EXPECT_EQ(server.seal("early"), 0u);
  converse(client, server);
  client.engine->close();
  EXPECT_EQ(client.seal("late"), 0u);
  converse(client, server);
  EXPECT_TRUE(server.engine->peer_closed());
  EXPECT_EQ(server.received, "");
  EXPECT_EQ(server.seal("the other direction is open"), 27u);
  converse(client, server);
  EXPECT_EQ(client.received, "the other direction is open");
}

TEST_F(TlsEngine_, IgnoresWhatComesBehindCloseNotify) {
  EngineSide server(*server_tls_);
  TlsPeer peer;
  join(server, peer);
  RecordForge forge(peer);
  std::string bytes = forge.data("before");
  bytes += forge.alert(1, 0);
  bytes += forge.data("behind") + "junk";
  server.feed(bytes);
  EXPECT_EQ(server.received, "before");
  EXPECT_TRUE(server.engine->peer_closed());
  server.feed(forge.data("behind"));
  EXPECT_EQ(server.received, "before");
  EXPECT_EQ(server.engine->failure(), errc::none);
}

TEST_F(TlsEngine_, TellsThePeerOfARecordThatWasChanged) {
  for (const std::uint16_t version : both_versions) {
    EngineSide server(*server_tls_);
    TlsPeer peer({.version_max = version});
    join(server, peer);
    peer.write("good");
    std::string bytes = peer.take();
    peer.write("changed");
    bytes += peer.take();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    server.feed(bytes);
    EXPECT_EQ(server.received, "good");
    EXPECT_EQ(server.engine->failure(), errc::tls_record_invalid);
    peer.put(server.take());
    peer.read();
    EXPECT_EQ(peer.alert(), SSL_AD_BAD_RECORD_MAC);
    EXPECT_EQ(server.seal("no more"), 0u);
  }
}

TEST_F(TlsEngine_, NamesWhatThePeersAlertSays) {
  const std::vector<std::pair<std::uint8_t, errc>> causes = {
      {SSL_AD_INTERNAL_ERROR, errc::tls_refused},
      {SSL_AD_UNKNOWN_CA, errc::tls_certificate_refused},
      {SSL_AD_BAD_CERTIFICATE, errc::tls_certificate_refused},
      {SSL_AD_CERTIFICATE_EXPIRED, errc::tls_certificate_refused},
      {SSL_AD_CERTIFICATE_REQUIRED, errc::tls_certificate_refused},
      {SSL_AD_HANDSHAKE_FAILURE, errc::tls_parameters_unsupported},
      {SSL_AD_PROTOCOL_VERSION, errc::tls_version_unsupported},
      {SSL_AD_NO_APPLICATION_PROTOCOL, errc::tls_protocol_unsupported},
      {SSL_AD_RECORD_OVERFLOW, errc::tls_refused}};
  for (const auto& [alert, cause] : causes) {
    EngineSide server(*server_tls_);
    TlsPeer peer;
    join(server, peer);
    peer.send_alert(alert);
    server.feed(peer.take());
    EXPECT_EQ(server.engine->failure(), cause) << static_cast<int>(alert);
    EXPECT_EQ(server.take(), "");  // an alert is not answered (RFC 8446 section 6.2)
  }
}

// Whatever comes in place of a ClientHello.
TEST_F(TlsEngine_, RefusesWhatIsNoTls) {
  for (int first = 0; first < 256; ++first) {
    if (first == SSL3_RT_HANDSHAKE) continue;
    EngineSide server(*server_tls_);
    server.feed(std::string(1, static_cast<char>(first)));
    const bool http = first >= 'A' && first <= 'Z';
    EXPECT_EQ(server.engine->failure(), http ? errc::tls_plain_http : errc::tls_not_spoken) << first;
    EXPECT_EQ(server.take().starts_with("HTTP/1.1 400 Bad Request\r\n"), http) << first;
  }
  EngineSide client(*client_tls_, "localhost");
  client.take();
  client.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(client.engine->failure(), errc::tls_not_spoken);
}

TEST_F(TlsEngine_, AnswersPlainHttpWithALengthThatFits) {
  EngineSide server(*server_tls_);
  server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = server.take();
  const std::size_t head = answer.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos);
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - head - 4) + "\r\n"),
            std::string::npos);
}

// Neither waits for a block that may never come, since all may be full of what waits to be encrypted. Of
// that, as much is taken as one block would hold.
TEST_F(TlsEngine_, ShakesHandsAndEncryptsWithoutBlocks) {
  EngineSide server(*server_tls_);
  EngineSide client(*client_tls_, "localhost");
  server.pool.set_limit(0);
  client.pool.set_limit(0);
  converse(client, server);
  EXPECT_TRUE(client.established() && server.established());
  EXPECT_EQ(client.seal("data"), 4u);
  converse(client, server);
  EXPECT_EQ(server.received, "data");
  const std::string large(100'000, 'l');
  const std::size_t sealed = client.seal(large);
  EXPECT_GT(sealed, client.pool.block_size() / 2);
  EXPECT_LT(client.engine->output_size(), client.pool.block_size());
  converse(client, server);
  EXPECT_EQ(server.received, "data" + large.substr(0, sealed));
  EXPECT_EQ(client.pool.live(), 0u);
}

TEST_F(TlsEngine_, UpdatesItsKeys) {
  EngineSide server(*server_tls_);
  TlsPeer peer;
  join(server, peer);
  for (int i = 0; i < 10; ++i) {
    peer.key_update(true);
    peer.write("from the peer");
    server.feed(peer.take());
    EXPECT_EQ(server.seal("to the peer"), 11u);
    peer.put(server.take());
    EXPECT_EQ(peer.read(), "to the peer");
  }
  EXPECT_EQ(server.received.size(), 130u);
  EXPECT_EQ(server.engine->failure(), errc::none);
}

}  // namespace
}  // namespace sansock::test
