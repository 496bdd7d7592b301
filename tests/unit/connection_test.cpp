// Connection: its life beside a transport that reads output while other things happen.
#include "bench.h"

namespace sansock::testing {
namespace {

struct Ending {
  std::string name;
  std::function<void(Bench&)> end;
};

std::vector<Ending> endings() {
  return {
      {"abort", [](Bench& bench) { bench.h.abort(errc::transport_error); }},
      {"peer's end inside a frame",
       [](Bench& bench) {
         bench.h.feed({0x81});
         bench.h.eof();
         bench.h.abort(errc::output_stall_timeout);  // what was accepted would else be waited for
       }},
      {"close deadline",
       [](Bench& bench) {
         EXPECT_FALSE(bench.connection.close());
         bench.h.settle();
         bench.h.advance(std::chrono::hours(1));
       }},
  };
}

// Queues a frame of our own, a borrowed payload and a shared frame, and offers them.
class LentOutput {
 public:
  explicit LentOutput(Role role) : bench(role), borrowed(noise(3000, 2)) {
    bench.h.draining = false;
    EXPECT_FALSE(bench.connection.send(MessageType::binary, view_of(own)));
    EXPECT_FALSE(
        bench.connection.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(borrowed)), 7));
    bench.h.pump();
    IoSlice slices[8];
    const std::size_t count = bench.connection.gather(slices);
    for (std::size_t i = 0; i < count; ++i) {
      lent.push_back({static_cast<std::byte*>(slices[i].base), slices[i].size});
    }
    offered = bytes();
    bench.connection.lend_output();
  }

  Data bytes() const {
    Data all;
    for (const ConstBytes slice : lent) {
      const Data part = bytes_of(slice);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  Bench bench;
  Data own = noise(1000, 1), borrowed;
  std::vector<ConstBytes> lent;
  Data offered;
};

TEST(ConnectionLent, NothingIsReleasedBeforeTheTransportIsDone) {
  for (const Role role : both_roles) {
    for (const Ending& ending : endings()) {
      for (const bool all : {false, true}) {
        SCOPED_TRACE(ending.name + (all ? ", all sent" : ", nothing sent"));
        LentOutput output(role);
        Bench& bench = output.bench;
        ending.end(bench);
        EXPECT_EQ(bench.connection.transport_action(), TransportAction::close);
        EXPECT_NE(bench.connection.state(), ReadyState::closed) << "not ahead of the event";
        EXPECT_EQ(bench.h.events.text(), "") << "the transport still reads what was lent";
        EXPECT_EQ(output.bytes(), output.offered);
        EXPECT_NE(bench.pool.live(), 0u);
        EXPECT_EQ(bench.connection.deadline(), never);

        bench.connection.consume(all ? output.offered.size() : 0, bench.h.now);
        bench.h.pump();
        EXPECT_TRUE(bench.h.closed());
        const std::string text = bench.h.events.text();
        EXPECT_EQ(text.rfind(all ? "sent 7\nclosed" : "sent 7 aborted\nclosed", 0), 0u) << text;
        EXPECT_EQ(bench.pool.live(), 0u);
      }
    }
  }
}

TEST(ConnectionLent, ConsumeEndsTheLoanOfALiveConnection) {
  for (const Role role : both_roles) {
    LentOutput output(role);
    Bench& bench = output.bench;
    EXPECT_TRUE(bench.connection.output_lent());
    EXPECT_FALSE(bench.connection.send("behind it"));
    EXPECT_EQ(output.bytes(), output.offered) << "later frames do not move what is lent";
    bench.h.drain_some(10);
    EXPECT_FALSE(bench.connection.output_lent());
    bench.h.drain();
    EXPECT_EQ(bench.h.sent().size(), 3u);
    EXPECT_EQ(bench.h.events.text(), "sent 7\n");
    bench.h.abort(errc::transport_error);
    EXPECT_TRUE(bench.h.closed());
  }
}

// Where nothing is lent any more, a late word of the transport is about nothing.
TEST(ConnectionLent, LateConsumeAfterTheEnd) {
  LentOutput output(Role::server);
  Bench& bench = output.bench;
  bench.connection.consume(0, bench.h.now);
  bench.h.pump();
  bench.h.abort(errc::aborted);
  EXPECT_TRUE(bench.h.closed());
  bench.connection.consume(0, bench.h.now);
  bench.h.pump();
  EXPECT_EQ(bench.pool.live(), 0u);
}

TEST(ConnectionLent, PongsAreNotTakenBackFromTheTransport) {
  Bench bench(Role::server);
  bench.h.draining = false;
  bench.h.feed(bench.peer.ping("1"));
  IoSlice slice;
  ASSERT_EQ(bench.connection.gather({&slice, 1}), 1u);
  bench.connection.lend_output();
  const Data before = bytes_of({static_cast<std::byte*>(slice.base), slice.size});
  for (int i = 0; i < 5000; ++i) bench.h.feed(bench.peer.ping(std::string(100, 'p')));
  EXPECT_EQ(bytes_of({static_cast<std::byte*>(slice.base), slice.size}), before);
  bench.connection.consume(slice.size, bench.h.now);
  bench.h.pump();
  bench.h.drain();
}

}  // namespace
}  // namespace sansock::testing
