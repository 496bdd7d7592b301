// What went over TLS lies in no free block afterwards: neither what was sent nor what came in a head.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>

#include "sansock/socket.h"

#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

// The chunks of memory that the pools of this process have: only they are told not to become huge pages.
class Chunks {
 public:
  void add(void* memory, std::size_t size) {
    const std::lock_guard lock(mutex_);
    chunks_[memory] = size;
  }
  void remove(void* memory) {
    const std::lock_guard lock(mutex_);
    chunks_.erase(memory);
  }
  std::size_t count(std::string_view needle) const {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const auto& [memory, size] : chunks_) {
      // As a debugger would: other threads may be using their parts of it.
      std::string text(size, '\0');
      const Socket own_memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
      EXPECT_EQ(::pread(own_memory.fd(), text.data(), size,
                        static_cast<off_t>(reinterpret_cast<std::uintptr_t>(memory))),
                static_cast<ssize_t>(size));
      for (std::size_t at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + 1)) {
        ++count;
      }
    }
    return count;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return chunks_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::map<void*, std::size_t> chunks_;
};
Chunks chunks;

}  // namespace

// The system calls of the pools.
extern "C" int __real_madvise(void* memory, std::size_t size, int advice);
extern "C" int __real_munmap(void* memory, std::size_t size);
extern "C" int __wrap_madvise(void* memory, std::size_t size, int advice);
extern "C" int __wrap_munmap(void* memory, std::size_t size);

extern "C" int __wrap_madvise(void* memory, std::size_t size, int advice) {
  if (advice == MADV_NOHUGEPAGE) chunks.add(memory, size);
  return __real_madvise(memory, size, advice);
}
extern "C" int __wrap_munmap(void* memory, std::size_t size) {
  chunks.remove(memory);
  return __real_munmap(memory, size);
}

namespace {

class Wiping : public TlsServerTest {
 protected:
  // Half of it, so that this program's own text and the needle are not found.
  static std::string secret() { return std::string("correct horse ") + "battery staple"; }
  static std::string needle() { return secret().substr(4); }

  // Says it in every way there is, and hangs up; then no block is in use.
  void tell(ClientOptions options, const std::string& url) {
    options.headers = {{"X-Secret", secret()}};
    options.authorization = "user:" + secret();
    Client client(options);
    ASSERT_FALSE(client.connect(url));
    std::string message;
    while (message.size() < 100'000) message += secret() + " ";
    for (const std::size_t size : {std::size_t{40}, std::size_t{1000}, std::size_t{20'000}, message.size()}) {
      const std::string part = message.substr(0, size);
      EXPECT_TRUE(echoed(client, part) == part);
    }
    EXPECT_TRUE(client.ping_and_wait(std::chrono::seconds(20)));
    EXPECT_FALSE(client.ping(as_bytes(secret())));
    EXPECT_EQ(echoed(client, "x"), "x");
    EXPECT_FALSE(client.close(CloseCode::normal, secret()));
    EXPECT_TRUE(eventually([this] { return server().connections() == 0; }));
    EXPECT_GT(chunks.size(), 0u);
    found_ = chunks.count(needle());
    client.terminate();
  }
  void serve() {
    make();
    server().route("/", echo());
  }

  std::size_t found_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Places, Wiping, every_adapter, place_name);

TEST_P(Wiping, LeavesNothingInFreeBlocks) {
  serve();
  start_tls();
  tell(tls_client_options(), tls_url());
  EXPECT_EQ(found_, 0u);
}

// Without TLS it is not done, which costs time; and it shows that the test can fail. A blocking server's
// blocks go with their connection.
TEST_P(Wiping, IsNotDoneWithoutTls) {
  if (GetParam().adapter == Adapter::blocking) return;
  serve();
  start();
  tell(client_options(), url());
  EXPECT_GT(found_, 0u);
}

}  // namespace
}  // namespace sansock::test
