// Messages out of a Connection: send() each, then gather(), consume() and poll() as around a write.
#include "engine.h"
#include "sansock/connection.h"
#include "suite.h"

namespace sansock::bench {

namespace {

class EngineSender {
 public:
  explicit EngineSender(bool client) : connection_(client ? Role::client : Role::server, setting_.config) {}

  std::size_t send(Buffer& payload, std::size_t batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      if (connection_.send(MessageType::binary, bytes_of(payload))) return 0;
    }
    std::size_t written = 0;
    IoSlice slices[16];
    while (const std::size_t count = connection_.gather(slices)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; ++i) size += slices[i].size;
      benchmark::DoNotOptimize(slices[0].base);
      connection_.consume(size, now);
      while (connection_.poll()) continue;
      written += size;
    }
    return written;
  }

 private:
  Setting setting_{128};  // 16 messages of 64 KiB
  Connection connection_;
};

class CopySender {
 public:
  std::size_t send(Buffer& payload, std::size_t batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      std::memcpy(destination_->data(), payload.data(), payload.size());
      benchmark::ClobberMemory();
    }
    return batch * payload.size();
  }

 private:
  std::unique_ptr<Buffer> destination_ = std::make_unique<Buffer>(sizes[std::size(sizes) - 1], 0);
};

}  // namespace

void add_frame_out() {
  add_frame_out("sansock", [](bool client) { return EngineSender(client); });
  add_frame_out("memcpy", [](bool) { return CopySender(); });
}

}  // namespace sansock::bench
