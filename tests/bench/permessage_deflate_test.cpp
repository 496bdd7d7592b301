#include "permessage_deflate.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using load::Deflate;
using load::DeflateAgreement;

DeflateAgreement read(Deflate deflate, const std::string& extensions) {
  return load::read_deflate_answer(
      deflate, "HTTP/1.1 101 Yes\r\nsec-websocket-EXTENSIONS: " + extensions + "\r\n\r\n");
}

std::string failure(Deflate deflate, const std::string& head) {
  try {
    load::read_deflate_answer(deflate, head);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(PermessageDeflate, ReadsWhatTheServerChose) {
  EXPECT_EQ(read(Deflate::on, "permessage-deflate"), (DeflateAgreement{.compressed = true}));
  EXPECT_EQ(
      read(Deflate::on, "permessage-deflate;client_no_context_takeover; client_max_window_bits=9"),
      (DeflateAgreement{.compressed = true, .client_no_context_takeover = true, .client_window_bits = 9}));
  EXPECT_EQ(
      read(Deflate::on, " permessage-deflate ; server_max_window_bits = \"8\" ; server_no_context_takeover"),
      (DeflateAgreement{.compressed = true, .server_no_context_takeover = true, .server_window_bits = 8}));
  // What was offered of the client's context holds without being repeated.
  EXPECT_TRUE(
      read(Deflate::no_context, "permessage-deflate; server_no_context_takeover").client_no_context_takeover);
  EXPECT_EQ(load::read_deflate_answer(Deflate::off, "HTTP/1.1 101 Yes\r\n\r\n"), DeflateAgreement{});
}

TEST(PermessageDeflate, RefusesWhatCanNotBeUsed) {
  const std::string begin = "HTTP/1.1 101 Yes\r\nSec-WebSocket-Extensions: ";
  for (const char* extensions :
       {"permessage-bzip2", "permessage-deflate, permessage-deflate",
        "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=09", "permessage-deflate; client_max_window_bits=9x",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; fast",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate"}) {
    EXPECT_NE(failure(Deflate::on, begin + extensions + "\r\n\r\n"), "") << extensions;
  }
  EXPECT_NE(
      failure(Deflate::on, begin + "permessage-deflate; client_max_window_bits=8\r\n\r\n").find("8 bits"),
      std::string::npos);
  EXPECT_NE(failure(Deflate::no_context, begin + "permessage-deflate\r\n\r\n").find("keeps its context"),
            std::string::npos);
  EXPECT_NE(failure(Deflate::on, "HTTP/1.1 101 Yes\r\n\r\n").find("declined"), std::string::npos);
  EXPECT_NE(failure(Deflate::off, begin + "permessage-deflate\r\n\r\n").find("not offered"),
            std::string::npos);
}

TEST(PermessageDeflate, DescribesAsAServerWouldAnswer) {
  for (const char* extensions :
       {"permessage-deflate", "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9"}) {
    EXPECT_EQ(load::describe(read(Deflate::on, extensions)), extensions);
  }
  EXPECT_EQ(load::describe({}), "none");
}

}  // namespace
