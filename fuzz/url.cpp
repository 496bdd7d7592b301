// URLs: what is accepted has its parts inside the text, means what RFC 6455 section 3 allows, and
// written out again parses to the same; percent-escapes decode to what they were encoded from.
//
// Input: the URL.
#include "sansock/url.h"

#include "sansock/negotiate.h"
#include "view.h"

namespace {

using namespace sansock;
using sansock::fuzz::ExactText;

std::string written(const Url& url) {
  if (url.unix_socket) {
    const std::string colon = url.path.empty() && url.query.empty() ? "" : ":";
    // Of a path that begins with "//" these two could be taken for an empty authority.
    const std::string scheme = url.host.front() == '/' ? "ws+unix://" : "ws+unix:";
    return scheme + std::string(url.host) + colon + std::string(url.path) + std::string(url.query);
  }
  std::string text = url.secure ? "wss://" : "ws://";
  if (url.has_user_info) text += std::string(url.user_info) + "@";
  text += url.host_is_ipv6 ? "[" + std::string(url.host) + "]" : std::string(url.host);
  if (!url.port_text.empty()) text += ":" + std::string(url.port_text);
  return text + std::string(url.path) + std::string(url.query);
}

void check_parts(const Url& url, const ExactText& text) {
  for (const std::string_view part : {url.user_info, url.host, url.port_text, url.path, url.query}) {
    FUZZ_CHECK(text.holds(part));
    for (const char c : part) FUZZ_CHECK(c > ' ' && c < 0x7F && c != '#');
  }
  FUZZ_CHECK(!url.host.empty() && url.port != 0);
  FUZZ_CHECK(url.path.empty() || url.path.front() == '/');
  FUZZ_CHECK(url.query.empty() || url.query.front() == '?');
  FUZZ_CHECK(url.path.find('?') == url.path.npos);
  if (!url.port_text.empty()) FUZZ_CHECK(std::stoul(std::string(url.port_text)) == url.port);
  if (url.port_text.empty()) FUZZ_CHECK(url.port_is_default());
  if (url.unix_socket) return;
  // What goes into the Host header has to be a valid one.
  FUZZ_CHECK(is_host(url.host_is_ipv6 ? "[" + std::string(url.host) + "]" : std::string(url.host)));
  FUZZ_CHECK(url.has_user_info || url.user_info.empty());
}

void check_round_trip(const Url& url) {
  const ExactText text(written(url));
  Url again;
  FUZZ_CHECK(parse_url(text.view(), again) == errc::none, std::string(text.view()));
  FUZZ_CHECK(again.secure == url.secure && again.unix_socket == url.unix_socket && again.port == url.port &&
             again.user_info == url.user_info && again.has_user_info == url.has_user_info &&
             again.host == url.host && again.host_is_ipv6 == url.host_is_ipv6 &&
             again.port_text == url.port_text && again.path == url.path && again.query == url.query);
}

// By the letter of RFC 3986 section 2.1; nullopt: malformed.
std::optional<std::string> decoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digits.find(text[i + 1]) == digits.npos ||
        digits.find(text[i + 2]) == digits.npos)
      return std::nullopt;
    out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

void check_escapes(std::string_view text) {
  const std::unique_ptr<char[]> memory(new char[text.size()]);
  const std::string_view got = percent_decode(text, {memory.get(), text.size()});
  const auto expected = decoded(text);
  FUZZ_CHECK((got.data() != nullptr) == expected.has_value());
  if (expected) FUZZ_CHECK(got == *expected);
  if (!text.empty()) {
    const std::string_view none = percent_decode(text, {memory.get(), text.size() - 1});
    FUZZ_CHECK(none.data() == nullptr, "decoded into too little memory");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const ExactText text(input.rest());
  check_escapes(text.view());
  Url url;
  if (const errc error = parse_url(text.view(), url); error != errc::none) {
    FUZZ_CHECK(error == errc::url_invalid && url.host.empty() && url.port == 0);
    return 0;
  }
  check_parts(url, text);
  check_round_trip(url);
  return 0;
}
