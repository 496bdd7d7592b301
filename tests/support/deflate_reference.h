// The negotiation of permessage-deflate (RFC 7692 section 7.1) once more, slowly, over parameters that are
// written `name` or `name=value`.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sansock/deflate.h"
#include "sansock/error.h"

namespace sansock::testing::deflate_reference {

// What the parameters say, by name, with the text behind '='; nullopt if nobody may accept them.
using Said = std::map<std::string, std::string>;

inline const std::map<std::string, int> numbers = {{"=8", 8},   {"=9", 9},   {"=10", 10}, {"=11", 11},
                                                   {"=12", 12}, {"=13", 13}, {"=14", 14}, {"=15", 15}};

inline std::optional<Said> understand(const std::vector<std::string>& parameters) {
  Said said;
  for (std::string parameter : parameters) {
    std::erase(parameter, '"');   // a quoted value
    std::erase(parameter, '\\');  // and what is escaped in it
    const std::size_t at = std::min(parameter.find('='), parameter.size());
    const std::string name = parameter.substr(0, at);
    const std::string value = parameter.substr(at);
    if (said.count(name) != 0) return std::nullopt;
    said[name] = value;
    const bool flag = name == "server_no_context_takeover" || name == "client_no_context_takeover";
    const bool number = numbers.count(value) != 0;
    const bool good = (flag && value.empty()) || (name == "server_max_window_bits" && number) ||
                      (name == "client_max_window_bits" && (number || value.empty()));
    if (!good) return std::nullopt;
  }
  return said;
}

inline std::string written(const Said& said) {
  std::string text = "permessage-deflate";
  for (const char* const name : {"server_no_context_takeover", "client_no_context_takeover",
                                 "server_max_window_bits", "client_max_window_bits"})
    if (said.count(name) != 0) text += std::string("; ") + name + said.at(name);
  return text;
}

// The value of the answer's header to one offer; empty: it is declined.
inline std::string expected_answer(const std::vector<std::string>& parameters,
                                   const DeflateOptions& options) {
  const std::optional<Said> offered = understand(parameters);
  if (!offered) return "";
  Said said;
  const bool asked = offered->count("server_no_context_takeover") != 0;
  if (asked && options.server_no_context_takeover == false) return "";
  if (asked || options.server_no_context_takeover == true) said["server_no_context_takeover"] = "";
  const bool meant = offered->count("client_no_context_takeover") != 0;
  if (options.client_no_context_takeover == true || (meant && !options.client_no_context_takeover))
    said["client_no_context_takeover"] = "";
  const auto smaller = [&](const char* name, int own) {
    int bits = own;
    if (numbers.count(offered->at(name)) != 0) bits = std::min(own, numbers.at(offered->at(name)));
    return "=" + std::to_string(bits);
  };
  if (offered->count("server_max_window_bits") != 0) {
    said["server_max_window_bits"] = smaller("server_max_window_bits", options.server_max_window_bits);
  } else if (options.server_max_window_bits != 15) {
    said["server_max_window_bits"] = "=" + std::to_string(options.server_max_window_bits);
  }
  if (offered->count("client_max_window_bits") != 0) {
    const std::string bits = smaller("client_max_window_bits", options.client_max_window_bits_asked());
    const bool valueless = offered->at("client_max_window_bits").empty();
    if (!valueless || bits != "=15") said["client_max_window_bits"] = bits;
  }
  return written(said);
}

// What a client makes of the answer to its offer.
struct Checked {
  errc error = errc::none;
  std::optional<DeflateParameters> agreed;
  bool operator==(const Checked&) const = default;
};

inline Checked expected_check(const std::vector<std::string>& parameters, const DeflateOptions& options) {
  const Checked refused{errc::extension_refused, std::nullopt};
  const std::optional<Said> said = understand(parameters);
  if (!said) return refused;
  DeflateParameters result;
  result.server_no_context_takeover = said->count("server_no_context_takeover") != 0;
  if (options.server_no_context_takeover == true && !result.server_no_context_takeover) return refused;
  result.client_no_context_takeover =
      said->count("client_no_context_takeover") != 0 || options.client_no_context_takeover == true;
  if (said->count("server_max_window_bits") != 0)
    result.server_window_bits = static_cast<std::uint8_t>(numbers.at(said->at("server_max_window_bits")));
  if (result.server_window_bits > options.server_max_window_bits) return refused;
  result.client_window_bits = options.client_max_window_bits_used();
  if (said->count("client_max_window_bits") != 0) {
    const std::string value = said->at("client_max_window_bits");
    if (value.empty() || !options.client_max_window_bits_offered) return refused;
    if (numbers.at(value) > options.client_max_window_bits_used()) return refused;
    result.client_window_bits = static_cast<std::uint8_t>(numbers.at(value));
  }
  return {errc::none, result};
}

}  // namespace sansock::testing::deflate_reference
