// Compression: a DeflateCodec with its defaults beside dedicated zlib streams, as most libraries have them.
// One item is a message; counters say how many times shorter it got, and what a connection holds between two
// messages.
#include <zlib.h>

#include <cstdlib>

#include "document.h"
#include "sansock/deflate_codec.h"
#include "suite.h"

namespace sansock::bench {
namespace {

constexpr std::size_t document_sizes[] = {125, 1024, 16384, 1 << 20};
// What we ask of our peers, and use ourselves.
constexpr unsigned window_bits = 12;

struct Traffic {
  Document kind;
  bool takeover;
  std::size_t size;

  // Far more than a window holds, so that no message meets itself.
  std::size_t messages() const { return std::max<std::size_t>(2, (256u << 10) / size); }
  std::string name() const {
    const std::string kind_name = kind == Document::json   ? "json"
                                  : kind == Document::html ? "html"
                                                           : "random";
    return kind_name + (takeover ? "_takeover" : "_alone");
  }
  std::vector<std::string> texts() const {
    DocumentWriter writer(size);
    std::vector<std::string> made;
    for (std::size_t i = 0; i < messages(); ++i) made.push_back(writer.write(kind, size));
    return made;
  }
};

voidpf counted_acquire(voidpf held, uInt items, uInt size) {
  *static_cast<std::size_t*>(held) += std::size_t{items} * size;
  return std::calloc(items, size);
}
void counted_release(voidpf, voidpf address) { std::free(address); }

z_stream counted_stream(std::size_t& held) {
  z_stream stream{};
  stream.zalloc = counted_acquire;
  stream.zfree = counted_release;
  stream.opaque = &held;
  return stream;
}

Bytef* input_of(const std::string& text) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
}

class ZlibDeflater {
 public:
  ZlibDeflater(const Traffic& traffic, int level, unsigned bits = 15)
      : stream_(counted_stream(held_)), takeover_(traffic.takeover), output_(2 * traffic.size + 1000) {
    deflateInit2(&stream_, level, Z_DEFLATED, -static_cast<int>(bits), 8, Z_DEFAULT_STRATEGY);
  }
  ZlibDeflater(const ZlibDeflater&) = delete;
  ZlibDeflater& operator=(const ZlibDeflater&) = delete;
  ~ZlibDeflater() { deflateEnd(&stream_); }

  std::string_view run(const std::string& text) {
    if (!takeover_) deflateReset(&stream_);
    stream_.next_in = input_of(text);
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = output_.data();
    stream_.avail_out = static_cast<uInt>(output_.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    return {reinterpret_cast<const char*>(output_.data()), output_.size() - stream_.avail_out - 4};
  }
  std::size_t held() const { return held_; }

 private:
  std::size_t held_ = 0;
  z_stream stream_;
  bool takeover_;
  std::vector<Bytef> output_;
};

class ZlibInflater {
 public:
  explicit ZlibInflater(const Traffic& traffic)
      : stream_(counted_stream(held_)), takeover_(traffic.takeover), output_(64u << 10) {
    inflateInit2(&stream_, -15);
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;
  ~ZlibInflater() { inflateEnd(&stream_); }

  std::size_t run(const std::string& payload) {
    if (!takeover_) inflateReset(&stream_);
    static Bytef tail[] = {0x00, 0x00, 0xFF, 0xFF};
    return feed(input_of(payload), payload.size()) + feed(tail, sizeof tail);
  }
  std::size_t held() const { return held_; }

 private:
  std::size_t feed(Bytef* input, std::size_t size) {
    stream_.next_in = input;
    stream_.avail_in = static_cast<uInt>(size);
    std::size_t made = 0;
    do {
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uInt>(output_.size());
      inflate(&stream_, Z_SYNC_FLUSH);
      made += output_.size() - stream_.avail_out;
    } while (stream_.avail_out == 0);
    return made;
  }

  std::size_t held_ = 0;
  z_stream stream_;
  bool takeover_;
  std::vector<Bytef> output_;
};

// One connection of a codec.
class Connection {
 public:
  explicit Connection(const Traffic& traffic) {
    DeflateParameters parameters;
    parameters.server_no_context_takeover = parameters.client_no_context_takeover = !traffic.takeover;
    parameters.client_window_bits = window_bits;
    stream_ = codec_.open(Role::server, parameters, {});
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { codec_.close(*stream_); }

  std::string_view deflate(const std::string& text) {
    const ConstBytes payload = as_bytes(text);
    const ConstBytes made = codec_.deflate(*stream_, payload, true, 2 * text.size());
    codec_.deflated(*stream_, payload, true);
    return as_text(made);
  }
  std::size_t inflate(const std::string& payload) {
    ConstBytes left = as_bytes(payload);
    std::size_t made = 0;
    for (;;) {
      const auto step = codec_.inflate(*stream_, left, true);
      made += step.bytes.size();
      if (step.error != errc::none) return 0;
      left = left.subspan(step.consumed);
      if (!step.more) break;
    }
    codec_.release(*stream_);
    return made;
  }
  std::size_t held() {
    codec_.trim();
    return codec_.memory_used();
  }

 private:
  DeflateCodec codec_;
  CodecStream* stream_;
};

void declare(const std::string& suite, const std::string& who, const Traffic& traffic, Body body) {
  add(suite + "/" + traffic.name() + "/" + who, traffic.size, "batch", traffic.messages(), std::move(body));
}

// `make()` gives what compresses by run(text).
template <class Make>
void add_deflater(const std::string& who, const Traffic& traffic, Make make) {
  declare("deflate", who, traffic, [=](benchmark::State& state) {
    const std::vector<std::string> texts = traffic.texts();
    auto deflater = make();
    std::size_t short_bytes = 0;
    for (int round = 0; round < 2; ++round) {
      short_bytes = 0;
      for (const std::string& text : texts) short_bytes += deflater->run(text).size();
    }
    std::size_t i = 0;
    for (auto _ : state) {
      benchmark::DoNotOptimize(deflater->run(texts[i]));
      if (++i == texts.size()) i = 0;
    }
    count(state, 1, traffic.size);
    state.counters["ratio"] =
        static_cast<double>(traffic.size * texts.size()) / static_cast<double>(short_bytes);
    state.counters["held"] = static_cast<double>(deflater->held());
  });
}

// The payloads of the second round refer to the same texts as those of each later one.
template <class Make>
void add_inflater(const std::string& who, const Traffic& traffic, Make make) {
  declare("inflate", who, traffic, [=](benchmark::State& state) {
    const std::vector<std::string> texts = traffic.texts();
    ZlibDeflater sender(traffic, 6, window_bits);
    std::vector<std::string> rounds[2];
    for (auto& payloads : rounds) {
      for (const std::string& text : texts) payloads.emplace_back(sender.run(text));
    }
    auto inflater = make();
    for (const std::string& payload : rounds[0]) {
      if (inflater->run(payload) != traffic.size) return state.SkipWithError("a message is damaged");
    }
    std::size_t i = 0;
    std::size_t made = 0;
    for (auto _ : state) {
      made += inflater->run(rounds[1][i]);
      if (++i == texts.size()) i = 0;
    }
    if (made != traffic.size * static_cast<std::size_t>(state.iterations()))
      return state.SkipWithError("a message is damaged");
    count(state, 1, traffic.size);
    state.counters["held"] = static_cast<double>(inflater->held());
  });
}

struct OurDeflater : Connection {
  using Connection::Connection;
  std::string_view run(const std::string& text) { return deflate(text); }
};
struct OurInflater : Connection {
  using Connection::Connection;
  std::size_t run(const std::string& payload) { return inflate(payload); }
};

}  // namespace

void add_deflate() {
  for (const Document kind : {Document::json, Document::html, Document::random}) {
    for (const bool takeover : {true, false}) {
      for (const std::size_t size : document_sizes) {
        const Traffic traffic{kind, takeover, size};
        add_deflater("sansock", traffic, [=] { return std::make_unique<OurDeflater>(traffic); });
        for (const int level : {1, 6})
          add_deflater("zlib" + std::to_string(level), traffic,
                       [=] { return std::make_unique<ZlibDeflater>(traffic, level); });
        add_inflater("sansock", traffic, [=] { return std::make_unique<OurInflater>(traffic); });
        add_inflater("zlib", traffic, [=] { return std::make_unique<ZlibInflater>(traffic); });
      }
    }
  }
}

}  // namespace sansock::bench
