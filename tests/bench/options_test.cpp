#include "options.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tls.h"

namespace {

TEST(Options, ParsesTargets) {
  const load::Target target = load::parse_target("ws://localhost:9001/chat?a=b");
  EXPECT_TRUE(target.websocket);
  EXPECT_EQ(target.authority, "localhost:9001");
  EXPECT_EQ(target.path, "/chat?a=b");
  EXPECT_EQ(ntohs(target.address.sin_port), 9001);
  EXPECT_EQ(ntohl(target.address.sin_addr.s_addr), INADDR_LOOPBACK);
  EXPECT_FALSE(target.tls);
  EXPECT_FALSE(load::parse_target("tcp://127.0.0.2:1").websocket);
  EXPECT_FALSE(load::parse_target("tcp://127.0.0.2:1").tls);
  EXPECT_FALSE(load::parse_target("tls://127.0.0.2:1").websocket);
  EXPECT_TRUE(load::parse_target("tls://127.0.0.2:1").tls);
  const load::Target secure = load::parse_target("wss://127.0.0.1:443/a");
  EXPECT_TRUE(secure.websocket && secure.tls);
  EXPECT_EQ(secure.path, "/a");
  EXPECT_EQ(load::parse_target("ws://127.0.0.1:80").path, "/");
}

TEST(Options, RefusesOtherTargets) {
  for (const char* url :
       {"", "ws://", "ws://127.0.0.1", "wss://127.0.0.1/", "tls://127.0.0.1/", "http://127.0.0.1:1/",
        "ws://127.0.0.1:65536/", "ws://127.0.0.1:/", "ws://127.0.0.1:1x/", "ws://example:80/"}) {
    EXPECT_THROW(load::parse_target(url), std::invalid_argument) << url;
  }
}

TEST(Options, ParsesListsOfCpus) {
  EXPECT_EQ(load::parse_cpus(""), (std::vector<int>{}));
  EXPECT_EQ(load::parse_cpus("1"), (std::vector<int>{1}));
  EXPECT_EQ(load::parse_cpus("0,2-4"), (std::vector<int>{0, 2, 3, 4}));
  for (const char* list : {"a", "1-", "3-1", "1,,2", "-1"}) {
    EXPECT_THROW(load::parse_cpus(list), std::invalid_argument) << list;
  }
}

std::optional<int> parse(load::Options& options, std::vector<std::string> words) {
  words.insert(words.begin(), "load");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return load::parse_options(options, static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, TakesWhatMessagesAreMadeOf) {
  const std::string url = "ws://127.0.0.1:1/";
  load::Options options;
  ASSERT_EQ(parse(options, {"--url", url}), std::nullopt);
  EXPECT_EQ(options.deflate, load::Deflate::off);
  EXPECT_EQ(options.payload, load::Payload::pattern);
  ASSERT_EQ(parse(options, {"--url", url, "--deflate", "on", "--payload", "json", "--type", "text"}),
            std::nullopt);
  EXPECT_EQ(options.deflate, load::Deflate::on);
  EXPECT_EQ(options.payload, load::Payload::json);
  ASSERT_EQ(parse(options, {"--url", url, "--deflate", "no-context", "--payload", "html"}), std::nullopt);
  EXPECT_EQ(options.deflate, load::Deflate::no_context);
  EXPECT_EQ(options.payload, load::Payload::html);
}

TEST(Options, RefusesWhatDoesNotGoTogether) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--url", "tcp://127.0.0.1:1", "--deflate", "on"},
           {"--url", "tls://127.0.0.1:1", "--deflate", "on"},
           {"--url", "ws://127.0.0.1:1", "--deflate", "yes"},
           {"--url", "ws://127.0.0.1:1", "--payload", "xml"},
           {"--url", "ws://127.0.0.1:1", "--payload", "random", "--type", "text"},
           {"--url", "ws://127.0.0.1:1", "--payload", "json", "--text", "mixed"},
           {"--url", "ws://127.0.0.1:1", "--mode", "rate", "--tls-resume"},
           {"--url", "wss://127.0.0.1:1", "--mode", "echo", "--tls-resume"}}) {
    load::Options options;
    EXPECT_EQ(parse(options, words), 2) << words[3];
  }
}

TEST(Options, TakesTlsWhereItIsBuilt) {
  load::Options options;
  const std::optional<int> code =
      parse(options, {"--url", "wss://127.0.0.1:1/", "--mode", "rate", "--tls-resume"});
  EXPECT_EQ(code, load::tls_built() ? std::nullopt : std::optional(2));
}

}  // namespace
