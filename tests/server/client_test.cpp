// A Client with its connection.
#include <csignal>

#include "server_fixture.h"

namespace sansock::test {
namespace {

class Client_ : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, Client_, every_place, place_name);

TEST_P(Client_, ReceiveTimesOutAndGoesOn) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  EXPECT_FALSE(client.receive(std::chrono::milliseconds(20)));
  EXPECT_TRUE(client.timed_out());
  EXPECT_EQ(client.state(), ReadyState::open);
  EXPECT_FALSE(client.receive(Duration::zero()));
  EXPECT_TRUE(client.timed_out());
  EXPECT_EQ(echoed(client, "x"), "x");
  EXPECT_FALSE(client.timed_out());
}

TEST_P(Client_, ReceivesPartsOfALargeMessage) {
  make();
  server().route("/", {.on_message = [](Peer& peer, Message) {
                   peer.send(MessageType::binary, as_bytes(std::string(3'000'000, 'r')));
                   peer.send("end");
                 }});
  start();
  Client client = connect();
  ASSERT_FALSE(client.send("go"));
  std::size_t size = 0;
  int runs = 0;
  for (bool end = false; !end; ++runs) {
    const auto run = client.receive_run(std::chrono::seconds(20));
    ASSERT_TRUE(run);
    EXPECT_EQ(run->begin, runs == 0);
    EXPECT_LT(run->bytes.size(), 1'000'000u);  // it waits for the reader, not in memory
    size += run->bytes.size();
    end = run->end;
  }
  EXPECT_EQ(size, 3'000'000u);
  EXPECT_GT(runs, 1);
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "end");
}

// Sends more than both sides' buffers hold while the echoes come back: neither side may wait for ever.
TEST_P(Client_, SendWaitsWhileTheOutputIsFull) {
  make();
  Route route = echo();
  route.output_policy = OutputPolicy::pause;
  route.output_high_watermark = 256u << 10;
  server().route("/", route);
  start();
  ClientOptions small = client_options();
  small.limits.output_bytes_max = 300'000;
  Client client(small);
  ASSERT_FALSE(client.connect(url()));
  const std::string payload(100'000, 's');
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) {
    ASSERT_FALSE(client.send(MessageType::binary, as_bytes(payload))) << i;
    EXPECT_LE(client.output_size(), 300'000u);
  }
  for (int i = 0; i < count; ++i) {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    ASSERT_EQ(message->bytes.size(), payload.size());
  }
  EXPECT_EQ(client.send(std::string(300'001, 'x')), errc::message_over_limit);
  EXPECT_EQ(echoed(client, "x"), "x");
}

// What comes behind a message, here the Close frame in the same segment, is not read before the message
// can be answered.
TEST_P(Client_, AMessageCanBeAnsweredBeforeWhatFollowsIt) {
  make();
  server().route("/", {.on_open = [](Peer& peer) {
                   peer.send("first");
                   peer.send("second");
                   peer.close();
                 }});
  start();
  Client client = connect();
  for (const char* const text : {"first", "second"}) {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), text);
    if (message->text() == "first") {
      EXPECT_FALSE(client.send("answer"));
    }
  }
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_TRUE(client.close_status().clean);
}

// A received message may be the payload of the very next call, also where that has to wait and reads on.
TEST_P(Client_, SendsBackWhatItReceived) {
  make();
  Route route = echo();
  route.output_policy = OutputPolicy::pause;
  route.output_high_watermark = 256u << 10;
  server().route("/", route);
  start();
  ClientOptions small = client_options();
  small.limits.output_bytes_max = 1'100'000;
  Client client(small);
  ASSERT_FALSE(client.connect(url()));
  constexpr int messages = 8;
  std::vector<std::string> texts;
  for (int i = 0; i < messages; ++i) texts.emplace_back(1'000'000, static_cast<char>('a' + i));
  for (const std::string& text : texts) ASSERT_FALSE(client.send(text));
  for (int round = 0; round < 2; ++round) {
    for (const std::string& text : texts) {
      const auto message = client.receive(std::chrono::seconds(20));
      ASSERT_TRUE(message);
      ASSERT_TRUE(message->text() == text);
      if (round == 0) {
        ASSERT_FALSE(client.send(message->type, message->bytes));
      }
    }
  }
}

TEST_P(Client_, PingAndWait) {
  make();
  server().route("/", echo());
  server().route("/silent", {.auto_pong = false});
  start();
  Client client = connect();
  ASSERT_FALSE(client.send("kept"));
  EXPECT_TRUE(client.ping_and_wait(std::chrono::seconds(20)));
  EXPECT_FALSE(client.ping(as_bytes("by hand")));
  EXPECT_EQ(client.ping(as_bytes(std::string(126, 'x'))), errc::control_payload_too_long);
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "kept");
  Client silent = connect("/silent");
  EXPECT_FALSE(silent.ping_and_wait(std::chrono::milliseconds(30)));
  EXPECT_EQ(silent.state(), ReadyState::open);
}

TEST_P(Client_, AnswersPingsWhileItWaits) {
  make();
  server().route("/", {.on_open = [](Peer& peer) { peer.ping(as_bytes("are you there")); },
                       .on_pong = [](Peer& peer, ConstBytes payload) { peer.send(as_text(payload)); }});
  start();
  Client client = connect();
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "are you there");
}

TEST_P(Client_, SendsInParts) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  EXPECT_FALSE(client.send_part(MessageType::text, as_bytes("one "), false));
  EXPECT_EQ(client.send("between"), errc::message_unfinished);
  EXPECT_EQ(client.send_part(MessageType::binary, as_bytes("x"), true), errc::message_type_changed);
  EXPECT_FALSE(client.send_part(MessageType::text, as_bytes("two"), true));
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "one two");
}

TEST_P(Client_, MessagesBeforeTheCloseArrive) {
  make();
  server().route("/", {.on_open = [](Peer& peer) {
                   for (int i = 0; i < 10; ++i) peer.send(std::to_string(i));
                   peer.close(CloseCode{3210}, "that was all");
                 }});
  start();
  Client client = connect();
  for (int i = 0; i < 10; ++i) {
    const auto message = client.receive(std::chrono::seconds(20));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), std::to_string(i));
  }
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_FALSE(client.timed_out());
  EXPECT_EQ(client.close_status().received, CloseCode{3210});
  EXPECT_TRUE(client.close_status().clean);
  EXPECT_EQ(client.close_reason(), "that was all");
  EXPECT_EQ(client.state(), ReadyState::closed);
  EXPECT_TRUE(client.send("late"));
}

TEST_P(Client_, CloseIsMeasuredByThePeersAnswer) {
  make();
  server().route("/", echo());
  start();
  Client client = connect();
  EXPECT_EQ(client.close(CloseCode{1006}), errc::close_code_not_sendable);
  EXPECT_EQ(client.close(CloseCode::normal, std::string(124, 'x')), errc::close_reason_too_long);
  EXPECT_EQ(echoed(client, "still open"), "still open");
  ASSERT_FALSE(client.send("dropped"));
  EXPECT_FALSE(client.close(CloseCode::normal, "thanks"));
  EXPECT_EQ(client.close_status().received, CloseCode::normal);
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_TRUE(client.close());
}

// A server that never answers the Close.
TEST_P(Client_, CloseIsBounded) {
  make();
  server().route("/", {.on_open = [](Peer& peer) { peer.pause(); }});
  start();
  ClientOptions quick = client_options();
  quick.timeouts.close = std::chrono::milliseconds(50);
  Client client(quick);
  ASSERT_FALSE(client.connect(url()));
  EXPECT_EQ(client.close(), errc::close_timeout);
  EXPECT_EQ(client.state(), ReadyState::closed);
  server().for_each([](Peer& peer) { peer.terminate(); });
}

TEST_P(Client_, ServerThatDropsIt) {
  make();
  server().route("/", {.on_message = [](Peer& peer, Message) { peer.terminate(); }});
  start();
  Client client = connect();
  ASSERT_FALSE(client.send("x"));
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_FALSE(client.close_status().clean);
  const condition failed = over_tls() ? condition::tls_failed : condition::transport_failed;
  EXPECT_EQ(make_error_code(client.close_status().cause), failed);
  EXPECT_EQ(client.send("y"), failed);
  EXPECT_EQ(client.close_status().cause == errc::tls_truncated, over_tls());
}

TEST_P(Client_, TerminateAndDestructor) {
  make();
  server().route("/", {.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
                   log_.add(status.clean ? "clean" : "unclean");
                 }});
  start();
  {
    Client first = connect();
    Client second = connect();
    first.terminate();
    first.terminate();
    EXPECT_EQ(first.state(), ReadyState::closed);
    EXPECT_EQ(first.close_status().cause, errc::aborted);
    EXPECT_FALSE(first.receive());
  }
  EXPECT_TRUE(eventually([this] { return log_.count("unclean") == 2; }));
}

TEST_P(Client_, KeepAliveMeasuresTheRoundTrip) {
  make();
  server().route("/", echo());
  start();
  ClientOptions quick = client_options();
  quick.timeouts.ping_interval = std::chrono::milliseconds(10);
  Client client(quick);
  ASSERT_FALSE(client.connect(url()));
  EXPECT_TRUE(eventually([&client] {
    client.receive(std::chrono::milliseconds(10));
    return client.round_trip() > Duration::zero();
  }));
  EXPECT_EQ(echoed(client, "x"), "x");
}

// EINTR: signals during every wait change nothing.
TEST_P(Client_, SignalsDoNotDisturb) {
  make();
  server().route("/", echo());
  start();
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, &old);
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> signals{0};
  const pthread_t target = pthread_self();
  std::thread interrupter([&] {
    while (!over) {
      pthread_kill(target, SIGUSR2);
      ++signals;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int i = 0; i < 5; ++i) {
    Client client = connect();
    EXPECT_EQ(echoed(client, std::string(500'000, 'x')).size(), 500'000u);
    EXPECT_FALSE(client.receive(std::chrono::milliseconds(20)));
    EXPECT_TRUE(client.timed_out());
    EXPECT_FALSE(client.close());
  }
  over = true;
  interrupter.join();
  sigaction(SIGUSR2, &old, nullptr);
  EXPECT_GT(signals, 10u);
}

}  // namespace
}  // namespace sansock::test
