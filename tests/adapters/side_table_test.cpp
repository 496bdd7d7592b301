#include "side_table.h"

#include <gtest/gtest.h>

namespace sansock {
namespace {

TEST(SideTable, MakesWhatIsAskedForAndOnlyThat) {
  SideTable<int> table;
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(1'000'000), nullptr);
  EXPECT_EQ(table.at(1000), 0);
  EXPECT_NE(table.find(1000), nullptr);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(2000), nullptr);
}

TEST(SideTable, EntriesAreApartAndNeverMove) {
  SideTable<std::uint32_t> table;
  std::vector<const std::uint32_t*> places;
  constexpr std::uint32_t count = 1000;
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    table.at(slot) = slot;
    places.push_back(table.find(slot));
  }
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    ASSERT_EQ(table.at(slot), slot);
    ASSERT_EQ(table.find(slot), places[slot]);
  }
}

}  // namespace
}  // namespace sansock
