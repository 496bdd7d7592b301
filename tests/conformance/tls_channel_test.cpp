// TLS between two channels of the kit, in memory.
#include "wire/tls_channel.h"

#include <gtest/gtest.h>

#include <vector>

#include "tls_files.h"

namespace conform {
namespace {

using State = TlsChannel::State;

const TlsFiles& files() {
  static const TlsFiles made("DNS:localhost,IP:127.0.0.1");
  return made;
}

struct Pair {
  std::unique_ptr<TlsChannel> client;
  std::unique_ptr<TlsChannel> server = files().server();

  explicit Pair(const TlsTrust& trust = {"localhost", files().certificate(), false})
      : client(client_channel(trust)) {}

  Pair& shake_hands(std::size_t size = 65536) {
    for (int i = 0; i < 4; ++i) {
      carry(*client, *server, size);
      carry(*server, *client, size);
    }
    EXPECT_EQ(client->read(), "");
    EXPECT_EQ(server->read(), "");
    return *this;
  }
};

// The lengths of the records, which all have to be whole.
std::vector<std::size_t> records_of(std::string_view octets) {
  std::vector<std::size_t> lengths;
  while (octets.size() >= 5) {
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(octets[3])) << 8 |
                               static_cast<unsigned char>(octets[4]);
    lengths.push_back(length);
    if (octets.size() < 5 + length) break;
    octets.remove_prefix(5 + length);
  }
  EXPECT_EQ(octets, "");
  return lengths;
}

TEST(TlsChannel_, OpensHoweverTheOctetsAreCut) {
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 7, 65536}) {
    Pair pair;
    EXPECT_EQ(pair.client->state(), State::handshake);
    pair.shake_hands(size);
    EXPECT_EQ(pair.client->state(), State::open) << pair.client->problem();
    EXPECT_EQ(pair.server->state(), State::open) << pair.server->problem();
  }
}

TEST(TlsChannel_, EachWriteIsARecord) {
  Pair pair;
  pair.shake_hands();
  const std::string large(16384, '*');
  for (const std::string& text : {std::string("a"), std::string("b"), large}) pair.client->write(text);
  EXPECT_EQ(records_of(pair.client->output()).size(), 3u);
  carry(*pair.client, *pair.server, 1);
  EXPECT_EQ(pair.server->read(), "a");
  EXPECT_EQ(pair.server->read(), "b");
  EXPECT_EQ(pair.server->read(), large);
  EXPECT_EQ(pair.server->read(), "");
  pair.server->write(large + "x");
  EXPECT_EQ(records_of(pair.server->output()).size(), 2u);
}

TEST(TlsChannel_, TheMostOfOneWriteArrives) {
  Pair pair;
  pair.shake_hands();
  const std::string sent(TlsChannel::write_size_max, '*');
  pair.server->write(sent);
  carry(*pair.server, *pair.client, 1000);
  std::string got;
  for (std::string_view part = pair.client->read(); !part.empty(); part = pair.client->read()) got += part;
  EXPECT_EQ(got, sent);
}

TEST(TlsChannel_, CloseNotifyComesAfterTheLastOctet) {
  Pair pair;
  pair.shake_hands();
  pair.server->write("bye");
  pair.server->close();
  const std::size_t size = pair.server->output().size();
  pair.server->close();
  EXPECT_EQ(pair.server->output().size(), size);
  carry(*pair.server, *pair.client);
  EXPECT_EQ(pair.client->read(), "bye");
  EXPECT_EQ(pair.client->state(), State::open);
  EXPECT_EQ(pair.client->read(), "");
  EXPECT_EQ(pair.client->state(), State::ended);
  EXPECT_EQ(pair.client->problem(), "");
  pair.client->close();
  carry(*pair.client, *pair.server);
  EXPECT_EQ(pair.server->read(), "");
  EXPECT_EQ(pair.server->state(), State::ended);
}

TEST(TlsChannel_, OctetsThatWereChangedAreNoticed) {
  Pair pair;
  pair.shake_hands();
  pair.client->write("hello");
  std::string octets(pair.client->output());
  octets.back() = static_cast<char>(octets.back() ^ 1);
  pair.client->consume(octets.size());
  pair.server->feed(octets);
  EXPECT_EQ(pair.server->read(), "");
  EXPECT_EQ(pair.server->state(), State::failed);
  EXPECT_NE(pair.server->problem(), "");
  // It says so, and the other side knows.
  carry(*pair.server, *pair.client);
  EXPECT_EQ(pair.client->read(), "");
  EXPECT_EQ(pair.client->state(), State::failed);
  EXPECT_NE(pair.client->problem().find("alert"), std::string::npos) << pair.client->problem();
  // What is broken has no end that could be told.
  pair.client->close();
  EXPECT_EQ(pair.client->output(), "");
}

TEST(TlsChannel_, WhatIsNotTlsFails) {
  Pair pair;
  pair.server->feed("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(pair.server->state(), State::failed);
  EXPECT_NE(pair.server->problem(), "");
}

std::string problem_with(const TlsTrust& trust) {
  Pair pair(trust);
  pair.shake_hands();
  EXPECT_EQ(pair.server->state() == State::failed, pair.client->state() == State::failed);
  return pair.client->problem();
}

TEST(TlsChannel_, TrustsTheHostsOfTheCertificateAlone) {
  const std::string ca = files().certificate();
  EXPECT_EQ(problem_with({"localhost", ca, false}), "");
  EXPECT_EQ(problem_with({"127.0.0.1", ca, false}), "");
  EXPECT_EQ(problem_with({"elsewhere.test", ca, false}),
            "its certificate is not accepted: hostname mismatch");
  EXPECT_EQ(problem_with({"127.0.0.2", ca, false}), "its certificate is not accepted: IP address mismatch");
  EXPECT_EQ(problem_with({"::1", ca, false}), "its certificate is not accepted: IP address mismatch");
  EXPECT_EQ(problem_with({"localhost", "", false}),
            "its certificate is not accepted: self-signed certificate");
  EXPECT_EQ(problem_with({"elsewhere.test", "", true}), "");
}

TEST(TlsContext_, FilesThatAreNotWhatTheyShouldBe) {
  std::string problem;
  EXPECT_EQ(tls_client({"localhost", files().directory() + "/none", false}, problem), nullptr);
  EXPECT_NE(problem.find("No such file"), std::string::npos) << problem;
  EXPECT_EQ(tls_client({"localhost", files().key(), false}, problem), nullptr);
  EXPECT_NE(problem.find("key.pem can not be read as certificates"), std::string::npos) << problem;
  EXPECT_EQ(tls_server(files().key(), files().key(), problem), nullptr);
  EXPECT_NE(problem.find("key.pem can not be read as a certificate"), std::string::npos) << problem;
  const TlsFiles other("DNS:localhost");
  EXPECT_EQ(tls_server(files().certificate(), other.key(), problem), nullptr);
  EXPECT_NE(problem.find("key.pem can not be used as the key of"), std::string::npos) << problem;
}

}  // namespace
}  // namespace conform
