#include "wire/permessage_deflate.h"

#include <algorithm>
#include <cctype>

namespace conform {
namespace {

bool is_token_character(char c) {
  if (std::isalnum(static_cast<unsigned char>(c)) != 0) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() {
    skip_blanks();
    return text_.empty();
  }
  bool take(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> token() {
    skip_blanks();
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_token_character);
    if (end == text_.begin()) return std::nullopt;
    const std::string found(text_.begin(), end);
    text_.remove_prefix(found.size());
    return found;
  }
  std::optional<std::string> value() {
    if (!take('"')) return token();
    std::string found;
    while (!text_.empty() && text_.front() != '"') {
      found.push_back(text_.front());
      text_.remove_prefix(1);
    }
    if (text_.empty()) return std::nullopt;
    text_.remove_prefix(1);
    return found;
  }

 private:
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size())); }

  std::string_view text_;
};

// 8 to 15, without a leading zero (RFC 7692 section 7.1.2.1).
std::optional<int> window_bits(const std::string& text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + text[1] - '0';
  return std::nullopt;
}

// One parameter into `to`. False: it is unknown, repeated or malformed.
bool read_parameter(const std::string& name, const std::optional<std::string>& value, bool is_offer,
                    DeflateParameters& to) {
  if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
    bool& flag = name[0] == 's' ? to.server_no_context_takeover : to.client_no_context_takeover;
    if (value || flag) return false;
    flag = true;
    return true;
  }
  if (name != "server_max_window_bits" && name != "client_max_window_bits") return false;
  const bool client = name[0] == 'c';
  std::optional<int>& bits = client ? to.client_max_window_bits : to.server_max_window_bits;
  if (bits || (client && to.client_max_window_bits_bare)) return false;
  if (!value) {
    to.client_max_window_bits_bare = client && is_offer;
    return client && is_offer;
  }
  bits = window_bits(*value);
  return bits.has_value();
}

std::optional<DeflateParameters> read_parameters(const ExtensionElement& element, bool is_offer) {
  DeflateParameters found;
  for (const auto& [name, value] : element.parameters) {
    if (!read_parameter(name, value, is_offer, found)) return std::nullopt;
  }
  return found;
}

}  // namespace

std::string describe(const DeflateParameters& parameters) {
  std::string text = "permessage-deflate";
  if (parameters.server_no_context_takeover) text += "; server_no_context_takeover";
  if (parameters.client_no_context_takeover) text += "; client_no_context_takeover";
  if (parameters.server_max_window_bits) {
    text += "; server_max_window_bits=" + std::to_string(*parameters.server_max_window_bits);
  }
  if (parameters.client_max_window_bits) {
    text += "; client_max_window_bits=" + std::to_string(*parameters.client_max_window_bits);
  } else if (parameters.client_max_window_bits_bare) {
    text += "; client_max_window_bits";
  }
  return text;
}

std::optional<std::vector<ExtensionElement>> parse_extensions(std::string_view header) {
  std::vector<ExtensionElement> elements;
  Scanner scanner(header);
  do {
    if (scanner.at_end()) break;
    auto name = scanner.token();
    if (!name) return std::nullopt;
    ExtensionElement element{std::move(*name), {}};
    while (scanner.take(';')) {
      auto parameter = scanner.token();
      if (!parameter) return std::nullopt;
      std::optional<std::string> value;
      if (scanner.take('=')) {
        value = scanner.value();
        if (!value) return std::nullopt;
      }
      element.parameters.emplace_back(std::move(*parameter), std::move(value));
    }
    elements.push_back(std::move(element));
  } while (scanner.take(','));
  if (!scanner.at_end()) return std::nullopt;
  return elements;
}

std::optional<DeflateParameters> read_offer(const ExtensionElement& element) {
  return read_parameters(element, true);
}

std::optional<DeflateParameters> read_response(const ExtensionElement& element) {
  return read_parameters(element, false);
}

std::optional<DeflateParameters> accept_offer(const std::vector<ExtensionElement>& offers,
                                              const std::vector<DeflateDemand>& demands) {
  for (const DeflateDemand& demand : demands) {
    for (const ExtensionElement& element : offers) {
      if (element.name != "permessage-deflate") continue;
      const auto offer = read_offer(element);
      if (!offer) continue;
      if (demand.client_max_window_bits && !offer->client_knows_window_bits()) continue;
      DeflateParameters agreed;
      agreed.server_no_context_takeover = offer->server_no_context_takeover;
      agreed.server_max_window_bits = offer->server_max_window_bits;
      agreed.client_no_context_takeover = demand.client_no_context_takeover;
      agreed.client_max_window_bits = demand.client_max_window_bits;
      return agreed;
    }
  }
  return std::nullopt;
}

}  // namespace conform
