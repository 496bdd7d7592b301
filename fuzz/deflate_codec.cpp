// A DeflateCodec between peers with a dedicated zlib stream in each direction. What we compress, zlib reads;
// what zlib compresses, we read; what anybody made up, we judge as a slow decoder does, however it is cut.
//
// Input: window bits and flags of both directions, level, our window, a ceiling of memory (0: none that
// matters); then operations, a byte each, with their arguments.
#include "codec_calls.h"

#include "check.h"
#include "input.h"
#include "slow_inflate.h"
#include "zlib_peer.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using fuzz::Input;

// In this order the bytes of the inputs name them: seeds.py makes some.
enum Operation {
  send_message,
  lose_part,
  receive_message,
  receive_raw,
  shared_message,
  trim,
  hold,
  operation_count
};

constexpr std::size_t run_max = 20'000;

class Session {
 public:
  explicit Session(Input& input) : input_(input) {
    const auto bits = [&] { return static_cast<std::uint8_t>(8 + input.below(8)); };
    parameters_.server_window_bits = bits();
    parameters_.client_window_bits = bits();
    const std::uint8_t flags = input.byte();
    parameters_.server_no_context_takeover = (flags & 1) != 0;
    parameters_.client_no_context_takeover = (flags & 2) != 0;
    role_ = (flags & 4) != 0 ? Role::client : Role::server;
    options_.level = static_cast<std::uint8_t>(1 + input.below(9));
    options_.own_window_bits_max = bits();
    const std::size_t ceiling = input.byte();
    if (ceiling != 0) memory_max_ = ceiling * 3000;
    const bool server = role_ == Role::server;
    send_takeover_ =
        !(server ? parameters_.server_no_context_takeover : parameters_.client_no_context_takeover);
    receive_takeover_ =
        !(server ? parameters_.client_no_context_takeover : parameters_.server_no_context_takeover);
    send_bits_ = server ? parameters_.server_window_bits : parameters_.client_window_bits;
    receive_bits_ = server ? parameters_.client_window_bits : parameters_.server_window_bits;
  }

  void run() {
    DeflateCodec codec(memory_max_);
    while (!input_.empty()) {
      {
        OpenStream stream(codec, role_, parameters_, options_);
        if (!stream.good()) {
          FUZZ_CHECK(memory_max_ < 400'000);
          return;
        }
        OpenStream other(codec, Role::server);
        converse(codec, stream, other);
      }
      codec.trim();
      FUZZ_CHECK(codec.memory_used() == 0 && codec.streams() == 0);
    }
  }

 private:
  // Until the stream is only good for close().
  void converse(DeflateCodec& codec, OpenStream& stream, OpenStream& other) {
    const int level = static_cast<int>(input_.below(10));
    const int memory_level = 1 + static_cast<int>(input_.below(9));
    const int strategy = static_cast<int>(input_.below(5));
    ZlibSender sender(receive_bits_, receive_takeover_, level, memory_level, strategy);
    ZlibReceiver receiver(send_takeover_);
    receiver_ = &receiver;
    sent_.clear();
    received_.clear();
    MessageCodec::Inflated held;
    Data held_text;
    while (!input_.empty()) {
      bool alive = true;
      switch (input_.below(operation_count)) {
        case send_message: send(stream); break;
        case lose_part: {
          const Data lost = text();
          const bool end = input_.flag();
          (void)codec.deflate(*stream, view_of(lost), end, input_.below(65536));
          break;
        }
        case receive_message: {
          const Data message = text();
          alive =
              take(stream, sender.message(message, input_.below(4) == 0 ? Z_FINISH : Z_SYNC_FLUSH), &message);
          break;
        }
        case receive_raw:
          // What the peer's compressor does not know of would confuse only itself.
          alive = take(stream, input_.run(), nullptr);
          if (alive) return;
          break;
        case shared_message: send_shared(codec, stream); break;
        case trim: codec.trim(); break;
        case hold:
          if (!other.good() || !held_text.empty()) break;
          held_text = text();
          held_input_ = ZlibSender(15, false).message(held_text);
          held = codec.inflate(*other, view_of(held_input_), true);
          held_text.resize(held.bytes.size());
          break;
        default: break;
      }
      FUZZ_CHECK(codec.memory_used() <= memory_max_);
      FUZZ_CHECK(bytes_of(ConstBytes(held.bytes)) == held_text,
                 "what was made for another stream has changed");
      if (!alive) return;
    }
  }

  // Refers to itself and to what went before, in either direction.
  Data text() {
    Data made;
    for (std::size_t parts = input_.below(4); parts > 0; --parts) {
      switch (input_.below(4)) {
        case 0: made = made + input_.run(); break;
        case 1: {
          const std::uint8_t fill = input_.byte();
          made = made + Data(input_.below(run_max), fill);
          break;
        }
        case 2: {
          const std::uint32_t seed = input_.byte();
          made = made + noise(input_.below(run_max), seed);
          break;
        }
        default: {
          const Data& from = input_.flag() ? sent_ : received_;
          const Data end = last_of(from, input_.below(65536));
          made = made +
                 Data(end.begin(), end.begin() + static_cast<long>(std::min(end.size(), input_.below(600))));
        }
      }
    }
    return made;
  }

  std::vector<Data> pieces(const Data& whole) {
    std::vector<Data> cut;
    std::size_t at = 0;
    for (std::size_t count = input_.below(6); count > 0; --count) {
      const std::size_t size = std::min(input_.below(2000), whole.size() - at);
      const auto begin = whole.begin() + static_cast<long>(at);
      cut.emplace_back(begin, begin + static_cast<long>(size));
      at += size;
    }
    cut.emplace_back(whole.begin() + static_cast<long>(at), whole.end());
    return cut;
  }

  void send(OpenStream& stream) {
    const Data whole = text();
    Data payload;
    Data queued;
    const std::vector<Data> parts = pieces(whole);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool last = i + 1 == parts.size();
      const auto made = testing::send_part(stream, parts[i], last);
      if (!made) {
        // Without memory. What was begun is ended, or nothing was sent at all.
        FUZZ_CHECK(memory_max_ < 2'000'000);
        if (i == 0) return;
        const auto end = testing::send_part(stream, {}, true);
        FUZZ_CHECK(end.has_value());
        payload = payload + *end;
        break;
      }
      payload = payload + *made;
      queued = queued + parts[i];
    }
    FUZZ_CHECK(!payload.empty());
    const auto read = receiver_->message(payload);
    FUZZ_CHECK(read.has_value() && *read == queued, "zlib does not read what was sent");
    const std::size_t window = std::size_t{1} << std::min<unsigned>(send_bits_, options_.own_window_bits_max);
    const SlowInflated second = slow_inflate(last_of(send_takeover_ ? sent_ : Data{}, window), payload);
    FUZZ_CHECK(second.verdict == Verdict::complete && second.text == queued && second.distance_max <= window);
    sent_ = sent_ + queued;
  }

  void send_shared(DeflateCodec& codec, OpenStream& stream) {
    const std::uint8_t bits = static_cast<std::uint8_t>(8 + input_.below(8));
    const bool good = codec.deflated_elsewhere(*stream, bits);
    FUZZ_CHECK(good == (bits <= send_bits_));
    if (!good) return;
    const Data shared = text();
    FUZZ_CHECK(receiver_->message(ZlibSender(bits, false).message(shared)) == shared);
    // What follows refers to nothing that is older.
    sent_.clear();
  }

  // false: the connection has failed.
  bool take(OpenStream& stream, const Data& payload, const Data* message) {
    const Data history = receive_takeover_ ? last_of(received_, std::size_t{1} << receive_bits_) : Data{};
    const SlowInflated expected = slow_inflate(history, payload);
    if (message != nullptr) FUZZ_CHECK(expected.verdict == Verdict::complete && expected.text == *message);
    const Received got = receive(stream, pieces(payload));
    if (got.error == errc::codec_exhausted) {
      FUZZ_CHECK(memory_max_ < 2'000'000 && got.text.size() <= expected.text.size());
      return false;
    }
    FUZZ_CHECK(got.text == expected.text, to_hex(payload));
    FUZZ_CHECK(got.error == (expected.verdict == Verdict::complete    ? errc::none
                             : expected.verdict == Verdict::truncated ? errc::compressed_data_truncated
                                                                      : errc::compressed_data_invalid),
               to_hex(payload));
    received_ = received_ + got.text;
    return got.error == errc::none;
  }

  Input& input_;
  Role role_ = Role::server;
  DeflateParameters parameters_;
  DeflateOptions options_;
  std::size_t memory_max_ = 16u << 20;
  bool send_takeover_ = true;
  bool receive_takeover_ = true;
  unsigned send_bits_ = 15;
  unsigned receive_bits_ = 15;
  ZlibReceiver* receiver_ = nullptr;
  Data sent_;
  Data received_;
  Data held_input_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Session(input).run();
  return 0;
}
