// How every benchmark here is declared, so that the table can put them side by side:
//
//   suite/variant/who/size:N/offset:N     (or batch:N)
//
// `who` is sansock, memcpy or a peer. Time is that of the processor for one item: a buffer or a message.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payload.h"

namespace sansock::bench {

inline constexpr std::size_t sizes[] = {16, 125, 1024, 65536};
inline constexpr std::size_t offsets[] = {0, 1, 3, 15};

using Body = std::function<void(benchmark::State&)>;

inline void add(const std::string& name, std::size_t size, const char* second, std::size_t value, Body body) {
  const std::string whole =
      name + "/size:" + std::to_string(size) + "/" + second + ":" + std::to_string(value);
  benchmark::RegisterBenchmark(whole.c_str(),
                               [body = std::move(body)](benchmark::State& state) { body(state); });
}

// What one iteration did.
inline void count(benchmark::State& state, std::size_t items, std::size_t bytes_each) {
  const auto all = static_cast<std::int64_t>(items) * static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(all);
  state.SetBytesProcessed(all * static_cast<std::int64_t>(bytes_each));
}

inline std::size_t rounds(const benchmark::State& state) {
  return static_cast<std::size_t>(state.iterations());
}

// As many as are used in turn. With one alone, what works in place would read what it wrote a few
// nanoseconds ago, and wait for stores that overlap its loads; input comes from elsewhere. A power of two.
inline std::size_t buffers_at_once(std::size_t size) { return size <= 1024 ? 8 : 1; }

// Runs `work(buffer)` over buffers of each size at each offset.
template <class Work>
void add_over_buffers(const std::string& name, Content content, Work work) {
  for (const std::size_t size : sizes) {
    for (const std::size_t offset : offsets) {
      add(name, size, "offset", offset, [=](benchmark::State& state) {
        std::vector<std::unique_ptr<Buffer>> buffers(buffers_at_once(size));
        for (auto& buffer : buffers) buffer = std::make_unique<Buffer>(content_of(content, size), offset);
        std::size_t i = 0;
        for (auto _ : state) {
          work(*buffers[i++ & (buffers.size() - 1)]);
          benchmark::ClobberMemory();
        }
        count(state, 1, size);
      });
    }
  }
}

// The same between two buffers; the destination lies at the start of a cache line.
template <class Work>
void add_over_copies(const std::string& name, Content content, Work work) {
  for (const std::size_t size : sizes) {
    for (const std::size_t offset : offsets) {
      add(name, size, "offset", offset, [=](benchmark::State& state) {
        Buffer source(content_of(content, size), offset);
        Buffer destination(size, 0);
        for (auto _ : state) {
          work(destination, source);
          benchmark::ClobberMemory();
        }
        count(state, 1, size);
      });
    }
  }
}

inline void add_memcpy(const std::string& name) {
  add_over_copies(name + "/memcpy", Content::binary, [](Buffer& destination, Buffer& source) {
    std::memcpy(destination.data(), source.data(), source.size());
  });
}

// Each `make(size)` gives something that takes a stream of frames in and counts the messages.
template <class Make>
void add_frame_in(const std::string& who, Make make) {
  for (const Content content : {Content::binary, Content::ascii, Content::mixed}) {
    const char* const variant = content == Content::binary  ? "binary"
                                : content == Content::ascii ? "ascii"
                                                            : "mixed";
    for (const std::size_t size : sizes) {
      const std::size_t frames = frames_at_once(size);
      add("frame_in/" + std::string(variant) + "/" + who, size, "batch", frames,
          [=](benchmark::State& state) {
            Buffer stream(frame_stream(content, size, frames, true), 0);
            auto taker = make(size);
            std::size_t messages = 0;
            for (auto _ : state) {
              messages += taker.take(stream);
              benchmark::ClobberMemory();
            }
            // A parser that stopped at an error is not to look fast.
            if (messages != frames * rounds(state)) return state.SkipWithError("messages are missing");
            count(state, frames, size);
          });
    }
  }
}

// Each `make(client)` gives something that sends a payload `batch` times, takes the output away and
// counts its bytes.
template <class Make>
void add_frame_out(const std::string& who, Make make) {
  for (const bool client : {false, true}) {
    for (const std::size_t size : sizes) {
      for (const std::size_t batch : {std::size_t{1}, std::size_t{16}}) {
        add(std::string("frame_out/") + (client ? "client/" : "server/") + who, size, "batch", batch,
            [=](benchmark::State& state) {
              Buffer payload(content_of(Content::binary, size), 0);
              auto sender = make(client);
              std::size_t bytes = 0;
              for (auto _ : state) {
                bytes += sender.send(payload, batch);
                benchmark::ClobberMemory();
              }
              if (bytes < size * batch * rounds(state)) return state.SkipWithError("output is missing");
              count(state, batch, size);
            });
      }
    }
  }
}

void add_mask();
void add_utf8();
void add_fused();
void add_frame_in();
void add_frame_out();
void add_handshake();
void add_deflate();
void add_wslay();
void add_beast();
void add_websocketpp();

}  // namespace sansock::bench
