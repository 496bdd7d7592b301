// Plain requests, and what the library refuses by itself.
#include "server_fixture.h"

namespace sansock::test {
namespace {

class Pages : public ServerTest {
 protected:
  std::string get(std::string_view path, std::string_view method = "GET") {
    RawClient raw(address());
    raw.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: test.example\r\n\r\n");
    std::string answer = raw.read_all();
    EXPECT_TRUE(raw.ended());
    EXPECT_FALSE(raw.truncated());
    return answer;
  }
};
INSTANTIATE_TEST_SUITE_P(Places, Pages, every_place, place_name);

TEST_P(Pages, PageAndHealthCheck) {
  make();
  server().route("/", echo());
  server().page("/", [](const Request&) { return Page{.body = "<p>hello</p>"}; });
  server().page("/health", [](const Request& request) {
    return Page{.status = 503,
                .content_type = "application/json",
                .body = "{\"query\":\"" + std::string(request.query()) + "\"}",
                .headers = {{"Retry-After", "5"}}};
  });
  start();
  const std::string page = get("/");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\n")) << page;
  EXPECT_TRUE(page.ends_with("\r\n\r\n<p>hello</p>")) << page;
  EXPECT_NE(page.find("Content-Type: text/html; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(page.find("Content-Length: 12\r\n"), std::string::npos);
  const std::string health = get("/health?deep=1");
  EXPECT_TRUE(health.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_NE(health.find("application/json"), std::string::npos);
  EXPECT_NE(health.find("Retry-After: 5\r\n"), std::string::npos);
  EXPECT_TRUE(health.ends_with("{\"query\":\"deep=1\"}"));
  EXPECT_EQ(server().counters().refused, 0u);
  Client client = connect("/");
  EXPECT_EQ(echoed(client, "the same path upgrades"), "the same path upgrades");
}

TEST_P(Pages, OthersAreRefused) {
  make();
  server().route("/chat", echo());
  server().page("/", [](const Request&) { return Page{}; });
  start();
  const std::string upgrade = get("/chat");
  EXPECT_TRUE(upgrade.starts_with("HTTP/1.1 426 Upgrade Required\r\n")) << upgrade;
  EXPECT_TRUE(get("/nothing").starts_with("HTTP/1.1 404 Not Found\r\n"));
  const std::string head = get("/", "HEAD");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 405 ")) << head;
  EXPECT_NE(head.find("Allow: GET\r\n"), std::string::npos);
  EXPECT_TRUE(get("/", "POST").starts_with("HTTP/1.1 405 "));
  EXPECT_EQ(server().counters().refused, 4u);
}

TEST_P(Pages, LargePage) {
  make();
  server().page("/", [](const Request&) { return Page{.body = std::string(3'000'000, 'x')}; });
  server().page("/huge", [](const Request&) { return Page{.body = std::string(60'000'000, 'x')}; });
  start();
  const std::string page = get("/");
  EXPECT_EQ(page.size() - page.find("\r\n\r\n") - 4, 3'000'000u);
  EXPECT_TRUE(get("/huge").starts_with("HTTP/1.1 500 "));  // over what may be queued for one client
}

TEST_P(Pages, BadHeaderBecomes500) {
  make();
  server().page("/", [](const Request&) { return Page{.headers = {{"X-Bad", "a\r\nb"}}}; });
  start();
  EXPECT_TRUE(get("/").starts_with("HTTP/1.1 500 "));
}

TEST_P(Pages, RefusalHookSeesAndReplaces) {
  make();
  server().route("/chat", {.version_8 = false});
  server().on_refusal([this](errc cause, const Request* request) -> std::optional<Page> {
    log_.add(std::string(name(cause)) + " " +
             (request == nullptr ? "no request" : std::string(request->path())));
    if (cause != errc::rejected) return std::nullopt;
    return Page{.status = 410, .body = "moved on"};
  });
  start();
  const auto upgrade = [this](std::string_view path, std::string_view extra) {
    RawClient raw(address());
    return raw.upgrade(path, extra).substr(9, 3);
  };
  EXPECT_EQ(upgrade("/old", ""), "410");
  EXPECT_EQ(upgrade("/chat", "Origin: http://evil.example\r\n"), "403");
  EXPECT_TRUE(get("/chat").starts_with("HTTP/1.1 426 "));
  EXPECT_TRUE(get("/plain").starts_with("HTTP/1.1 404 "));
  {
    RawClient raw(address());
    raw.send("GET / HTTP/1.1\nHost: x\n\n");
    EXPECT_TRUE(raw.read_all().starts_with("HTTP/1.1 400 "));
  }
  EXPECT_EQ(log_.lines(),
            (std::vector<std::string>{"rejected /old", "origin_refused /chat", "upgrade_missing /chat",
                                      "upgrade_missing /plain", "head_malformed no request"}));
  EXPECT_EQ(server().counters().refused, 5u);
}

}  // namespace
}  // namespace sansock::test
