// SPDX-License-Identifier: Apache-2.0
#include "catalog/place.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace braid::catalog {
namespace {

Object ObjectIn(const std::string& file_text, const std::string& definition) {
  Object object;
  object.file = "a.sql";
  object.definition = definition;
  object.offset = file_text.find(definition);
  object.file_text = std::make_shared<const std::string>(file_text);
  return object;
}

TEST(PlaceTest, OffsetsAreTheReverseOfSpots) {
  const std::string text = "ab\r\nçdé f\n\nlast";
  for (size_t offset = 0; offset <= text.size(); ++offset) {
    if ((static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) continue;
    EXPECT_EQ(OffsetOf(text, SpotAt(text, offset, "")), offset);
  }
  EXPECT_EQ(OffsetOf(text, {.file = "", .line = 9, .column = 1, .line_text = ""}), text.size());
  EXPECT_EQ(OffsetOf(text, {.file = "", .line = 3, .column = 7, .line_text = ""}), 12U);
}

TEST(PlaceTest, ShowsAnErrorOfAQueryInItsFile) {
  const Object object = ObjectIn("-- ü\n  CREATE MATERIALIZED VIEW v AS\n  SELECT ü, nope;\n",
                                 "CREATE MATERIALIZED VIEW v AS\n  SELECT ü, nope");
  const syntax::SourceText query{"SELECT ü, nope", object.definition.find("SELECT")};
  const Error inside =
      Error(ErrorCode::kBinder, "m", "h").At(SpotAt(query.text, query.text.find("nope"), ""));
  const Error placed = PlaceInFile(inside, object, query);
  EXPECT_EQ(placed.where()->file, "a.sql");
  EXPECT_EQ(placed.where()->line, 3);
  EXPECT_EQ(placed.where()->column, 13);
  EXPECT_EQ(placed.where()->line_text, "  SELECT ü, nope;");
  EXPECT_EQ(placed.hint(), "h");

  const Error nowhere = PlaceInFile(Error(ErrorCode::kIo, "m"), object, query);
  EXPECT_EQ(nowhere.where()->line, 3);
  EXPECT_EQ(nowhere.where()->column, 3);
}

TEST(PlaceTest, LeavesAnErrorThatNamesAFile) {
  const Object object = ObjectIn("SELECT 1", "SELECT 1");
  const Error error = Error(ErrorCode::kIo, "m").At(SpotAt("x", 0, "other.sql"));
  EXPECT_EQ(PlaceInFile(error, object, syntax::SourceText{"SELECT 1", 0}).where()->file,
            "other.sql");
}

TEST(PlaceTest, UsesTheDefinitionWhereTheFileIsNotKnown) {
  Object object;
  object.file = "b.sql";
  object.line = 7;
  object.definition = "CREATE MODEL m AS\nSELECT x";
  const Error placed = PlaceInFile(Error(ErrorCode::kBinder, "m"), object, 25);
  EXPECT_EQ(placed.where()->line, 8);
  EXPECT_EQ(placed.where()->column, 8);
  EXPECT_EQ(placed.where()->line_text, "SELECT x");
}

}  // namespace
}  // namespace braid::catalog
