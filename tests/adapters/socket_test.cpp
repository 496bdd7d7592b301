#include "sansock/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "sansock/error.h"

namespace {

using namespace sansock;

// A folder of its own, removed at the end.
class SocketFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sansock-socket-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/s";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
  std::string path_;
};

TEST(Socket, ListensAndConnectsOverBothFamilies) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Socket listener;
    ASSERT_FALSE(listen_tcp({.host = host}, listener)) << host;
    const Address bound = local_address(listener.fd());
    EXPECT_EQ(bound.host, host);
    EXPECT_NE(bound.port, 0);
    Socket client;
    ASSERT_FALSE(connect_tcp({.host = host, .port = bound.port, .timeout = std::chrono::seconds(5)}, client));
    const Socket server(accept_nonblocking(listener.fd()));
    ASSERT_TRUE(server.valid());
    EXPECT_EQ(remote_address(server.fd()), local_address(client.fd()));
    EXPECT_EQ(remote_address(client.fd()), bound);
    for (const int fd : {listener.fd(), client.fd(), server.fd()}) {
      EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
      EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    }
  }
}

TEST(Socket, AddressesAreReadable) {
  EXPECT_EQ((Address{Address::Family::ipv4, "127.0.0.1", 80}.text()), "127.0.0.1:80");
  EXPECT_EQ((Address{Address::Family::ipv6, "::1", 80}.text()), "[::1]:80");
  EXPECT_EQ((Address{Address::Family::unix_path, "/run/x", 0}.text()), "unix:/run/x");
  EXPECT_EQ(Address{}.text(), "unknown");
  EXPECT_EQ(remote_address(-1), Address{});
}

TEST(Socket, EveryAddressMeansIpv4Too) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({.host = ""}, listener));
  Socket client;
  EXPECT_FALSE(connect_tcp({.host = "127.0.0.1", .port = local_address(listener.fd()).port}, client));
}

TEST(Socket, AUsedPortIsAnErrorUnlessShared) {
  Socket first;
  ASSERT_FALSE(listen_tcp({.reuse_port = true}, first));
  const std::uint16_t port = local_address(first.fd()).port;
  Socket second;
  EXPECT_EQ(listen_tcp({.port = port}, second), std::errc::address_in_use);
  EXPECT_FALSE(second.valid());
  EXPECT_FALSE(listen_tcp({.port = port, .reuse_port = true}, second));
}

// As what a killed process had in a ring does.
TEST(Socket, APortThatSoonBecomesFreeIsWaitedFor) {
  Socket dying;
  ASSERT_FALSE(listen_tcp({}, dying));
  const std::uint16_t port = local_address(dying.fd()).port;
  std::thread end([&dying] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    dying.reset();
  });
  Socket next;
  EXPECT_FALSE(listen_tcp({.port = port}, next));
  end.join();
}

TEST(Socket, NobodyThereIsRefused) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({}, listener));
  const std::uint16_t port = local_address(listener.fd()).port;
  listener.reset();
  Socket client;
  EXPECT_EQ(connect_tcp({.host = "127.0.0.1", .port = port}, client), std::errc::connection_refused);
  EXPECT_FALSE(client.valid());
}

TEST(Socket, AnUnknownHostSaysSo) {
  Socket client;
  const std::error_code error = connect_tcp({.host = "no-such-host.invalid", .port = 80}, client);
  EXPECT_TRUE(error);
  EXPECT_STREQ(error.category().name(), "getaddrinfo");
  EXPECT_FALSE(error.message().empty());
}

// A listener whose backlog is full does not answer: the time limit is over all attempts.
TEST(Socket, ConnectHasATimeLimit) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({.backlog = 0}, listener));
  const std::uint16_t port = local_address(listener.fd()).port;
  std::vector<Socket> fill(8);
  std::error_code error;
  for (Socket& socket : fill) {
    error =
        connect_tcp({.host = "127.0.0.1", .port = port, .timeout = std::chrono::milliseconds(100)}, socket);
    if (error) break;
  }
  EXPECT_EQ(error, errc::connect_timeout);
}

TEST(Socket, BindsToALocalAddress) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({}, listener));
  Socket client;
  ASSERT_FALSE(connect_tcp(
      {.host = "127.0.0.1", .port = local_address(listener.fd()).port, .local_address = "127.0.0.7"},
      client));
  EXPECT_EQ(local_address(client.fd()).host, "127.0.0.7");
}

TEST_F(SocketFile, ListensAndConnects) {
  Socket listener;
  ASSERT_FALSE(listen_unix(path_, 16, listener));
  Socket client;
  ASSERT_FALSE(connect_unix(path_, std::chrono::seconds(1), client));
  EXPECT_EQ(remote_address(client.fd()).text(), "unix:" + path_);
}

TEST_F(SocketFile, AStaleFileIsReplacedALiveOneNot) {
  Socket listener;
  ASSERT_FALSE(listen_unix(path_, 16, listener));
  Socket second;
  EXPECT_EQ(listen_unix(path_, 16, second), std::errc::address_in_use);
  listener.reset();  // its file stays behind
  EXPECT_FALSE(listen_unix(path_, 16, second));
}

TEST_F(SocketFile, AFileThatSoonBecomesStaleIsReplaced) {
  Socket dying;
  ASSERT_FALSE(listen_unix(path_, 16, dying));
  std::thread end([&dying] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    dying.reset();
  });
  Socket next;
  EXPECT_FALSE(listen_unix(path_, 16, next));
  end.join();
  Socket client;
  EXPECT_FALSE(connect_unix(path_, std::chrono::seconds(1), client));
}

TEST_F(SocketFile, AnotherFileIsLeftAlone) {
  std::fclose(std::fopen(path_.c_str(), "w"));
  Socket listener;
  EXPECT_EQ(listen_unix(path_, 16, listener), std::errc::address_in_use);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(SocketFile, APathThatDoesNotFitSaysSo) {
  Socket socket;
  EXPECT_EQ(listen_unix(folder_ + "/" + std::string(120, 'x'), 16, socket), std::errc::filename_too_long);
  EXPECT_EQ(connect_unix(std::string("/tmp/a\0b", 8), no_timeout, socket), std::errc::filename_too_long);
}

}  // namespace
