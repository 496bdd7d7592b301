// BlockPool::set_wiped(): what was sent, or came in a head or in a control frame, lies in no free block.
#include <algorithm>

#include "bench.h"
#include "sansock/detail/out_queue.h"

namespace sansock::testing {
namespace {

constexpr std::size_t control_payload_size_max = 125;
const std::string secret(control_payload_size_max, 'S');

// Zeros and rubbish: nothing was written here, or it was wiped.
bool is_wiped(ConstBytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) {
    return byte == std::byte{0} || byte == std::byte{rubbish_default};
  });
}

// Fetched for a send and not needed: it has the queue's header and nothing else.
bool is_spare(ConstBytes block) {
  const ConstBytes rest = block.subspan(sizeof(detail::OutBlock));
  return std::all_of(rest.begin(), rest.end(),
                     [](std::byte byte) { return byte == std::byte{rubbish_default}; });
}

// The blocks that came back to a pool.
class Returned {
 public:
  void watch(TestPool& pool, bool wiped) {
    if (wiped) pool.set_wiped();
    pool.on_release = [this](ConstBytes block) {
      if (is_spare(block)) return;
      ++blocks_;
      if (!is_wiped(block)) ++dirty_;
    };
  }
  void expect(bool wiped) const {
    EXPECT_GT(blocks_, 0u);
    // Without being asked, nothing is wiped.
    EXPECT_EQ(dirty_, wiped ? 0 : blocks_);
  }

 private:
  std::size_t blocks_ = 0;
  std::size_t dirty_ = 0;
};

// Runs `run` on a Bench of either role, with blocks that are wiped and with such that are not, until its
// connection is gone.
template <class Run>
void expect_wiped(std::size_t block_size, Run run) {
  for (const Role role : both_roles) {
    for (const bool wiped : {true, false}) {
      SCOPED_TRACE(std::string(role == Role::server ? "server" : "client") + (wiped ? ", wiped" : ""));
      Returned returned;
      {
        Bench bench(role, {}, block_size);
        bench.h.draining = false;
        returned.watch(bench.pool, wiped);
        run(bench);
      }
      returned.expect(wiped);
    }
  }
}

void send_all_sizes(Connection& connection) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 1000u, 5000u, 70'000u}) {
    ASSERT_FALSE(connection.send(std::string(size, 'S')));
    ASSERT_FALSE(connection.send_part(MessageType::text, as_bytes(std::string_view(secret)), false));
    ASSERT_FALSE(connection.send_part(MessageType::text, as_bytes(std::string_view(secret)), true));
    ASSERT_FALSE(connection.ping(as_bytes(std::string_view(secret))));
  }
}

TEST(WipedBlocks, Messages) {
  for (const std::size_t block_size : {1024u, 4096u}) {
    for (const std::size_t step : {7u, 1000u, 1u << 20}) {
      expect_wiped(block_size, [&](Bench& bench) {
        send_all_sizes(bench.connection);
        bench.h.pump();
        while (bench.connection.output_size() != 0) bench.h.drain_some(step);
      });
    }
  }
}

TEST(WipedBlocks, AMessageThatLeavesWhole) {
  expect_wiped(4096, [](Bench& bench) {
    bench.h.draining = true;
    for (int i = 0; i < 3; ++i) {
      ASSERT_FALSE(bench.connection.send(secret));
      bench.h.settle();
    }
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, ControlFramesThatArriveInPieces) {
  expect_wiped(1024, [](Bench& bench) {
    bench.h.draining = true;
    bench.h.feed_bytewise(bench.peer.ping(secret));  // its Pong has it too
    bench.h.feed_bytewise(bench.peer.pong(secret));
    bench.h.feed_bytewise(bench.peer.close(1000, secret.substr(2)));
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, HalfOfAControlFrame) {
  const auto feed_half = [](Bench& bench) {
    Data half = bench.peer.ping(secret);
    half.pop_back();
    bench.h.feed_cut(half, {half.size() / 2});
    EXPECT_EQ(bench.pool.live(), 1u);
  };
  expect_wiped(1024, feed_half);  // and the destructor
  expect_wiped(1024, [&](Bench& bench) {
    feed_half(bench);
    bench.h.abort(errc::aborted);
  });
  expect_wiped(1024, [&](Bench& bench) {
    feed_half(bench);
    bench.h.eof();
  });
}

TEST(WipedBlocks, CloseWithAReason) {
  expect_wiped(1024, [](Bench& bench) {
    ASSERT_FALSE(bench.connection.close(CloseCode::normal, secret.substr(2)));
    bench.h.settle();
    bench.h.drain();
  });
}

// While the transport stands still, the newest Pong takes the place of the one before it.
TEST(WipedBlocks, APongThatIsTakenBack) {
  expect_wiped(1024, [](Bench& bench) {
    ASSERT_FALSE(bench.connection.send("in the way"));
    bench.h.pump();
    bench.h.drain_some(1);
    bench.h.feed(bench.peer.ping(secret));
    const std::size_t before = bench.connection.output_size();
    bench.h.feed(bench.peer.ping());
    ASSERT_EQ(bench.connection.output_size(), before - control_payload_size_max);
    bench.h.drain();
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, BorrowedAndSharedSends) {
  for (const bool aborted : {false, true}) {
    Data lent = bytes_of(secret);
    SharedFrame frame;
    frame.destroy = [](SharedFrame*) noexcept {};
    const Data encoded = encode({.payload = bytes_of(secret)});
    frame.bytes = view_of(encoded);
    expect_wiped(1024, [&](Bench& bench) {
      for (std::uint64_t i = 0; i < 20; ++i) {
        ASSERT_FALSE(bench.connection.send(secret));
        ASSERT_FALSE(
            bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(lent)), i));
        if (bench.connection.role() == Role::server) {
          ASSERT_FALSE(bench.connection.send_shared(frame));
        }
      }
      bench.h.pump();
      bench.h.drain_some(1000);
      if (aborted) {
        bench.h.abort(errc::aborted);
      } else {
        bench.h.drain();
      }
      EXPECT_EQ(bench.pool.live(), 0u);
    });
  }
}

TEST(WipedBlocks, Aborts) {
  for (const std::size_t sent : {0u, 10u, 3000u}) {
    expect_wiped(1024, [&](Bench& bench) {
      send_all_sizes(bench.connection);
      bench.h.pump();
      bench.h.drain_some(sent);
      bench.h.abort(errc::transport_error);
      EXPECT_EQ(bench.pool.live(), 0u);
    });
    expect_wiped(1024, [&](Bench& bench) {  // no abort, but the destructor
      send_all_sizes(bench.connection);
      bench.h.pump();
      bench.h.drain_some(sent);
    });
  }
}

TEST(WipedBlocks, AnAbortWhileATransportStillReads) {
  expect_wiped(1024, [](Bench& bench) {
    send_all_sizes(bench.connection);
    bench.h.pump();
    const std::size_t offered = bench.h.gather().size();
    bench.connection.lend_output();
    bench.connection.abort(errc::transport_error);
    bench.h.pump();
    EXPECT_GT(bench.pool.live(), 0u);
    bench.connection.consume(offered, bench.h.now);
    bench.h.pump();
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, BlocksThatAreAtHand) {
  for (const bool wiped : {true, false}) {
    AtHandPool pool(4096, 2);
    if (wiped) pool.set_wiped();
    ConstantEntropy entropy{0x37FA213D};
    const Config config = make_config(pool, entropy, nullptr, {});
    {
      Connection connection(Role::server, config);
      ConnectionHarness h(connection);
      IoSlice slice;
      ASSERT_FALSE(connection.send(secret));
      ASSERT_FALSE(connection.poll());
      ASSERT_TRUE(connection.gather_whole(slice));
      EXPECT_EQ(pool.available(), 1u);
      connection.consume_gathered();
      ASSERT_FALSE(connection.send(std::string(6000, 'S')));
      h.settle();
    }
    ASSERT_EQ(pool.available(), 2u);
    for (const std::size_t index : {0u, 1u}) EXPECT_EQ(is_wiped(pool.free_block(index)), wiped) << index;
  }
}

TEST(WipedBlocks, NothingElseIsWritten) {
  for (const bool wiped : {true, false}) {
    AtHandPool pool(1024, 1);
    if (wiped) pool.set_wiped();
    for (const std::size_t used : {0u, 1u, 500u, 1024u}) {
      for (const bool at_hand : {true, false}) {
        std::byte* const block = pool.acquire();
        std::fill_n(block, 1024, std::byte{'S'});
        if (at_hand) {
          pool.release_at_hand(block, used);
        } else {
          pool.release_used(block, used);
        }
        const ConstBytes found = pool.free_block(0);
        const auto zeros =
            std::count(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(used), std::byte{0});
        EXPECT_EQ(zeros, wiped ? static_cast<std::ptrdiff_t>(used) : 0);
        EXPECT_EQ(std::count(found.begin(), found.end(), std::byte{'S'}), 1024 - zeros);
      }
    }
  }
}

// --- the opening handshake ------------------------------------------------------------------------

class OpeningBench {
 public:
  OpeningBench(Role role, Returned& returned, bool wiped)
      : config(make_config(pool, entropy, nullptr, {})), endpoint(role, config), h(endpoint) {
    returned.watch(pool, wiped);
  }

  TestPool pool{20'000};
  ConstantEntropy entropy{0x37FA213D};
  Config config;
  Endpoint endpoint;
  EndpointHarness h;
};

template <class Run>
void expect_opening_wiped(Role role, Run run) {
  for (const bool wiped : {true, false}) {
    SCOPED_TRACE(wiped ? "wiped" : "not wiped");
    Returned returned;
    {
      OpeningBench bench(role, returned, wiped);
      run(bench);
    }
    returned.expect(wiped);
  }
}

const std::string head_text =
    "GET /?token=S HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer " +
    secret + "\r\nCookie: " + secret + "\r\n\r\n";

TEST(WipedBlocks, RequestsThatAreAccepted) {
  for (const bool bytewise : {false, true}) {
    expect_opening_wiped(Role::server, [&](OpeningBench& bench) {
      bench.h.handler = [&](const Event& event) {
        if (event.kind != EventKind::request) return;
        const Header cookie{"Set-Cookie", secret};
        EXPECT_FALSE(bench.endpoint.accept({.headers = std::span(&cookie, 1)}));
      };
      if (bytewise) {
        bench.h.feed_bytewise(bytes_of(head_text));
      } else {
        bench.h.feed(bytes_of(head_text));
      }
      EXPECT_EQ(bench.endpoint.state(), ReadyState::open);
      EXPECT_EQ(bench.pool.live(), 0u);
    });
  }
}

TEST(WipedBlocks, RequestsThatAreRefused) {
  expect_opening_wiped(Role::server, [](OpeningBench& bench) {
    bench.h.handler = [&](const Event& event) {
      if (event.kind != EventKind::request) return;
      EXPECT_FALSE(bench.endpoint.respond({.status = 404, .body = as_bytes(std::string_view(secret))}));
    };
    bench.h.feed(bytes_of(head_text));
    bench.h.eof();
    EXPECT_EQ(bench.pool.live(), 0u);
  });
  // By the engine itself: there is a second Authorization behind a line that is no header.
  expect_opening_wiped(Role::server, [](OpeningBench& bench) {
    const std::string head = head_text.substr(0, head_text.size() - 2);
    bench.h.feed(bytes_of(head + " " + secret));
    bench.h.eof();
    EXPECT_EQ(bench.endpoint.close_status().cause, errc::head_malformed);
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, RequestsThatEndEarly) {
  const Data half = bytes_of(head_text.substr(0, head_text.size() - 2));
  expect_opening_wiped(Role::server, [&](OpeningBench& bench) { bench.h.feed(half); });
  expect_opening_wiped(Role::server, [&](OpeningBench& bench) {
    bench.h.feed(half);
    bench.h.eof();
    EXPECT_EQ(bench.pool.live(), 0u);
  });
  expect_opening_wiped(Role::server, [](OpeningBench& bench) {
    bench.h.feed(bytes_of(head_text));  // nobody answers
    bench.h.abort(errc::aborted);
    EXPECT_EQ(bench.pool.live(), 0u);
  });
}

TEST(WipedBlocks, TheClientsRequest) {
  for (const std::string answer :
       {"", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 125\r\nX-Token: S\r\n\r\n", "HTTP/1.1 101 "}) {
    for (const bool aborted : {false, true}) {
      expect_opening_wiped(Role::client, [&](OpeningBench& bench) {
        const Header cookie{"Cookie", secret};
        ASSERT_FALSE(bench.endpoint.connect(
            {.host = "example.com", .headers = std::span(&cookie, 1), .authorization = secret}));
        bench.h.draining = !aborted;
        bench.h.settle();
        if (!answer.empty()) bench.h.feed(bytes_of(answer + secret));
        if (aborted) bench.h.abort(errc::aborted);
      });
    }
  }
}

}  // namespace
}  // namespace sansock::testing
