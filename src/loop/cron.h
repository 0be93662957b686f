// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bitset>
#include <cstdint>
#include <string_view>

namespace braid::loop {

// A time table as crontab(5) has it: minute, hour, day of the month, month, day of the week (0 and
// 7 are Sunday), each *, a number, a range, a list, with /step; months and days also by their first
// three letters; or @hourly, @daily, @weekly, @monthly, @yearly. Where both days are restricted
// either is enough. In UTC.
class Cron {
 public:
  // Throws CONFIG_INVALID saying which field is wrong.
  explicit Cron(std::string_view text);

  // The first time after `micros` (since 1970, UTC), to the minute. Throws CONFIG_INVALID when none
  // comes within eight years (the 30th of February).
  int64_t Next(int64_t micros) const;

 private:
  bool HasDay(int64_t days_since_1970) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // of the month, from 1
  std::bitset<13> months_;   // from 1
  std::bitset<7> weekdays_;  // 0 is Sunday
  bool any_day_ = false;
  bool any_weekday_ = false;
};

// "90s", "5m", "2h", "1d": microseconds. Throws CONFIG_INVALID.
int64_t ParseDuration(std::string_view text);

}  // namespace braid::loop
