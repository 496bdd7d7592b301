#include "sansock/detail/slot_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

using namespace sansock;
using Table = detail::SlotTable<std::string>;

ConnectionId add(Table& table, const std::string& text) {
  EXPECT_TRUE(table.ensure_free());
  const ConnectionId id = table.acquire();
  EXPECT_EQ(table.find(id), nullptr);
  table.emplace(id, text);
  return id;
}

void remove(Table& table, ConnectionId id) {
  table.retire(id.slot);
  table.destroy(id.slot);
}

TEST(SlotTable, FindsWhatIsThereAndNothingElse) {
  Table table;
  EXPECT_EQ(table.find(ConnectionId{}), nullptr);
  EXPECT_EQ(table.find(ConnectionId{0, 1}), nullptr);
  const ConnectionId one = add(table, "one");
  const ConnectionId two = add(table, "two");
  EXPECT_EQ(*table.find(one), "one");
  EXPECT_EQ(*table.find(two), "two");
  EXPECT_EQ(table[two.slot], "two");
  EXPECT_EQ(table.id(two.slot), two);
  EXPECT_EQ(table.find({one.slot, two.serial}), nullptr);
  EXPECT_EQ(table.find({two.slot + 1, 0}), nullptr);
  EXPECT_EQ(table.find(one.slot, static_cast<std::uint32_t>(one.serial)), table.find(one));
  EXPECT_EQ(table.find(one.slot, static_cast<std::uint32_t>(two.serial)), nullptr);
  EXPECT_EQ(table.find(one.slot, 0), nullptr);
  EXPECT_EQ(table.find(two.slot + 1, 0), nullptr);
}

TEST(SlotTable, WhatIsRetiredLivesOnUnfound) {
  Table table;
  const ConnectionId id = add(table, "still here");
  const std::string& object = table[id.slot];
  table.retire(id.slot);
  EXPECT_EQ(table.find(id), nullptr);
  EXPECT_EQ(table.find(id.slot, static_cast<std::uint32_t>(id.serial)), nullptr);
  EXPECT_EQ(object, "still here");
  const ConnectionId other = add(table, "not in the same slot");
  EXPECT_NE(other.slot, id.slot);
  table.destroy(id.slot);
}

TEST(SlotTable, ReusesSlotsAndNeverNames) {
  Table table;
  const ConnectionId first = add(table, "first");
  const ConnectionId second = add(table, "second");
  const ConnectionId third = add(table, "third");
  remove(table, first);
  remove(table, third);
  const ConnectionId fourth = add(table, "fourth");
  const ConnectionId fifth = add(table, "fifth");
  const ConnectionId sixth = add(table, "sixth");
  EXPECT_EQ(fourth.slot, third.slot);
  EXPECT_EQ(fifth.slot, first.slot);
  EXPECT_EQ(sixth.slot, 3u);
  for (const ConnectionId gone : {first, third}) EXPECT_EQ(table.find(gone), nullptr);
  EXPECT_EQ(*table.find(second), "second");
  EXPECT_GT(sixth.serial, third.serial);
}

TEST(SlotTable, ASlotThatGotNothingGoesBack) {
  Table table;
  ASSERT_TRUE(table.ensure_free());
  const ConnectionId unused = table.acquire();
  table.release(unused.slot);
  const ConnectionId id = add(table, "something");
  EXPECT_EQ(id.slot, unused.slot);
  EXPECT_NE(id.serial, unused.serial);
}

TEST(SlotTable, GrowsWithoutMovingWhatIsThere) {
  Table table;
  std::vector<ConnectionId> ids;
  std::set<const std::string*> places;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(add(table, std::to_string(i)));
    places.insert(table.find(ids.back()));
  }
  EXPECT_EQ(places.size(), ids.size());
  EXPECT_EQ(table.capacity(), 1024u);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(*table.find(ids[i]), std::to_string(i));
    ASSERT_EQ(places.count(table.find(ids[i])), 1u);
  }
}

TEST(SlotTable, VisitsAllThatWereNotRetired) {
  Table table;
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(add(table, std::to_string(i)));
  for (std::size_t i = 0; i < ids.size(); i += 3) remove(table, ids[i]);
  std::size_t visited = 0;
  table.for_each([&](ConnectionId id, std::string& text) {
    EXPECT_EQ(&text, table.find(id));
    EXPECT_NE(id.slot % 3, 0u);
    ++visited;
    if (id.slot == 299) return;
    remove(table, id);  // also of the one that is visited
  });
  EXPECT_EQ(visited, 200u);
  visited = 0;
  table.for_each([&](ConnectionId, std::string& text) {
    EXPECT_EQ(text, "299");
    ++visited;
  });
  EXPECT_EQ(visited, 1u);
}

}  // namespace
