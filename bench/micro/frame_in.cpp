// Masked frames into a server's Connection: feed() once for a read's worth of frames, poll() to the end.
#include "engine.h"
#include "sansock/connection.h"
#include "suite.h"

namespace sansock::bench {

namespace {

class EngineTaker {
 public:
  std::size_t take(Buffer& stream) {
    std::size_t messages = 0;
    connection_.feed(bytes_of(stream), now);
    while (const Event event = connection_.poll()) {
      benchmark::DoNotOptimize(event.bytes.data());
      if (event.kind == EventKind::data && event.end) ++messages;
    }
    return messages;
  }

 private:
  Setting setting_;
  Connection connection_{Role::server, setting_.config};
};

// Copies the payload of each frame: what a program pays at least to have it somewhere else.
class CopyTaker {
 public:
  explicit CopyTaker(std::size_t size) : size_(size), destination_(std::make_unique<Buffer>(size, 0)) {}
  std::size_t take(Buffer& stream) {
    const std::size_t frames = frames_at_once(size_);
    const std::size_t stride = stream.size() / frames;
    const std::uint8_t* source = stream.data() + (stride - size_);
    for (std::size_t i = 0; i < frames; ++i, source += stride) {
      std::memcpy(destination_->data(), source, size_);
      benchmark::ClobberMemory();
    }
    return frames;
  }

 private:
  std::size_t size_;
  std::unique_ptr<Buffer> destination_;
};

}  // namespace

void add_frame_in() {
  add_frame_in("sansock", [](std::size_t) { return EngineTaker(); });
  add_frame_in("memcpy", [](std::size_t size) { return CopyTaker(size); });
}

}  // namespace sansock::bench
