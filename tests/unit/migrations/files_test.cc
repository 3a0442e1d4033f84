#include "migrations/files.h"

#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"
#include "migrations/source.h"

namespace penstock::migrations {
namespace {

constexpr size_t kSmall = 100;

std::string Text(char c) { return std::string(kSmall - 10, c); }

TEST(Files, WhatIsBeyondTheirMemoryIsReadBack) {
  Files files({}, kSmall);
  EXPECT_TRUE(files.Add("a", Text('a')));
  EXPECT_FALSE(files.Add("b", Text('b')));
  EXPECT_FALSE(files.Add("c", std::string("c\0c", 3)));
  EXPECT_FALSE(files.Add("d", ""));
  EXPECT_EQ(files.size(), 4u);
  EXPECT_EQ(files.bytes(), 2 * (kSmall - 10) + 3);
  EXPECT_EQ(files.name(2), "c");
  EXPECT_EQ(*files.Read(0), Text('a'));
  EXPECT_EQ(*files.Read(1), Text('b'));
  EXPECT_EQ(*files.Read(2), std::string("c\0c", 3));
  EXPECT_EQ(*files.Read(3), "");
}

class Elsewhere : public ::testing::Test {
 protected:
  Elsewhere() : before_(std::getenv("TMPDIR")) { setenv("TMPDIR", "/nonexistent/folder", 1); }
  ~Elsewhere() override {
    if (before_ == nullptr) {
      unsetenv("TMPDIR");
    } else {
      setenv("TMPDIR", before_, 1);
    }
  }

  const char* const before_;
};

TEST_F(Elsewhere, WithoutAPlaceForItItStaysInMemory) {
  Files files({}, kSmall);
  EXPECT_TRUE(files.Add("a", Text('a')));
  EXPECT_TRUE(files.Add("b", Text('b')));
  EXPECT_EQ(*files.Read(1), Text('b'));
}

// The statements are those of the file, wherever that is kept.
TEST(Files, ASourceIsReadFromThem) {
  const auto files = std::make_shared<Files>(std::vector<File>(), kSmall);
  files->Add("1_a.up.sql", "select '" + Text('a') + "'; select 2");
  files->Add("2_b.sql", "-- +goose Up\nselect '" + Text('b') + "';\n-- +goose Down\nselect 4;\n");
  const auto dialect = *MakeDialect("sqlite", "penstock_migrations");
  const absl::StatusOr<Source> source = ReadSource(files, {}, "sqlite", *dialect);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->at(1).up->statement_count, 2u);
  EXPECT_EQ(source->at(2).down->statement_count, 1u);
}

}  // namespace
}  // namespace penstock::migrations
