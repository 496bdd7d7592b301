// permessage-deflate in Sec-WebSocket-Extensions: a table of the rules for each role, then all short lists of
// parameters against a slow, obvious reference.
#include "deflate_negotiation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/deflate_reference.h"

namespace sansock {
namespace {

using testing::deflate_reference::Checked;
using testing::deflate_reference::expected_answer;
using testing::deflate_reference::expected_check;

using Values = std::vector<std::string>;

std::string head_of(const Values& values, const std::string& start = "GET / HTTP/1.1\r\n") {
  std::string text = start + "Host: a\r\n";
  for (const std::string& value : values) text += "Sec-WebSocket-Extensions: " + value + "\r\n";
  return text;
}

std::string text_of(const detail::DeflateTerms& terms) {
  std::vector<std::byte> out(512);
  detail::TextWriter writer(out);
  detail::write_deflate_terms(terms, writer);
  EXPECT_FALSE(writer.full());
  std::string line(as_text(ConstBytes(out).first(writer.size())));
  const std::string name = "Sec-WebSocket-Extensions: ";
  EXPECT_TRUE(line.starts_with(name) && line.ends_with("\r\n")) << line;
  return line.substr(name.size(), line.size() - name.size() - 2);
}

// The value of the answer's header; empty: declined.
std::string answer(const Values& values, const DeflateOptions& options = {}) {
  const std::string head = head_of(values);
  const auto terms = detail::choose_deflate_answer(HttpHead(head), options);
  return terms ? text_of(*terms) : "";
}
std::string answer(const std::string& value, const DeflateOptions& options = {}) {
  return answer(Values{value}, options);
}

Checked check(const Values& values, const DeflateOptions& options = {}) {
  const std::string head = head_of(values, "HTTP/1.1 101 Yes\r\n");
  Checked checked;
  checked.agreed = DeflateParameters{};
  checked.error = detail::check_deflate_answer(HttpHead(head), options, checked.agreed);
  EXPECT_TRUE(checked.error == errc::none || !checked.agreed);
  return checked;
}
errc error_of(const std::string& value, const DeflateOptions& options = {}) {
  return check({value}, options).error;
}
DeflateParameters agreed(const std::string& value, const DeflateOptions& options = {}) {
  const Checked checked = check({value}, options);
  EXPECT_EQ(checked.error, errc::none) << value;
  return checked.agreed.value_or(DeflateParameters{.server_window_bits = 0});
}
std::string offer(const DeflateOptions& options) { return text_of(detail::make_deflate_offer(options)); }

// What neither side takes, wherever it stands.
const Values bad_everywhere = {
    "unknown",
    "unknown=1",
    "Server_no_context_takeover",
    "server_no_context_takeover=1",
    "server_no_context_takeover=\"true\"",
    "client_no_context_takeover=0",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; server_max_window_bits=10; client_no_context_takeover",
    "server_max_window_bits",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=10; client_max_window_bits=10",
    "client_max_window_bits=10; client_max_window_bits"};
const Values bad_bits = {"0",          "1",   "7",   "16", "08",   "010",   "00010", "999",
                         "4294967306", "+10", "1.0", "-9", "0x0a", "\"7\"", "x",     "184467440737095516250",
                         "\"08\"",     "10a"};

// --- the server's side ----------------------------------------------------------------------------

TEST(DeflateAnswer, Plain) {
  EXPECT_EQ(answer("permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(answer(Values{}), "");
  // What browsers offer.
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; client_max_window_bits=12");
}

// RFC 7692 section 7.1.1.1
TEST(DeflateAnswer, ServerNoContextTakeover) {
  const std::string asked = "permessage-deflate; server_no_context_takeover";
  EXPECT_EQ(answer(asked), asked);
  EXPECT_EQ(answer(asked, {.server_no_context_takeover = true}), asked);
  EXPECT_EQ(answer("permessage-deflate", {.server_no_context_takeover = true}), asked);
  EXPECT_EQ(answer(asked, {.server_no_context_takeover = false}), "");
  EXPECT_EQ(answer("permessage-deflate", {.server_no_context_takeover = false}), "permessage-deflate");
}

// RFC 7692 section 7.1.1.2
TEST(DeflateAnswer, ClientNoContextTakeover) {
  const std::string meant = "permessage-deflate; client_no_context_takeover";
  EXPECT_EQ(answer(meant), meant);
  EXPECT_EQ(answer(meant, {.client_no_context_takeover = false}), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate", {.client_no_context_takeover = true}), meant);
  EXPECT_EQ(answer("permessage-deflate", {.client_no_context_takeover = false}), "permessage-deflate");
}

// RFC 7692 section 7.1.2.1
TEST(DeflateAnswer, ServerMaxWindowBits) {
  const std::string stated = "permessage-deflate; server_max_window_bits=";
  for (const std::string bits : {"8", "9", "10", "11", "12", "13", "14", "15"})
    EXPECT_EQ(answer(stated + bits), stated + bits);
  EXPECT_EQ(answer(stated + "\"10\""), stated + "10");
  EXPECT_EQ(answer(stated + "\"1\\0\""), stated + "10");
  EXPECT_EQ(answer(stated + "12", {.server_max_window_bits = 10}), stated + "10");
  EXPECT_EQ(answer(stated + "9", {.server_max_window_bits = 10}), stated + "9");
  EXPECT_EQ(answer("permessage-deflate", {.server_max_window_bits = 10}), stated + "10");
}

// RFC 7692 section 7.1.2.2
TEST(DeflateAnswer, ClientMaxWindowBits) {
  const std::string stated = "permessage-deflate; client_max_window_bits";
  EXPECT_EQ(answer(stated, {.client_max_window_bits = 10}), stated + "=10");
  EXPECT_EQ(answer(stated + "=8"), stated + "=8");
  EXPECT_EQ(answer(stated + "=15"), stated + "=12");
  EXPECT_EQ(answer(stated + "=15", {.client_max_window_bits = 15}), stated + "=15");
  EXPECT_EQ(answer(stated, {.client_max_window_bits = 15}), "permessage-deflate");
  EXPECT_EQ(answer(stated + "=12", {.client_max_window_bits = 10}), stated + "=10");
  EXPECT_EQ(answer(stated + "=9", {.client_max_window_bits = 10}), stated + "=9");
  // Who does not say that it understands must not be asked.
  EXPECT_EQ(answer("permessage-deflate", {.client_max_window_bits = 10}), "permessage-deflate");
}

TEST(DeflateAnswer, ExamplesOfTheRfc) {
  // RFC 7692 sections 5.1 and 7.1.3
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; server_max_window_bits=10",
                   {.client_max_window_bits = 15}),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
                   "permessage-deflate; client_max_window_bits",
                   {.server_no_context_takeover = true, .client_max_window_bits = 15}),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10");
}

// What is accepted is what is agreed.
TEST(DeflateAnswer, Agreed) {
  const auto agreed_by = [](detail::DeflateTerms terms) { return detail::agreed_as_server(terms); };
  EXPECT_EQ(agreed_by({}), DeflateParameters{});
  EXPECT_EQ(agreed_by({.server_no_context_takeover = true, .server_max_window_bits = 9}),
            (DeflateParameters{.server_no_context_takeover = true, .server_window_bits = 9}));
  EXPECT_EQ(agreed_by({.client_no_context_takeover = true,
                       .client_max_window_bits_named = true,
                       .client_max_window_bits = 8}),
            (DeflateParameters{.client_no_context_takeover = true, .client_window_bits = 8}));
}

TEST(DeflateAnswer, TheFirstOfferThatIsAcceptable) {
  const std::string last = "permessage-deflate; server_max_window_bits=11";
  for (const std::string& bad : bad_everywhere) {
    EXPECT_EQ(answer("permessage-deflate; " + bad + ", " + last), last) << bad;
    EXPECT_EQ(answer(Values{"permessage-deflate; " + bad, last}), last) << bad;
  }
  EXPECT_EQ(answer(last + ", permessage-deflate; server_max_window_bits=12"), last);
  EXPECT_EQ(answer(Values{last, "permessage-deflate"}), last);
  EXPECT_EQ(answer("permessage-deflate; server_no_context_takeover, " + last,
                   {.server_no_context_takeover = false}),
            last);
}

TEST(DeflateAnswer, AmongOtherExtensions) {
  const Values others = {"x-foo",
                         "x-foo; server_max_window_bits=99; a=\"b\"",
                         "permessage-bzip2",
                         "Permessage-Deflate",
                         "permessage-deflate2",
                         "permessage-deflat"};
  for (const std::string& other : others) {
    EXPECT_EQ(answer(other), "") << other;
    EXPECT_EQ(answer(other + ", permessage-deflate, " + other), "permessage-deflate") << other;
    EXPECT_EQ(answer(Values{other, other, "permessage-deflate", other}), "permessage-deflate") << other;
  }
}

TEST(DeflateAnswer, Z10_WindowBitsOutOfRange) {
  for (const std::string& bits : bad_bits) {
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=" + bits), "") << bits;
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=" + bits), "") << bits;
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=" + bits + ", permessage-deflate"),
              "permessage-deflate")
        << bits;
  }
}

TEST(DeflateAnswer, Z10_UnknownRepeatedOrValueless) {
  for (const std::string& bad : bad_everywhere) {
    EXPECT_EQ(answer("permessage-deflate; " + bad), "") << bad;
    EXPECT_EQ(answer("permessage-deflate; " + bad + "; x"), "") << bad;
  }
}

// These end soon only if no byte is looked at more than a few times.
TEST(DeflateAnswer, Z10_ManyOffersAreLinear) {
  constexpr std::size_t size = 64 << 10;
  std::string offers;
  while (offers.size() < size) offers += "permessage-deflate;x,";
  EXPECT_EQ(answer(offers), "");
  EXPECT_EQ(answer(offers + "permessage-deflate"), "permessage-deflate");
  std::string parameters = "permessage-deflate";
  while (parameters.size() < size) parameters += ";client_max_window_bits";
  EXPECT_EQ(answer(parameters), "");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=" + std::string(size, '1')), "");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=" + std::string(size, '0') + "9"), "");
}

// --- the client's side ----------------------------------------------------------------------------

TEST(DeflateOffer, Written) {
  EXPECT_EQ(offer({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(offer({.client_max_window_bits_offered = false}), "permessage-deflate");
  EXPECT_EQ(offer({.client_max_window_bits = 9}), "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(offer({.client_max_window_bits = 9, .client_max_window_bits_offered = false}),
            "permessage-deflate");
  EXPECT_EQ(offer({.server_no_context_takeover = true,
                   .client_no_context_takeover = true,
                   .server_max_window_bits = 8,
                   .client_max_window_bits = 14}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=8; client_max_window_bits=14");
  EXPECT_EQ(offer({.server_no_context_takeover = false, .client_no_context_takeover = false}),
            "permessage-deflate; client_max_window_bits");
}

TEST(DeflateResponse, Declined) { EXPECT_EQ(check({}), (Checked{errc::none, std::nullopt})); }

TEST(DeflateResponse, Plain) {
  EXPECT_EQ(agreed("permessage-deflate"), DeflateParameters{});
  EXPECT_EQ(agreed(" , permessage-deflate ,"), DeflateParameters{});
  EXPECT_EQ(agreed("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                   "server_max_window_bits=8; client_max_window_bits=\"9\""),
            (DeflateParameters{.server_no_context_takeover = true,
                               .client_no_context_takeover = true,
                               .server_window_bits = 8,
                               .client_window_bits = 9}));
}

// RFC 7692 section 7.1.1.1
TEST(DeflateResponse, ServerNoContextTakeover) {
  const DeflateOptions demanded{.server_no_context_takeover = true};
  EXPECT_EQ(error_of("permessage-deflate", demanded), errc::extension_refused);
  EXPECT_TRUE(agreed("permessage-deflate; server_no_context_takeover", demanded).server_no_context_takeover);
}

// RFC 7692 section 7.1.1.2: a promise is kept, whether the server takes it up or not.
TEST(DeflateResponse, ClientNoContextTakeover) {
  EXPECT_TRUE(agreed("permessage-deflate; client_no_context_takeover").client_no_context_takeover);
  EXPECT_TRUE(agreed("permessage-deflate", {.client_no_context_takeover = true}).client_no_context_takeover);
}

// RFC 7692 section 7.1.2.1
TEST(DeflateResponse, ServerMaxWindowBits) {
  const DeflateOptions asked{.server_max_window_bits = 10};
  EXPECT_EQ(error_of("permessage-deflate", asked), errc::extension_refused);
  EXPECT_EQ(agreed("permessage-deflate; server_max_window_bits=9", asked).server_window_bits, 9);
  EXPECT_EQ(agreed("permessage-deflate; server_max_window_bits=10", asked).server_window_bits, 10);
  EXPECT_EQ(agreed("permessage-deflate; server_max_window_bits=15").server_window_bits, 15);
}

// RFC 7692 section 7.1.2.2
TEST(DeflateResponse, ClientMaxWindowBits) {
  EXPECT_EQ(agreed("permessage-deflate; client_max_window_bits=8").client_window_bits, 8);
  const DeflateOptions limited{.client_max_window_bits = 10};
  EXPECT_EQ(agreed("permessage-deflate; client_max_window_bits=10", limited).client_window_bits, 10);
  EXPECT_EQ(agreed("permessage-deflate; client_max_window_bits=9", limited).client_window_bits, 9);
  EXPECT_EQ(agreed("permessage-deflate", limited).client_window_bits, 10);
}

TEST(DeflateResponse, Z10_WindowBitsOutOfRange) {
  for (const std::string& bits : bad_bits) {
    EXPECT_EQ(error_of("permessage-deflate; server_max_window_bits=" + bits), errc::extension_refused)
        << bits;
    EXPECT_EQ(error_of("permessage-deflate; client_max_window_bits=" + bits), errc::extension_refused)
        << bits;
  }
}

TEST(DeflateResponse, Z10_UnknownRepeatedOrValueless) {
  for (const std::string& bad : bad_everywhere)
    EXPECT_EQ(error_of("permessage-deflate; " + bad), errc::extension_refused) << bad;
  EXPECT_EQ(error_of("permessage-deflate; client_max_window_bits"), errc::extension_refused);
}

TEST(DeflateResponse, Z10_LargerBitsThanOffered) {
  EXPECT_EQ(error_of("permessage-deflate; server_max_window_bits=11", {.server_max_window_bits = 10}),
            errc::extension_refused);
  EXPECT_EQ(error_of("permessage-deflate; client_max_window_bits=11", {.client_max_window_bits = 10}),
            errc::extension_refused);
  EXPECT_EQ(
      error_of("permessage-deflate; client_max_window_bits=10", {.client_max_window_bits_offered = false}),
      errc::extension_refused);
}

TEST(DeflateResponse, Z10_NotOffered) {
  for (const std::string value :
       {"x-foo", "x-foo; a=b", "Permessage-Deflate", "permessage-deflate, x-foo", "x-foo, permessage-deflate",
        "permessage-deflate; unknown, x-foo", "", " ", ",", ";", "permessage-deflate;",
        "permessage-deflate, ;", "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"\"", "permessage-deflate; client_max_window_bits=\""})
    EXPECT_EQ(error_of(value), errc::extension_unoffered) << value;
  EXPECT_EQ(check({"permessage-deflate", "x-foo"}).error, errc::extension_unoffered);
  EXPECT_EQ(check({"x-foo", "permessage-deflate"}).error, errc::extension_unoffered);
}

TEST(DeflateResponse, Z10_TwoExtensionsAnswered) {
  EXPECT_EQ(error_of("permessage-deflate, permessage-deflate"), errc::extension_refused);
  EXPECT_EQ(error_of("permessage-deflate; server_no_context_takeover, permessage-deflate"),
            errc::extension_refused);
  EXPECT_EQ(check({"permessage-deflate", "permessage-deflate"}).error, errc::extension_refused);
  EXPECT_EQ(check({"permessage-deflate", ""}).error, errc::none);
}

// --- a second opinion -----------------------------------------------------------------------------

std::string joined(const Values& parameters) {
  std::string text = "permessage-deflate";
  for (const std::string& parameter : parameters) text += "; " + parameter;
  return text;
}

// Calls visit with every list of at most `length` of `choices`, in every order.
template <class Visit>
void for_each_list(const Values& choices, std::size_t length, bool repeated, Values& list, Visit&& visit) {
  visit(list);
  if (length == 0) return;
  for (const std::string& choice : choices) {
    if (!repeated && std::find(list.begin(), list.end(), choice) != list.end()) continue;
    list.push_back(choice);
    for_each_list(choices, length - 1, repeated, list, visit);
    list.pop_back();
  }
}

const Values every_kind = {"server_no_context_takeover",
                           "server_no_context_takeover=1",
                           "client_no_context_takeover",
                           "client_no_context_takeover=0",
                           "server_max_window_bits",
                           "server_max_window_bits=8",
                           "server_max_window_bits=\"11\"",
                           "server_max_window_bits=15",
                           "server_max_window_bits=7",
                           "server_max_window_bits=08",
                           "client_max_window_bits",
                           "client_max_window_bits=8",
                           "client_max_window_bits=11",
                           "client_max_window_bits=\"15\"",
                           "client_max_window_bits=16",
                           "client_max_window_bits=999",
                           "unknown"};
// All that may stand together, four at a time.
const Values good_ones = {"server_no_context_takeover", "client_no_context_takeover",
                          "server_max_window_bits=9",   "server_max_window_bits=12",
                          "client_max_window_bits",     "client_max_window_bits=9",
                          "client_max_window_bits=12"};

std::vector<DeflateOptions> every_option() {
  std::vector<DeflateOptions> all;
  for (const std::optional<bool> server_takeover :
       {std::optional<bool>(), std::optional(false), std::optional(true)})
    for (const std::optional<bool> client_takeover :
         {std::optional<bool>(), std::optional(false), std::optional(true)})
      for (const int server_bits : {8, 11, 15})
        for (const int client_bits : {8, 11, 15})
          for (const bool offered : {false, true})
            all.push_back({.server_no_context_takeover = server_takeover,
                           .client_no_context_takeover = client_takeover,
                           .server_max_window_bits = static_cast<std::uint8_t>(server_bits),
                           .client_max_window_bits = static_cast<std::uint8_t>(client_bits),
                           .client_max_window_bits_offered = offered});
  return all;
}

void expect_as_reference(const Values& choices, std::size_t length, bool repeated) {
  const std::vector<DeflateOptions> options = every_option();
  Values list;
  std::size_t wrong = 0;
  for_each_list(choices, length, repeated, list, [&](const Values& parameters) {
    const std::string text = joined(parameters);
    for (const DeflateOptions& option : options) {
      if (wrong > 10) return;
      if (!option.client_max_window_bits_offered) {  // which is nothing to a server
        const std::string got = answer(text, option);
        const std::string wanted = expected_answer(parameters, option);
        if (got != wanted) ++wrong, ADD_FAILURE() << text << " -> " << got << ", not " << wanted;
      }
      if (check({text}, option) != expected_check(parameters, option))
        ++wrong, ADD_FAILURE() << text << " to " << offer(option);
    }
  });
}

TEST(DeflateReference, AllListsOfEveryKind) { expect_as_reference(every_kind, 2, true); }
TEST(DeflateReference, AllListsOfGoodParameters) { expect_as_reference(good_ones, 4, false); }

// Whatever both want, the client takes what the server answers, and both mean the same by it; except that
// a client may do less than it has to.
TEST(DeflateReference, BothSidesAgree) {
  const std::vector<DeflateOptions> options = every_option();
  for (const DeflateOptions& client : options) {
    for (const DeflateOptions& server : options) {
      const std::string request = head_of({offer(client)});
      const auto terms = detail::choose_deflate_answer(HttpHead(request), server);
      const bool contradiction = client.server_no_context_takeover.value_or(false) &&
                                 !server.server_no_context_takeover.value_or(true);
      ASSERT_EQ(terms.has_value(), !contradiction) << request;
      if (!terms) continue;
      const Checked checked = check({text_of(*terms)}, client);
      ASSERT_EQ(checked.error, errc::none) << offer(client) << " -> " << text_of(*terms);
      const DeflateParameters theirs = detail::agreed_as_server(*terms);
      ASSERT_EQ(checked.agreed->server_no_context_takeover, theirs.server_no_context_takeover);
      ASSERT_EQ(checked.agreed->server_window_bits, theirs.server_window_bits);
      ASSERT_GE(checked.agreed->client_no_context_takeover, theirs.client_no_context_takeover);
      ASSERT_LE(checked.agreed->client_window_bits, theirs.client_window_bits);
    }
  }
}

}  // namespace
}  // namespace sansock
