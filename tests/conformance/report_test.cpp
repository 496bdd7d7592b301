// What the kit writes: verdict files, index.json, pages.
#include "report/report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/summary.h"
#include "verdict/verdict_file.h"

namespace conform {
namespace {

CaseResult result_of(std::string id, std::string agent, Verdicts verdicts) {
  CaseResult result;
  result.case_id = std::move(id);
  result.agent = std::move(agent);
  result.verdicts = verdicts;
  result.close_received = CloseFrame{1000, "<b>\xFF"};
  result.http_request = "GET /\xFF HTTP/1.1\r\n";
  return result;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class ReportDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "conform-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  std::filesystem::path root;
};

TEST_F(ReportDirectory, IndexHasTheOfficialShape) {
  write_reports(
      (root / "a/b").string(),
      {{"My Agent", {{"1.1.1", result_of("1.1.1", "My Agent", {Verdict::ok, Verdict::wrong_code})}}}},
      Role::client);
  const auto index = nlohmann::json::parse(content(root / "a/b/index.json"));
  const auto& entry = index.at("My Agent").at("1.1.1");
  EXPECT_EQ(entry.at("behavior"), "OK");
  EXPECT_EQ(entry.at("behaviorClose"), "WRONG CODE");
  EXPECT_EQ(entry.at("remoteCloseCode"), 1000);
  EXPECT_EQ(entry.at("duration"), 0);
  EXPECT_EQ(entry.at("reportfile"), "my_agent_case_1_1_1.json");
  EXPECT_EQ(nlohmann::json::parse(content(root / "a/b/my_agent_case_1_1_1.json")).at("id"), "1.1.1");
  const std::string page = content(root / "a/b/my_agent_case_1_1_1.html");
  EXPECT_NE(page.find("&lt;b&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
}

TEST_F(ReportDirectory, AgentsOfFormerRunsStay) {
  for (const char* const agent : {"one", "two", "one"}) {
    write_reports(root.string(), {{agent, {{"2.10", result_of("2.10", agent, {Verdict::ok, Verdict::ok})}}}},
                  Role::client);
  }
  const auto index = nlohmann::json::parse(content(root / "index.json"));
  EXPECT_EQ(index.size(), 2u);
  const std::string page = content(root / "index.html");
  EXPECT_NE(page.find("one_case_2_10.html"), std::string::npos);
  EXPECT_NE(page.find("two_case_2_10.html"), std::string::npos);
}

TEST_F(ReportDirectory, AnUnwritablePlaceIsNamed) {
  std::ofstream(root / "file") << "x";
  EXPECT_THROW(write_reports((root / "file/below").string(), {}, Role::client), std::runtime_error);
}

TEST(VerdictFile_, LaterLinesWin) {
  std::string problem;
  const auto file = VerdictFile::parse(
      "# all\n* OK OK\n7.* OK WRONG_CODE # why\n\n7.1.6 INFORMATIONAL INFORMATIONAL\n", problem);
  ASSERT_TRUE(file) << problem;
  EXPECT_EQ(file->difference("1.1.1", {Verdict::ok, Verdict::ok}), "");
  EXPECT_EQ(file->difference("7.3.1", {Verdict::ok, Verdict::wrong_code}), "");
  EXPECT_EQ(file->difference("7.3.1", {Verdict::ok, Verdict::ok}),
            "OK OK, pinned is OK WRONG_CODE");  // better is a difference
  EXPECT_EQ(file->difference("7.1.6", {Verdict::informational, Verdict::informational}), "");
}

TEST(VerdictFile_, WhatNobodyPinnedIsADifference) {
  std::string problem;
  const auto file = VerdictFile::parse("1.* OK OK\n", problem);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->difference("2.1", {Verdict::ok, Verdict::ok}), "OK OK, and nothing is pinned");
}

TEST(VerdictFile_, BadLinesAreNamed) {
  for (const char* const text : {"1.* OK", "x\n", "1.* OK OK OK", "1.* FINE OK", "\n\n* ok ok"}) {
    std::string problem;
    EXPECT_FALSE(VerdictFile::parse(text, problem)) << text;
    EXPECT_NE(problem.find("line "), std::string::npos) << text;
  }
  std::string problem;
  EXPECT_FALSE(VerdictFile::read("/nonexistent", problem));
}

TEST(Outcome_, FailuresOrDifferences) {
  AgentResults results;
  results["1.1.1"] = result_of("1.1.1", "a", {Verdict::ok, Verdict::ok});
  results["2.1"] = result_of("2.1", "a", {Verdict::non_strict, Verdict::ok});
  results["7.1.1"] = result_of("7.1.1", "a", {Verdict::ok, Verdict::unclean});
  EXPECT_EQ(outcome_of(results, nullptr).lines.size(), 1u);
  std::string problem;
  const auto pinned = VerdictFile::parse("* OK OK\n7.1.1 OK UNCLEAN\n", problem);
  const Outcome outcome = outcome_of(results, &*pinned);
  ASSERT_EQ(outcome.lines.size(), 1u);
  EXPECT_TRUE(outcome.lines.front().starts_with("2.1: NON-STRICT OK"));
}

}  // namespace
}  // namespace conform
