// Once a connection's windows are full, messages need no memory.
#include <gtest/gtest.h>

#include "codec_calls.h"
#include "document.h"
#include "malloc_trap.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

TEST(NoAllocation, MessagesAfterTheFirstOnes) {
  for (const bool takeover : {true, false}) {
    for (const std::uint8_t level : Levels{1, 2, 3, 6}) {
      DeflateParameters parameters;
      parameters.server_no_context_takeover = parameters.client_no_context_takeover = !takeover;
      DeflateOptions options;
      options.level = level;
      DeflateCodec codec;
      OpenStream stream(codec, Role::server, parameters, options);
      ZlibSender peer(15, takeover);
      std::vector<Data> texts, payloads;
      for (std::uint64_t i = 0; i < 40; ++i) {
        texts.push_back(bytes_of(bench::document(bench::Document::json, 100 + 100 * (i % 20), i)));
        payloads.push_back(peer.message(texts.back()));
      }
      const auto exchange = [&](std::size_t i) {
        const ConstBytes payload = view_of(payloads[i]);
        const std::size_t middle = i % 2 == 0 ? payload.size() : payload.size() / 2;
        if (middle < payload.size()) codec.inflate(*stream, payload.first(middle), false);
        const auto last =
            codec.inflate(*stream, payload.subspan(payload.size() == middle ? 0 : middle), true);
        const ConstBytes made = codec.deflate(*stream, view_of(texts[i]), true, no_limit);
        codec.deflated(*stream, view_of(texts[i]), true);
        codec.release(*stream);
        return last.error == errc::none && !last.more && !made.empty();
      };
      for (std::size_t i = 0; i < 20; ++i) ASSERT_TRUE(exchange(i));
      bool good = true;
      std::size_t allocations;
      {
        MallocTrap trap;
        for (std::size_t i = 20; i < 40; ++i) good = exchange(i) && good;
        allocations = trap.count();
      }
      EXPECT_TRUE(good);
      EXPECT_EQ(allocations, 0u) << int{level} << " " << takeover;
    }
  }
}

}  // namespace
}  // namespace sansock::testing
