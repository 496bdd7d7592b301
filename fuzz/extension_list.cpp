// The lists of the opening handshake: extensions, tokens, hosts, origins. Each against a slow second
// opinion or against itself: what is parsed, written out and parsed again is the same.
//
// Input: a byte that chooses (0 extensions, 1 tokens, 2 hosts and origins, 3 header parts), the text.
#include <arpa/inet.h>

#include <vector>

#include "sansock/handshake.h"
#include "sansock/negotiate.h"
#include "view.h"

namespace {

using namespace sansock;
using sansock::fuzz::ExactText;

struct Parsed {
  std::string name;
  std::vector<std::pair<std::string, std::string>> parameters;  // a value with '=' in front, or empty
  bool operator==(const Parsed&) const = default;
};

// nullopt: not valid. Checks the views on the way.
std::optional<std::vector<Parsed>> parse(const ExactText& text) {
  std::vector<Parsed> list;
  std::string_view rest = text.view();
  bool valid = true;
  while (const auto extension = next_extension(rest, valid)) {
    FUZZ_CHECK(valid && text.holds(extension->name) && text.holds(extension->parameters) && text.holds(rest));
    FUZZ_CHECK(is_token(extension->name));
    Parsed parsed{std::string(extension->name), {}};
    std::string_view parameters = extension->parameters;
    while (const auto parameter = next_parameter(parameters)) {
      FUZZ_CHECK(text.holds(parameter->name) && text.holds(parameter->value) && is_token(parameter->name));
      FUZZ_CHECK(parameter->has_value ? !parameter->value.empty() : parameter->value.empty());
      parsed.parameters.emplace_back(parameter->name,
                                     parameter->has_value ? "=" + std::string(parameter->value) : "");
    }
    FUZZ_CHECK(parameters.empty());
    list.push_back(parsed);
    FUZZ_CHECK(list.size() <= text.view().size());
  }
  FUZZ_CHECK(rest.empty());
  FUZZ_CHECK(is_extension_list(text.view()) == (valid && !list.empty()));
  if (!valid) return std::nullopt;
  return list;
}

// Escapes stay as they are, so a value is written in quotes if it holds any.
std::string written(const std::vector<Parsed>& list) {
  std::string text;
  for (const Parsed& extension : list) {
    if (!text.empty()) text += ", ";
    text += extension.name;
    for (const auto& [name, value] : extension.parameters) {
      text += "; " + name;
      if (value.empty()) continue;
      const std::string bare = value.substr(1);
      text += is_token(bare) ? "=" + bare : "=\"" + bare + "\"";
    }
  }
  return text;
}

// The grammar of RFC 6455 section 9.1 over lexemes: 't' a token, 'q' a quoted one, else the character.
std::string lexemes(std::string_view text) {
  std::string found;
  const auto token_at = [&](std::size_t at) { return at < text.size() && is_token(text.substr(at, 1)); };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\t') {
      ++i;
    } else if (token_at(i)) {
      while (token_at(i)) ++i;
      found += 't';
    } else if (text[i] == '"') {
      const std::size_t begin = ++i;
      while (token_at(i) || (i < text.size() && text[i] == '\\' && token_at(i + 1)))
        i += text[i] == '\\' ? 2 : 1;
      const bool whole = i > begin && i < text.size() && text[i] == '"';
      found += whole ? 'q' : '?';
      ++i;
    } else {
      found += text[i++];
    }
  }
  return found;
}
bool follows_grammar(std::string_view text) {
  std::string rest = lexemes(text) + ",";
  int extensions = 0;
  for (std::string_view left = rest; !left.empty();) {
    std::string_view element = left.substr(0, left.find(','));
    left.remove_prefix(element.size() + 1);
    if (element.empty()) continue;
    ++extensions;
    if (element.front() != 't') return false;
    element.remove_prefix(1);
    while (!element.empty()) {
      const std::size_t size = element.starts_with(";t=t") || element.starts_with(";t=q") ? 4
                               : element.starts_with(";t")                                ? 2
                                                                                          : 0;
      if (size == 0) return false;
      element.remove_prefix(size);
    }
  }
  return extensions > 0;
}

void check_extensions(const ExactText& text) {
  const auto list = parse(text);
  FUZZ_CHECK(is_extension_list(text.view()) == follows_grammar(text.view()), lexemes(text.view()));
  if (!list) return;
  const auto again = parse(ExactText(written(*list)));
  FUZZ_CHECK(again == list, written(*list));
}

// Elements between the commas that are outside of quoted strings.
std::vector<std::string> elements(std::string_view text) {
  std::vector<std::string> list(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' && !quoted) {
      list.emplace_back();
      continue;
    }
    if (quoted && text[i] == '\\' && i + 1 < text.size())
      list.back() += text[i++];
    else if (text[i] == '"')
      quoted = !quoted;
    list.back() += text[i];
  }
  std::vector<std::string> trimmed;
  for (const std::string& element : list) {
    const std::size_t begin = element.find_first_not_of(" \t");
    if (begin == element.npos) continue;
    trimmed.push_back(element.substr(begin, element.find_last_not_of(" \t") + 1 - begin));
  }
  return trimmed;
}

void check_tokens(const ExactText& text) {
  const std::vector<std::string> expected = elements(text.view());
  std::vector<std::string> got;
  std::string_view rest = text.view();
  while (const auto element = next_list_element(rest)) {
    FUZZ_CHECK(text.holds(*element) && text.holds(rest));
    got.emplace_back(*element);
  }
  FUZZ_CHECK(got == expected);
  bool distinct_tokens = !got.empty() && got.size() <= subprotocols_max;
  for (std::size_t i = 0; i < got.size(); ++i) {
    distinct_tokens = distinct_tokens && is_token(got[i]) &&
                      std::find(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(i), got[i]) ==
                          got.begin() + static_cast<std::ptrdiff_t>(i);
    FUZZ_CHECK(list_has_token(text.view(), got[i]));
  }
  FUZZ_CHECK(is_subprotocol_list(text.view()) == distinct_tokens);
  FUZZ_CHECK(!list_has_token(text.view(), "no-element-has-this-name"));
}

// The text is split at its first line break into two origins, or an origin and a host.
void check_origins(const ExactText& text) {
  const std::size_t middle = std::min(text.view().find('\n'), text.view().size());
  const ExactText a(text.view().substr(0, middle));
  const ExactText b(text.view().substr(std::min(middle + 1, text.view().size())));
  FUZZ_CHECK(origins_equal(a.view(), b.view()) == origins_equal(b.view(), a.view()));
  if (origins_equal(a.view(), b.view()))
    FUZZ_CHECK(origins_equal(a.view(), a.view()) && origins_equal(b.view(), b.view()));
  for (const bool secure : {false, true}) {
    const std::string scheme = secure ? "https://" : "http://";
    const bool matches = origin_matches_host(a.view(), b.view(), secure, true);
    FUZZ_CHECK(matches == (is_host(b.view()) && origins_equal(a.view(), scheme + std::string(b.view()))));
    if (matches) FUZZ_CHECK(origin_matches_host(a.view(), b.view(), !secure, false));
  }
  // The system's parser of IPv6 addresses has no brackets, ports or zones either.
  if (b.view().size() > 2 && b.view().front() == '[' && b.view().find(']') == b.view().size() - 1) {
    const std::string inner(b.view().substr(1, b.view().size() - 2));
    in6_addr address;
    const bool valid = inner.find('\0') == inner.npos && inet_pton(AF_INET6, inner.c_str(), &address) == 1;
    FUZZ_CHECK(is_host(b.view()) == valid, inner);
  }
  if (is_host(b.view())) {
    for (const char c : b.view())
      FUZZ_CHECK(c > ' ' && c < 0x7F &&
                 std::string_view("/?#@\\\"<>^`{|}").find(c) == std::string_view::npos);
  }
}

void check_header_parts(const ExactText& text) {
  const std::string_view view = text.view();
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?={} \t";
  bool token = !view.empty();
  bool value = true;
  for (const char c : view) {
    const auto byte = static_cast<unsigned char>(c);
    token = token && byte > 32 && byte < 127 && separators.find(c) == separators.npos;
    value = value && (byte == '\t' || (byte >= 32 && byte != 127));
  }
  FUZZ_CHECK(is_token(view) == token && is_header_value(view) == value);
  const std::string_view inner = trim(view);
  FUZZ_CHECK(text.holds(inner) && trim(inner) == inner);
  std::string shouted(view);
  for (char& c : shouted) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  FUZZ_CHECK(equal_ignoring_case(view, shouted) && equal_ignoring_case(shouted, view));
  if (view.size() >= 16) {
    const auto nonce = std::as_bytes(std::span<const char>(view.data(), 16)).first<16>();
    const auto key = encode_key(nonce);
    FUZZ_CHECK(is_key({key.data(), key.size()}));
  }
  if (is_key(view)) FUZZ_CHECK(view.size() == 24 && view.ends_with("=="));
  const std::size_t credentials = 6 + 4 * ((view.size() + 2) / 3);
  const std::unique_ptr<char[]> memory(new char[credentials]);
  FUZZ_CHECK(basic_credentials(view, {memory.get(), credentials}).size() == credentials);
  FUZZ_CHECK(basic_credentials(view, {memory.get(), credentials - 1}).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned choice = input.byte() % 4;
  const ExactText text(input.rest());
  switch (choice) {
    case 0: check_extensions(text); break;
    case 1: check_tokens(text); break;
    case 2: check_origins(text); break;
    default: check_header_parts(text);
  }
  return 0;
}
