// SPDX-License-Identifier: Apache-2.0
// The times are those that croniter 6 gives for the same expressions and starts.
#include "loop/cron.h"

#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace braid::loop {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'795'867'999 * kSecond;  // 2026-11-28T12:13:19Z, a Saturday

std::string After(const char* cron, int64_t start = kStart) {
  return FormatUtc(Cron(cron).Next(start)).substr(0, 16);
}

TEST(Cron, GivesTheNextTime) {
  ASSERT_EQ(FormatUtc(kStart), "2026-11-28T12:13:19.000000Z");
  EXPECT_EQ(After("* * * * *"), "2026-11-28T12:14");
  EXPECT_EQ(After("*/5 * * * *"), "2026-11-28T12:15");
  EXPECT_EQ(After("13 12 * * *"), "2026-11-29T12:13");
  EXPECT_EQ(After("0 3 * * mon-fri"), "2026-11-30T03:00");
  EXPECT_EQ(After("30 8,20 * * *"), "2026-11-28T20:30");
  EXPECT_EQ(After("0 0 1 * *"), "2026-12-01T00:00");
  EXPECT_EQ(After("0 0 29 2 *"), "2028-02-29T00:00");
  EXPECT_EQ(After("15/20 * * * *"), "2026-11-28T12:15");
  EXPECT_EQ(After("0 0 13 * 5"), "2026-12-04T00:00");  // the 13th or a Friday
  EXPECT_EQ(After("0 12 * * 7"), "2026-11-29T12:00");
  EXPECT_EQ(After("0 0 1 JAN *"), "2027-01-01T00:00");
  EXPECT_EQ(After("@weekly"), "2026-11-29T00:00");
  EXPECT_EQ(After("@hourly"), "2026-11-28T13:00");
}

TEST(Cron, ATimeThatIsNowIsPast) {
  const int64_t noon = Cron("0 12 * * *").Next(kStart);
  EXPECT_EQ(Cron("0 12 * * *").Next(noon) - noon, 86'400 * kSecond);
  EXPECT_EQ(Cron("0 12 * * *").Next(noon - 1), noon);
}

TEST(Cron, RefusesWhatIsNone) {
  for (const char* text : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
                           "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *",
                           "1- * * * *", ", * * * *", "1//2 * * * *", "@never", "-1 * * * *"})
    EXPECT_THROW(Cron{text}, Error) << text;
  EXPECT_THROW(Cron("0 0 30 2 *").Next(kStart), Error);
}

TEST(Duration, HasAUnit) {
  EXPECT_EQ(ParseDuration("90s"), 90 * kSecond);
  EXPECT_EQ(ParseDuration("5m"), 300 * kSecond);
  EXPECT_EQ(ParseDuration("2h"), 7200 * kSecond);
  EXPECT_EQ(ParseDuration("1d"), 86'400 * kSecond);
  for (const char* text : {"", "5", "m", "0s", "-1m", "1w", "1.5h"})
    EXPECT_THROW(ParseDuration(text), Error) << text;
}

}  // namespace
}  // namespace braid::loop
