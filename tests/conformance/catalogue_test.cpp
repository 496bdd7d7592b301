#include "cases/catalogue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace conform {
namespace {

std::string prefix_of(const std::string& id) {
  const std::size_t first = id.find('.');
  const std::size_t second = id.find('.', first + 1);
  return second == std::string::npos ? id.substr(0, first) : id.substr(0, second);
}

TEST(Catalogue, HasAllCasesInOrder) {
  const auto cases = catalogue(full_scale);
  ASSERT_EQ(cases.size(), 517u);
  std::map<std::string, int> count;
  std::map<int, int> groups;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ++count[prefix_of(cases[i].id)];
    ++groups[cases[i].group()];
    ids.insert(cases[i].id);
    EXPECT_FALSE(cases[i].description.empty());
    EXPECT_FALSE(cases[i].expectation.empty());
    if (i > 0) {
      EXPECT_TRUE(id_less(cases[i - 1].id, cases[i].id)) << cases[i].id;
    }
  }
  EXPECT_EQ(ids.size(), cases.size());
  const std::map<int, int> by_group = {{1, 16}, {2, 11}, {3, 7},  {4, 10},  {5, 20},  {6, 145},
                                       {7, 37}, {9, 54}, {10, 1}, {12, 90}, {13, 126}};
  EXPECT_EQ(groups, by_group);
  const std::map<std::string, int> by_subgroup = {
      {"6.1", 3},   {"6.2", 4},  {"6.3", 2},  {"6.4", 4},  {"6.5", 5},   {"6.6", 11}, {"6.7", 4},
      {"6.8", 2},   {"6.9", 4},  {"6.10", 3}, {"6.11", 5}, {"6.12", 8},  {"6.13", 5}, {"6.14", 10},
      {"6.15", 1},  {"6.16", 3}, {"6.17", 5}, {"6.18", 5}, {"6.19", 5},  {"6.20", 7}, {"6.21", 8},
      {"6.22", 34}, {"6.23", 7}, {"7.1", 6},  {"7.3", 6},  {"7.5", 1},   {"7.7", 13}, {"7.9", 9},
      {"7.13", 2},  {"9.1", 6},  {"9.3", 9},  {"9.8", 6},  {"12.5", 18}, {"13.7", 18}};
  for (const auto& [prefix, number] : by_subgroup) EXPECT_EQ(count[prefix], number) << prefix;
}

// Whether the payloads are what the cases say, by a decoder of its own kind: code points, not octets.
bool decodes(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size();) {
    const auto lead = static_cast<unsigned char>(octets[i]);
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xC0 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF8 ? 4
                                                           : 0;
    if (size == 0 || i + size > octets.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(octets[i + k]);
      if ((next & 0xC0u) != 0x80) return false;
      point = point << 6 | (next & 0x3Fu);
    }
    static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

TEST(Catalogue, Utf8CasesExpectAnEchoExactlyOfWhatIsUtf8) {
  int valid = 0;
  for (const Case& one : catalogue(quick_scale)) {
    if (one.group() != 6 || one.id.starts_with("6.4.")) continue;
    std::string whole;
    for (const Step& step : one.steps) {
      if (const auto* const frame = std::get_if<SendFrame>(&step)) whole += frame->payload;
    }
    EXPECT_EQ(decodes(whole), one.close.by_kit) << one.id;
    EXPECT_EQ(one.expected.front().events.size(), one.close.by_kit ? 1u : 0u) << one.id;
    if (one.close.by_kit) {
      EXPECT_EQ(one.expected.front().events.front().payload, whole) << one.id;
      ++valid;
    }
  }
  EXPECT_EQ(valid, 7 + 5 + 5 + 4 + 4 + 4 + 34 + 7);
}

TEST(Catalogue, QuickChangesSizesAndNothingElse) {
  const auto full = catalogue(full_scale);
  const auto quick = catalogue(quick_scale);
  ASSERT_EQ(full.size(), quick.size());
  for (std::size_t i = 0; i < full.size(); ++i) {
    EXPECT_EQ(full[i].id, quick[i].id);
    ASSERT_EQ(full[i].exchange.has_value(), quick[i].exchange.has_value());
    if (!full[i].exchange) continue;
    EXPECT_LE(quick[i].exchange->source->message(0).size(), 1u << 20);
    EXPECT_LE(quick[i].exchange->count, full[i].exchange->count);
    EXPECT_EQ(quick[i].exchange->fragment, full[i].exchange->fragment);
  }
}

TEST(Catalogue, LimitCasesHaveTheirFullSizes) {
  std::map<std::string, const Exchange*> exchanges;
  const auto cases = catalogue(full_scale);
  for (const Case& one : cases) {
    if (one.exchange) exchanges[one.id] = &*one.exchange;
  }
  EXPECT_EQ(exchanges.at("9.1.6")->source->message(0).size(), 16u << 20);
  EXPECT_EQ(exchanges.at("9.3.1")->fragment, 64u);
  EXPECT_EQ(exchanges.at("9.3.1")->source->message(0).size(), 4u << 20);
  EXPECT_EQ(exchanges.at("9.5.1")->chop, 64u);
  EXPECT_EQ(exchanges.at("9.8.6")->count, 1000u);
  EXPECT_EQ(exchanges.at("12.5.18")->count, 1000u);
  EXPECT_EQ(exchanges.at("12.5.18")->fragment, 32768u);
}

TEST(CaseFilter, PatternsAreIdsAndPrefixes) {
  EXPECT_TRUE(pattern_fits("*", "1.1.1"));
  EXPECT_TRUE(pattern_fits("1.*", "1.2.8"));
  EXPECT_TRUE(pattern_fits("6.4.*", "6.4.1"));
  EXPECT_TRUE(pattern_fits("2.10", "2.10"));
  EXPECT_FALSE(pattern_fits("2.1", "2.10"));
  EXPECT_FALSE(pattern_fits("1.*", "10.1.1"));
  EXPECT_FALSE(pattern_fits("6.4", "6.4.1"));
  const CaseFilter filter("1.*, 6.4.*", "1.2.*");
  EXPECT_TRUE(filter.selects("1.1.1"));
  EXPECT_FALSE(filter.selects("1.2.1"));
  EXPECT_TRUE(filter.selects("6.4.4"));
  EXPECT_FALSE(filter.selects("6.5.1"));
  EXPECT_TRUE(CaseFilter("", "").selects("13.7.18"));
}

TEST(CaseFilter, NamesAPatternThatSelectsNothing) {
  const auto cases = catalogue(quick_scale);
  EXPECT_EQ(CaseFilter("1.*,8.*", "").useless_pattern(cases), "8.*");
  EXPECT_EQ(CaseFilter("1.*", "6.4").useless_pattern(cases), "6.4");
  EXPECT_EQ(CaseFilter("1.*", "").useless_pattern(cases), "");
}

}  // namespace
}  // namespace conform
