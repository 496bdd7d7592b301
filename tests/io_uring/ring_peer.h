// A server connection on an IoUringLoop, with a scripted handler, and a raw socket as its peer.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "ring_faults.h"
#include "sansock/io_uring_loop.h"
#include "scripted_peer.h"
#include "test_loops.h"

namespace sansock {

class RingPeer : public testing::Test {
 protected:
  using Loop = IoUringLoop<scripted::Handler>;

  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
  void make_loop(LoopOptions options) {
    options.large_receive_min = large_receive_min;
    loop = std::make_unique<Loop>(options);
    ASSERT_FALSE(loop->open());
  }
  void start(scripted::Handler::Script script = {}, LoopOptions options = {}) {
    make_loop(options);
    id = *loop->add(scripted::make_pair(peer), Role::server, resources.config, &record, std::move(script));
  }
  // The same over TCP, as a direct descriptor where there are any.
  void start_accepted(scripted::Handler::Script script = {}, LoopOptions options = {}) {
    make_loop(options);
    Socket listener;
    ASSERT_FALSE(listen_tcp({}, listener));
    const std::uint16_t port = local_address(listener.fd()).port;
    bool accepted = false;
    ASSERT_FALSE(loop->listen(listener.release(), [&, script](LoopSocket socket) {
      id = *loop->add(socket, Role::server, resources.config, &record, script);
      direct = socket.direct;
      accepted = true;
    }));
    Socket socket;
    ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, socket));
    peer = scripted::Peer(socket.release());
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return accepted; }));
    loop->stop_accepting();
  }
  void open_peer() {
    peer.send(scripted::request());
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return !peer.receive().empty(); }));
  }
  // Commands that are given from outside.
  template <class Command>
  void with_endpoint(Command command) {
    Driver<scripted::Handler>* const driver = loop->find(id);
    ASSERT_NE(driver, nullptr);
    command(driver->endpoint());
    loop->touch(id);
  }
  void resume() {
    loop->find(id)->resume_reading();
    loop->touch(id);
  }
  bool wait_for_end() {
    return scripted::turn_until(*loop, [&] { return record.gone != 0; });
  }
  void expect_sound_end() {
    EXPECT_EQ(record.closed, 1);
    EXPECT_EQ(record.gone, 1);
    EXPECT_EQ(resources.pool.in_use(), 0u);
  }

  scripted::Resources resources;
  scripted::Record record;
  scripted::Peer peer;
  std::unique_ptr<Loop> loop;
  ConnectionId id;
  bool direct = false;
  std::size_t large_receive_min = LoopOptions().large_receive_min;
};

}  // namespace sansock
