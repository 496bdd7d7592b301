// Each callback of a route, and what a peer can do.
#include "server_fixture.h"

namespace sansock::test {
namespace {

class PeerCallbacks : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, PeerCallbacks, every_place, place_name);

TEST_P(PeerCallbacks, PingAndPong) {
  make();
  server().route(
      "/",
      {.on_message = [](Peer& peer, Message message) { peer.ping(message.bytes); },
       .on_ping = [this](Peer&, ConstBytes payload) { log_.add("ping " + std::string(as_text(payload))); },
       .on_pong = [this](Peer&, ConstBytes payload) { log_.add("pong " + std::string(as_text(payload))); }});
  start();
  RawClient raw(address());
  raw.upgrade();
  raw.send(RawClient::frame(9, "p1") + RawClient::frame(1, "p2") + RawClient::frame(10, "p3"));
  EXPECT_EQ(raw.read_size(8), std::string("\x8a\x02p1\x89\x02p2"));
  EXPECT_TRUE(eventually([this] { return log_.lines().size() == 2; }));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"ping p1", "pong p3"}));
}

TEST_P(PeerCallbacks, AutoPongOff) {
  make();
  server().route("/",
                 {.on_ping = [](Peer& peer, ConstBytes) { peer.pong(as_bytes("own")); }, .auto_pong = false});
  start();
  RawClient raw(address());
  raw.upgrade();
  raw.send(RawClient::frame(9, "p1"));
  EXPECT_EQ(raw.read_size(5), std::string("\x8a\x03own"));
}

TEST_P(PeerCallbacks, RunsArriveAsTheyCome) {
  make();
  std::string collected;
  server().route("/", {.on_run = [this, &collected](Peer& peer, const sansock::Run& run) {
                   if (run.begin) collected.clear();
                   collected += as_text(run.bytes);
                   if (run.end) {
                     log_.add(run.type == MessageType::text ? "text" : "binary");
                     peer.send(MessageType::binary, as_bytes(collected));
                   } else if (collected.size() >= 3) {
                     peer.send("part");
                   }
                 }});
  start();
  RawClient raw(address());
  raw.upgrade();
  raw.send(RawClient::frame(2, "abc", false));
  raw.read_until("part");  // before the message is complete
  raw.send(RawClient::frame(0, "def", true));
  EXPECT_TRUE(
      raw.read_until("abcdef").ends_with("\x82\x06"
                                         "abcdef"));
  EXPECT_EQ(log_.lines(), std::vector<std::string>{"binary"});
  server_.reset();  // before what its handlers refer to
}

TEST_P(PeerCallbacks, SendPartAndBorrowed) {
  make();
  std::string borrowed(100'000, 'b');
  server().route("/", {.on_open =
                           [&](Peer& peer) {
                             EXPECT_FALSE(peer.send_part(MessageType::text, as_bytes("one "), false));
                             EXPECT_EQ(peer.send("between"), errc::message_unfinished);
                             EXPECT_FALSE(peer.send_part(MessageType::text, as_bytes("two"), true));
                             EXPECT_FALSE(peer.send_borrowed(
                                 MessageType::binary, std::as_writable_bytes(std::span(borrowed)), 77));
                           },
                       .on_sent =
                           [this](Peer&, std::uint64_t token, bool complete) {
                             log_.add("sent " + std::to_string(token) + (complete ? " whole" : " cut"));
                           }});
  start();
  Client client = connect();
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "one two");
  EXPECT_TRUE(client.receive(std::chrono::seconds(20))->text() == borrowed);
  EXPECT_TRUE(eventually([this] { return log_.has("sent 77 whole"); }));
  server_.reset();  // before what its handlers refer to
}

TEST_P(PeerCallbacks, BorrowedMemoryComesBackWhenThePeerEnds) {
  make();
  std::string borrowed(8u << 20, 'b');
  server().route(
      "/",
      {.on_open =
           [&](Peer& peer) {
             peer.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(borrowed)), 5);
             peer.terminate();
             EXPECT_NE(peer.state(), ReadyState::open);
             EXPECT_EQ(peer.send("late"), errc::already_closing);
           },
       .on_sent = [this](Peer&, std::uint64_t token,
                         bool complete) { log_.add(std::to_string(token) + (complete ? " whole" : " cut")); },
       .on_close = [this](Peer&, const CloseStatus& status,
                          std::string_view) { log_.add(std::string(name(status.cause))); }});
  start();
  RawClient raw(address());
  raw.send(RawClient::request());
  raw.read_all();
  EXPECT_TRUE(eventually([this] { return log_.lines().size() == 2; }));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"5 cut", "aborted"}));
  server_.reset();  // before what its handlers refer to
}

TEST_P(PeerCallbacks, PauseAndResumeLoseNothing) {
  make();
  std::atomic<bool> known{false};
  PeerId id;
  server().route("/", {.on_message = [&](Peer& peer, Message message) {
                   log_.add(std::string(message.text()));
                   if (message.text() != "stop") return;
                   peer.pause();
                   EXPECT_TRUE(peer.paused());
                   id = peer.id();
                   known = true;
                 }});
  start();
  RawClient raw(address());
  raw.upgrade();
  // Behind "stop" in the same segment, and in later ones.
  raw.send(RawClient::frame(1, "a") + RawClient::frame(1, "stop") + RawClient::frame(1, "b") +
           RawClient::frame(1, "stop") + RawClient::frame(1, "c"));
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  raw.send(RawClient::frame(1, "d"));
  std::atomic<std::size_t> seen{0};
  known = false;
  server().post(id, [&](Peer& peer) {
    seen = log_.lines().size();
    peer.resume();
    EXPECT_FALSE(peer.paused());
  });
  ASSERT_TRUE(eventually([&] { return known.load(); }));
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"a", "stop", "b", "stop"}));
  server().post(id, [](Peer& peer) { peer.resume(); });
  EXPECT_TRUE(eventually([this] { return log_.has("d"); }));
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"a", "stop", "b", "stop", "c", "d"}));
  server_.reset();  // before what its handlers refer to
}

// A paused peer that is closed must still read the reply.
TEST_P(PeerCallbacks, CloseWhilePaused) {
  make();
  server().route("/",
                 {.on_open =
                      [](Peer& peer) {
                        peer.pause();
                        EXPECT_FALSE(peer.close(CloseCode::normal, "done"));
                      },
                  .on_close = [this](Peer&, const CloseStatus& status,
                                     std::string_view) { log_.add(status.clean ? "clean" : "unclean"); }});
  start();
  Client client = connect();
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_EQ(client.close_reason(), "done");
  EXPECT_TRUE(eventually([this] { return log_.has("clean"); }));
}

// C14: nobody says anything after the upgrade.
TEST_P(PeerCallbacks, C14FirstMessageDeadline) {
  make();
  Route route = echo();
  route.timeouts.first_message = std::chrono::milliseconds(50);
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)));
  };
  server().route("/", route);
  start();
  Client client = connect();
  EXPECT_FALSE(client.receive(std::chrono::seconds(20)));
  EXPECT_FALSE(client.timed_out());
  EXPECT_EQ(client.close_status().received, CloseCode::policy_violation);
  EXPECT_TRUE(eventually([this] { return log_.has("first_message_timeout"); }));
}

TEST_P(PeerCallbacks, LimitsOfTheRoute) {
  make();
  Route route = echo();
  route.limits.message_payload_max = 100;
  route.limits.frame_payload_max = 100;
  server().route("/small", route);
  server().route("/", echo());
  start();
  Client small = connect("/small");
  Client large = connect("/");
  EXPECT_FALSE(small.send(std::string(101, 'x')));
  EXPECT_FALSE(small.receive(std::chrono::seconds(20)));
  EXPECT_EQ(small.close_status().received, CloseCode::message_too_big);
  EXPECT_EQ(echoed(large, std::string(101, 'x')).size(), 101u);
}

// --- C9: every command inside every callback ------------------------------------------------------

enum class Command : std::uint8_t { send, close, terminate, pause, broadcast, for_each, stop_accepting };

void run_command(Peer& peer, Command command) {
  switch (command) {
    case Command::send: peer.send("sent"); break;
    case Command::close: peer.close(); break;
    case Command::terminate: peer.terminate(); break;
    case Command::pause:
      peer.pause();
      peer.resume();
      break;
    case Command::broadcast: peer.server().broadcast(MessageType::text, as_bytes("all")); break;
    case Command::for_each: peer.server().for_each([](Peer& other) { other.terminate(); }); break;
    case Command::stop_accepting: peer.server().stop_accepting(); break;
  }
}

class PeerCommands : public ServerTest {
 protected:
  // A route that runs `command` in the callback named `where`.
  Route commanding(std::string where, Command command) {
    const auto at = [where, command](const char* here) {
      return [active = where == here, command](Peer& peer, auto&&...) {
        if (active) run_command(peer, command);
      };
    };
    Route route;
    route.on_request = [at](Peer& peer, const Request&) {
      at("request")(peer);
      return Decision::accept();
    };
    route.on_open = at("open");
    route.on_message = [at](Peer& peer, Message message) {
      at("message")(peer);
      peer.send(message.type, message.bytes);
    };
    route.on_ping = at("ping");
    route.on_pong = at("pong");
    route.on_close = [this, at](Peer& peer, const CloseStatus&, std::string_view) {
      at("close")(peer);
      log_.add("close");
    };
    return route;
  }
};
INSTANTIATE_TEST_SUITE_P(Places, PeerCommands, every_adapter_and_tls, place_name);

TEST_P(PeerCommands, C9EveryCommandInEveryCallback) {
  constexpr Command commands[] = {Command::send,          Command::close,     Command::terminate,
                                  Command::pause,         Command::broadcast, Command::for_each,
                                  Command::stop_accepting};
  for (const char* where : {"request", "open", "message", "ping", "pong", "close"}) {
    for (const Command command : commands) {
      SCOPED_TRACE(std::string(where) + " " + std::to_string(static_cast<int>(command)));
      make();
      server().route("/", commanding(where, command));
      server().route("/other", echo());
      start();
      Client other = connect("/other");
      EXPECT_EQ(echoed(other, "before"), "before");
      RawClient raw(address());
      raw.send(RawClient::request() + RawClient::frame(1, "m1") + RawClient::frame(9, "p") +
               RawClient::frame(10, "q") + RawClient::frame(1, "m2") + RawClient::frame(8, ""));
      raw.finish();
      raw.read_all();
      EXPECT_TRUE(raw.ended());
      raw.close();
      const std::uint64_t ending = command == Command::for_each ? 2 : 1;  // the other one too
      ASSERT_TRUE(eventually([&] { return server().counters().closed >= ending; }));
      const bool opened = !(std::string_view(where) == "request" &&
                            (command == Command::close || command == Command::terminate));
      EXPECT_EQ(log_.count("close"), opened ? 1u : 0u);
      if (ending == 1) {
        other.ping_and_wait(std::chrono::seconds(20));
        ASSERT_FALSE(other.send("after"));
        std::string got;
        while (const auto message = other.receive(std::chrono::seconds(20))) {
          got = message->text();
          if (got == "after") break;
        }
        EXPECT_EQ(got, "after");
      }
      other.terminate();
      server_.reset();
      log_.clear();
    }
  }
}

}  // namespace
}  // namespace sansock::test
