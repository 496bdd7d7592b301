// How connections over TLS end: Close frame, close_notify, FIN; and what happens when one of them is missing.
#include "layer_side.h"

namespace sansock::test {
namespace {

const std::string close_frame_1000("\x88\x02\x03\xe8", 4);

class TlsClosing_ : public ::testing::Test {
 protected:
  std::shared_ptr<TlsServer> server_tls_ = make_tls_server();
  std::shared_ptr<TlsClient> client_tls_ = make_tls_client();
};

TEST_F(TlsClosing_, CloseFrameThenCloseNotifyThenFin) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(8, "\x03\xe8"));
  server.feed(peer.take());
  std::string plain;
  // Byte by byte: the FIN comes when all of it was taken, not before.
  for (std::string byte = server.take(1); !byte.empty(); byte = server.take(1)) {
    EXPECT_FALSE(peer.peer_closed());
    peer.put(byte);
    plain += peer.read();
    EXPECT_EQ(server.fin, peer.peer_closed());
    EXPECT_TRUE(!peer.peer_closed() || plain == close_frame_1000);
  }
  EXPECT_EQ(plain, close_frame_1000);
  EXPECT_TRUE(peer.peer_closed());
  EXPECT_TRUE(server.fin);
  peer.close();
  server.feed(peer.take());
  server.eof();
  EXPECT_TRUE(server.over());
  EXPECT_TRUE(server.said("closed none clean"));
}

TEST_F(TlsClosing_, OurCloseIsFollowedByCloseNotifyOnlyAfterTheAnswer) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  EXPECT_FALSE(server.endpoint().close());
  server.resume();
  peer.put(server.take());
  EXPECT_EQ(peer.read(), close_frame_1000);
  EXPECT_FALSE(peer.peer_closed());
  EXPECT_FALSE(server.fin);
  peer.write(RawClient::frame(8, "\x03\xe8"));
  server.feed(peer.take());
  peer.put(server.take());
  EXPECT_EQ(peer.read(), "");
  EXPECT_TRUE(peer.peer_closed());
  EXPECT_TRUE(server.fin);
}

TEST_F(TlsClosing_, EofWithoutCloseNotifyIsTruncation) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(1, "whole"));
  server.feed(peer.take());
  server.eof();
  EXPECT_TRUE(server.over());
  EXPECT_EQ(server.messages, std::vector<std::string>{"whole"});
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "closed tls_truncated"}));
  EXPECT_FALSE(server.fin);  // nor is there anything left to say
}

// The Close frames were exchanged, but somebody may have cut off what came between.
TEST_F(TlsClosing_, EofWithoutCloseNotifyIsNotCleanEvenAfterBothCloseFrames) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(8, "\x03\xe8"));
  server.feed(peer.take());
  server.take();
  server.eof();
  EXPECT_TRUE(server.over());
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "peer_close 1000", "closed tls_truncated"}));

  LayerSide client(*client_tls_);
  LayerSide other(*server_tls_);
  converse(client, other);
  EXPECT_FALSE(client.endpoint().close());
  client.resume();
  other.feed(client.take());
  std::string answer = other.take();
  constexpr std::size_t close_notify_size = 24;
  client.feed(answer.substr(0, answer.size() - close_notify_size));
  EXPECT_TRUE(client.said("peer_close 1000"));
  client.eof();
  EXPECT_TRUE(client.said("closed tls_truncated"));
  EXPECT_TRUE(client.over());
}

TEST_F(TlsClosing_, EofInsideARecordIsTruncation) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(1, "never whole"));
  const std::string bytes = peer.take();
  server.feed(bytes.substr(0, bytes.size() - 1));
  server.eof();
  EXPECT_TRUE(server.messages.empty());
  EXPECT_TRUE(server.said("closed tls_truncated"));
}

TEST_F(TlsClosing_, EofInsideTheHandshakeIsNamedSo) {
  for (int flights = 0; flights < 3; ++flights) {
    LayerSide server(*server_tls_);
    LayerSide client(*client_tls_);
    for (int i = 0; i < flights; ++i) i % 2 == 0 ? pass(client, server) : pass(server, client);
    // The client has finished after two flights, the server after three.
    server.eof();
    client.eof();
    EXPECT_EQ(server.log, std::vector<std::string>{"closed eof_in_handshake"}) << flights;
    EXPECT_EQ(client.log,
              std::vector<std::string>{flights < 2 ? "closed eof_in_handshake" : "closed tls_truncated"})
        << flights;
    EXPECT_TRUE(server.over() && client.over());
  }
}

TEST_F(TlsClosing_, CloseNotifyBeforeTheCloseFrameIsAnEnd) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.close();
  server.feed(peer.take());
  EXPECT_EQ(server.log.back().substr(0, 7), "closed ");
  EXPECT_FALSE(server.said("closed none clean"));
  EXPECT_FALSE(server.said("closed tls_truncated"));  // nobody has cut anything
  // It is answered (RFC 8446 section 6.1).
  peer.put(server.take());
  EXPECT_EQ(peer.read(), "");
  EXPECT_TRUE(peer.peer_closed());
}

TEST_F(TlsClosing_, DataBehindCloseNotifyIsIgnored) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  RecordForge forge(peer);
  std::string bytes = forge.data(RawClient::frame(1, "before"));
  bytes += forge.data(RawClient::frame(8, "\x03\xe8"));
  bytes += forge.alert(1, 0);
  bytes += forge.data(RawClient::frame(1, "behind"));
  server.feed(bytes);
  EXPECT_EQ(server.messages, std::vector<std::string>{"before"});
  peer.put(server.take());
  EXPECT_EQ(peer.read(), close_frame_1000);
  EXPECT_TRUE(peer.peer_closed());
  EXPECT_TRUE(server.said("closed none clean"));
}

TEST_F(TlsClosing_, AnAlertOfThePeerIsTheCause) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.send_alert(SSL_AD_INTERNAL_ERROR);
  server.feed(peer.take());
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "closed tls_refused"}));
  EXPECT_EQ(server.take(), "");
  server.eof();
  EXPECT_TRUE(server.over());
}

// The alert goes out and then the FIN; what still comes is read away, or a reset would overtake the alert.
TEST_F(TlsClosing_, AChangedRecordIsAnsweredWithItsAlert) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(1, "changed"));
  std::string bytes = peer.take();
  bytes[20] = static_cast<char>(bytes[20] ^ 4);
  server.feed(bytes);
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "closed tls_record_invalid"}));
  EXPECT_FALSE(server.over());
  EXPECT_FALSE(server.fin);
  peer.put(server.take());
  peer.read();
  EXPECT_EQ(peer.alert(), SSL_AD_BAD_RECORD_MAC);
  EXPECT_TRUE(server.fin);
  EXPECT_FALSE(server.over());
  for (int i = 0; i < 10; ++i) server.feed(std::string(1000, 'x'));
  server.eof();
  EXPECT_TRUE(server.over());
}

TEST_F(TlsClosing_, LingersForAWhileAndAnAmountOnly) {
  for (const bool flood : {false, true}) {
    LayerSide server(*server_tls_);
    TlsPeer peer;
    open(server, peer);
    server.feed("no record at all, by no means");
    server.take();
    EXPECT_TRUE(server.fin);
    EXPECT_FALSE(server.over());
    if (flood) {
      for (int i = 0; i < 20 && !server.over(); ++i) server.feed(std::string(64u << 10, 'x'));
    } else {
      server.pass(std::chrono::seconds(2));
    }
    EXPECT_TRUE(server.over());
    EXPECT_EQ(server.log, (std::vector<std::string>{"open", "closed tls_record_invalid"}));
  }
}

// One whose peer does not even take the alert.
TEST_F(TlsClosing_, LingersNoLongerForAPeerThatDoesNotRead) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.feed("no record at all, by no means");
  server.pass(std::chrono::seconds(2) - Duration(1));
  EXPECT_FALSE(server.over());
  server.pass(Duration(1));
  EXPECT_TRUE(server.over());
}

TEST_F(TlsClosing_, AnAbortSaysNothing) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.endpoint().abort(errc::aborted);
  server.resume();
  EXPECT_TRUE(server.over());
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "closed aborted"}));
}

// What breaks the WebSocket protocol is answered with a Close frame, over TLS as without.
TEST_F(TlsClosing_, AProtocolErrorIsAnsweredWithACloseFrame) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  peer.write(RawClient::frame(3, "what is that?"));
  server.feed(peer.take());
  peer.put(server.take());
  EXPECT_TRUE(peer.read().starts_with(std::string("\x88\x02\x03\xea", 4)));
  EXPECT_TRUE(peer.peer_closed());
  EXPECT_TRUE(server.fin);
}

TEST_F(TlsClosing_, ARefusalIsReadable) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  ASSERT_TRUE(shake_hands(server, peer));
  peer.write("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
  server.feed(peer.take());
  peer.put(server.take());
  EXPECT_TRUE(peer.read().starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(peer.peer_closed());
}

}  // namespace
}  // namespace sansock::test
