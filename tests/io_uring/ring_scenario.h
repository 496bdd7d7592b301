// The scenario of loop_scenario.h on an IoUringLoop.
#pragma once

#include "loop_scenario.h"
#include "sansock/io_uring_loop.h"

namespace scenario {

using RingLoop = sansock::IoUringLoop<PeerHandler>;
constexpr unsigned clients = 3;

// Three clients and their servers on one loop. Returns how many clients got all they wanted.
inline unsigned run_on_ring(Setting& setting, sansock::LoopOptions options = {}) {
  RingLoop loop(options);
  EXPECT_FALSE(loop.open());
  sansock::Socket listener;
  const std::uint16_t port = listen_on(listener);
  EXPECT_FALSE(loop.listen(listener.release(), [&](sansock::LoopSocket socket) {
    setting.add(loop, socket, sansock::Role::server);
  }));
  for (unsigned i = 0; i < clients; ++i) {
    sansock::Socket socket;
    EXPECT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, socket));
    setting.add(loop, socket.release(), sansock::Role::client);
  }
  EXPECT_TRUE(
      turn_until(loop, [&] { return loop.connections() == 0 && loop.counters().accepted == clients; }));
  return setting.completed();
}

}  // namespace scenario
