// Listening and connecting where more than one address or an interrupted call is involved.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "sansock/clock.h"
#include "sansock/error.h"
#include "sansock/socket.h"
#include "system_calls.h"

namespace {

using namespace sansock;

class ConnectTest : public ::testing::Test {
 protected:
  // Makes look-ups answer with 127.0.0.2 and 127.0.0.1, both at `port`.
  void resolve_to_two(std::uint16_t port) {
    const char* const hosts[2] = {"127.0.0.2", "127.0.0.1"};
    for (int i = 0; i < 2; ++i) {
      addresses_[i] = {};
      addresses_[i].sin_family = AF_INET;
      addresses_[i].sin_port = htons(port);
      ASSERT_EQ(inet_pton(AF_INET, hosts[i], &addresses_[i].sin_addr), 1);
    }
    system_calls::getaddrinfo = [this](addrinfo** list) {
      *list = nullptr;
      for (int i = 1; i >= 0; --i) {
        // As the C library lays them out, so that its freeaddrinfo() takes them: one allocation each.
        auto* const entry = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo) + sizeof(sockaddr_in)));
        entry->ai_family = AF_INET;
        entry->ai_socktype = SOCK_STREAM;
        entry->ai_addr = reinterpret_cast<sockaddr*>(entry + 1);
        entry->ai_addrlen = sizeof(sockaddr_in);
        std::memcpy(entry->ai_addr, &addresses_[i], sizeof(sockaddr_in));
        entry->ai_next = *list;
        *list = entry;
      }
      return 0;
    };
  }

  system_calls::Restore restore;

 private:
  sockaddr_in addresses_[2]{};
};

// The time is for all addresses together: one that never answers must leave some to the others.
TEST_F(ConnectTest, ASilentAddressLeavesTimeForTheNext) {
  Socket silent;
  Socket good;
  std::uint16_t port = 0;
  // A port that is free at one address may be that of somebody's connection at the other.
  for (int tries = 0; tries < 100 && !good.valid(); ++tries) {
    ASSERT_FALSE(listen_tcp({.host = "127.0.0.2", .backlog = 0}, silent));
    port = local_address(silent.fd()).port;
    if (listen_tcp({.host = "127.0.0.1", .port = port}, good)) good.reset();
  }
  ASSERT_TRUE(good.valid());
  // With its backlog full a listener lets further connection requests unanswered.
  std::vector<Socket> fillers(4);
  for (Socket& filler : fillers) {
    (void)connect_tcp({.host = "127.0.0.2", .port = port, .timeout = std::chrono::milliseconds(100)}, filler);
  }
  ASSERT_FALSE(fillers.back().valid()) << "the silent address answers";

  resolve_to_two(port);
  Socket socket;
  const Instant before = MonotonicClock::now();
  const auto error = connect_tcp({.host = "both", .port = port, .timeout = std::chrono::seconds(2)}, socket);
  EXPECT_FALSE(error) << error.message();
  EXPECT_EQ(remote_address(socket.fd()).host, "127.0.0.1");
  EXPECT_LE(MonotonicClock::now() - before, std::chrono::seconds(2));

  good.reset();  // refuses from here on: the last address decides about the error
  const auto refused =
      connect_tcp({.host = "both", .port = port, .timeout = std::chrono::seconds(1)}, socket);
  EXPECT_EQ(refused, std::errc::connection_refused) << refused.message();
}

// A machine without IPv6 still has names with IPv6 addresses.
TEST_F(ConnectTest, AFamilyThatTheMachineHasNotIsPassedOver) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({.host = "127.0.0.1"}, listener));
  const std::uint16_t port = local_address(listener.fd()).port;
  resolve_to_two(port);
  bool first = true;
  system_calls::socket = [&](int family) {
    if (!std::exchange(first, false)) return system_calls::real_socket(family);
    errno = EAFNOSUPPORT;
    return -1;
  };
  Socket socket;
  const auto error = connect_tcp({.host = "both", .port = port, .timeout = std::chrono::seconds(5)}, socket);
  EXPECT_FALSE(error) << error.message();
}

class UnixListenTest : public ConnectTest {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/sansock-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path = directory_ + "/socket";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  ino_t inode() const {
    struct stat file {};
    return stat(path.c_str(), &file) == 0 ? file.st_ino : 0;
  }
  std::string path;

 private:
  std::string directory_;
};

// Only a refused connection proves that nobody serves a socket file; anything else might be a live one.
TEST_F(UnixListenTest, ALiveSocketFileSurvivesAnyFailedProbe) {
  Socket live;
  ASSERT_FALSE(listen_unix(path, 16, live));
  const ino_t before = inode();
  for (const int error : {EINTR, EACCES, EAGAIN, EMFILE, EPROTOTYPE}) {
    system_calls::connect = [error](int) {
      errno = error;
      return -1;
    };
    Socket other;
    EXPECT_EQ(listen_unix(path, 16, other), std::errc::address_in_use) << error;
    EXPECT_EQ(inode(), before) << error;
  }
}

}  // namespace
