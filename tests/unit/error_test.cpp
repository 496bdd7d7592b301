#include "sansock/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sansock {
namespace {

constexpr int count = static_cast<int>(errc::count_);

// Before main(): the categories are constants.
const std::string early_message = std::error_code(errc::mask_missing).message();

TEST(Error, EveryCauseHasANameASentenceAndACondition) {
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
  for (int value = 0; value < count; ++value) {
    const errc e = static_cast<errc>(value);
    EXPECT_TRUE(names.insert(name(e)).second) << name(e);
    EXPECT_TRUE(sentences.insert(describe(e)).second) << describe(e);
    EXPECT_TRUE(describe(e).ends_with('.')) << name(e);
    EXPECT_LT(describe(e).size(), 120u);
    EXPECT_EQ(std::error_code(e).message(), describe(e));
    EXPECT_STREQ(std::error_code(e).category().name(), "sansock");
    if (value == 0) continue;
    EXPECT_TRUE(std::error_code(e) == condition_for(e)) << name(e);
    EXPECT_TRUE(static_cast<bool>(std::error_code(e)));
  }
  EXPECT_EQ(name(errc::mask_missing), "mask_missing");
  EXPECT_EQ(name(errc::config_invalid), "config_invalid");
}

TEST(Error, NoneIsNoError) {
  EXPECT_FALSE(static_cast<bool>(std::error_code(errc::none)));
  for (int value = 1; value <= static_cast<int>(condition::tls_failed); ++value)
    EXPECT_FALSE(std::error_code(errc::none) == static_cast<condition>(value));
}

TEST(Error, TotalForValuesThatAreNoCause) {
  for (const int value : {count, count + 1, 65535}) {
    const errc e = static_cast<errc>(value);
    EXPECT_EQ(name(e), "unknown");
    EXPECT_EQ(describe(e), "Unknown error.");
    EXPECT_EQ(close_code_for(e), CloseCode::abnormal);
    EXPECT_EQ(http_status_for(e), 400);
  }
  for (const int value : {-1, count, 1 << 20}) {
    EXPECT_EQ(engine_category().message(value), "Unknown error.");
    EXPECT_FALSE(std::error_code(value, engine_category()) == condition::misuse);
  }
  EXPECT_EQ(condition_category().message(99), "Unknown condition.");
}

TEST(Error, ConditionsGroupCauses) {
  EXPECT_EQ(std::error_code(errc::utf8_invalid), condition::protocol_violation);
  EXPECT_EQ(std::error_code(errc::length_top_bit), condition::protocol_violation);
  EXPECT_EQ(std::error_code(errc::memory_exhausted), condition::limit_exceeded);
  EXPECT_EQ(std::error_code(errc::headers_too_many), condition::limit_exceeded);
  EXPECT_EQ(std::error_code(errc::handshake_timeout), condition::timed_out);
  EXPECT_EQ(std::error_code(errc::eof_in_handshake), condition::transport_failed);
  EXPECT_EQ(std::error_code(errc::extension_unoffered), condition::handshake_failed);
  EXPECT_EQ(std::error_code(errc::url_invalid), condition::misuse);
  EXPECT_NE(std::error_code(errc::utf8_invalid), condition::limit_exceeded);
  EXPECT_EQ(std::error_condition(condition::timed_out).message(), "A deadline has passed.");
  EXPECT_STREQ(condition_category().name(), "sansock.condition");
}

TEST(Error, CausesOfTls) {
  for (int value = static_cast<int>(errc::tls_plain_http);
       value <= static_cast<int>(errc::tls_config_invalid); ++value) {
    const errc cause = static_cast<errc>(value);
    EXPECT_TRUE(name(cause).starts_with("tls_")) << name(cause);
    EXPECT_EQ(std::error_code(cause), condition::tls_failed) << name(cause);
    // There is no connection, or no longer one, on which a Close frame could be sent.
    EXPECT_EQ(close_code_for(cause), CloseCode::abnormal) << name(cause);
  }
  // No other cause is among them: here it is a server without TLS that refuses.
  EXPECT_EQ(std::error_code(errc::tls_unexpected), condition::handshake_failed);
  for (int value = 0; value < count; ++value) {
    const errc cause = static_cast<errc>(value);
    const bool tls = name(cause).starts_with("tls_") && cause != errc::tls_unexpected;
    EXPECT_EQ(std::error_code(cause) == condition::tls_failed, tls) << name(cause);
  }
  EXPECT_EQ(std::error_condition(condition::tls_failed).message(), "TLS could not be set up, or failed.");
}

TEST(Error, CloseCodes) {
  for (int value = static_cast<int>(errc::rsv1_unexpected);
       value <= static_cast<int>(errc::close_code_invalid); ++value)
    EXPECT_EQ(close_code_for(static_cast<errc>(value)), CloseCode::protocol_error);
  EXPECT_EQ(close_code_for(errc::utf8_invalid), CloseCode::invalid_payload);
  EXPECT_EQ(close_code_for(errc::utf8_invalid_in_reason), CloseCode::invalid_payload);
  EXPECT_EQ(close_code_for(errc::frame_too_big), CloseCode::message_too_big);
  EXPECT_EQ(close_code_for(errc::message_too_big), CloseCode::message_too_big);
  EXPECT_EQ(close_code_for(errc::fragments_too_many), CloseCode::policy_violation);
  EXPECT_EQ(close_code_for(errc::fragments_empty_too_many), CloseCode::policy_violation);
  EXPECT_EQ(close_code_for(errc::control_flood), CloseCode::policy_violation);
  EXPECT_EQ(close_code_for(errc::first_message_timeout), CloseCode::policy_violation);
  EXPECT_EQ(close_code_for(errc::assembly_timeout), CloseCode::policy_violation);
  EXPECT_EQ(close_code_for(errc::pong_timeout), CloseCode::internal_error);
  EXPECT_EQ(close_code_for(errc::idle_timeout), CloseCode::going_away);
  EXPECT_EQ(close_code_for(errc::transport_error), CloseCode::abnormal);
  // What may be sent at all may stand in a Close frame.
  for (int value = 0; value < count; ++value) {
    const CloseCode code = close_code_for(static_cast<errc>(value));
    EXPECT_TRUE(code == CloseCode::abnormal || is_wire_close_code(static_cast<std::uint16_t>(code)));
  }
}

TEST(Error, HttpStatuses) {
  EXPECT_EQ(http_status_for(errc::head_malformed), 400);
  EXPECT_EQ(http_status_for(errc::tls_unexpected), 400);
  EXPECT_EQ(http_status_for(errc::method_not_get), 405);
  EXPECT_EQ(http_status_for(errc::upgrade_missing), 426);
  EXPECT_EQ(http_status_for(errc::version_unsupported), 426);
  EXPECT_EQ(http_status_for(errc::version_missing), 400);
  EXPECT_EQ(http_status_for(errc::origin_refused), 403);
  EXPECT_EQ(http_status_for(errc::head_too_large), 431);
  EXPECT_EQ(http_status_for(errc::headers_too_many), 431);
  EXPECT_EQ(http_status_for(errc::handshake_timeout), 408);
  EXPECT_EQ(http_status_for(errc::blocks_exhausted), 503);
  EXPECT_EQ(http_status_for(errc::aborted), 503);  // Endpoint::close() before there is an answer
  EXPECT_EQ(http_status_for(errc::not_open), 400);
}

TEST(Error, UsableBeforeMain) { EXPECT_EQ(early_message, describe(errc::mask_missing)); }

}  // namespace
}  // namespace sansock
