// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/base64.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "base/uuid.h"

namespace braid {
namespace {

class FixedClock final : public Clock {
 public:
  int64_t NowMicros() const override { return 1'700'000'000'000'000; }
};

// The vectors of RFC 4648, section 10.
TEST(Base64Test, EncodesAndDecodes) {
  for (const auto& [bytes, text] : {std::pair{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(EncodeBase64(bytes), text);
    EXPECT_EQ(DecodeBase64(text), bytes);
  }
  for (const char* text : {"Zg", "Zh==", "Z===", "Zm9!"})
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
}

TEST(ErrorTest, PlacesTheCaretUnderTheCharacterNotTheByte) {
  const std::string text = "SELECT 1;\nSELECT 'é', nme";
  const Error error(ErrorCode::kBinder, "Column not found: nme", "did you mean name?",
                    SpotAt(text, text.find("nme"), "a.sql"));
  EXPECT_EQ(error.ToText(),
            "error[BINDER]: Column not found: nme\n"
            "  --> a.sql:2:13\n"
            "   | SELECT 'é', nme\n"
            "   |             ^\n"
            "hint: did you mean name?\n");
}

TEST(ErrorTest, CodesAreUniqueAndFoundByText) {
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    EXPECT_EQ(FindErrorCode(info.text), info.code);
    EXPECT_EQ(info.sqlstate.size(), 5U) << info.text;
  }
  EXPECT_EQ(FindErrorCode("NO_SUCH"), std::nullopt);
}

TEST(ClosestMatchTest, FindsTyposAndRefusesStrangers) {
  EXPECT_EQ(ClosestMatch("l2_rge", {"l1_reg", "l2_reg"}), "l2_reg");
  EXPECT_EQ(ClosestMatch("threads", {"memory_limit", "temp_directory"}), std::nullopt);
}

TEST(UuidTest, RisesWithinOneMillisecond) {
  const FixedClock clock;
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = NewUuidV7(clock);
    EXPECT_TRUE(IsUuid(id)) << id;
    EXPECT_EQ(id[14], '7');
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(ClockTest, FormatsUtc) {
  EXPECT_EQ(FormatUtc(1'700'000'000'000'001), "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(FormatUtc(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(HashTest, MatchesFipsExamples) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
}

TEST(FileTest, WritesAndReadsBack) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "braid_file_test";
  std::filesystem::create_directories(folder);
  WriteFileDurably(folder / "a", std::string(200'000, 'x'));
  EXPECT_EQ(ReadFile(folder / "a").size(), 200'000U);
  EXPECT_THROW(ReadFile(folder / "missing"), Error);
  std::filesystem::remove_all(folder);
}

TEST(Utf8, TakesWhatIsACharacter) {
  for (const char* good :
       {"", "a", "\xC3\xA9", "\xE6\x97\xA5", "\xF4\x8F\xBF\xBF", "a\xE0\xA0\x80z"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  // Cut short, overlong, half a pair, above U+10FFFF, a stray continuation.
  for (const char* bad :
       {"\xC3", "\xC0\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "a\x80"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

}  // namespace
}  // namespace braid
