// SPDX-License-Identifier: Apache-2.0
#include "loop/cron.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace braid::loop {

namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kDay = 24 * 60 * kMinute;
constexpr int64_t kMostDays = 366 * 8;

struct Field {
  std::string_view name;
  int low;
  int high;
  std::vector<std::string> words;  // of `low`, `low` + 1, …
};

const std::array<Field, 5>& Fields() {
  static const std::array<Field, 5> fields = {
      {{"minute", 0, 59, {}},
       {"hour", 0, 23, {}},
       {"day of the month", 1, 31, {}},
       {"month",
        1,
        12,
        {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
       {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}}};
  return fields;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0;;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::optional<int> Whole(std::string_view text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

class FieldReader {
 public:
  FieldReader(std::string_view text, const Field& field) : text_(text), field_(field) {}

  template <size_t size>
  void Read(std::bitset<size>& chosen) const {
    for (const std::string_view item : Split(text_, ',')) {
      const auto [low, high, step] = Range(item);
      for (int value = low; value <= high; value += step)
        chosen.set(static_cast<size_t>(value) % size);
    }
  }

 private:
  struct Steps {
    int low;
    int high;
    int step;
  };

  [[noreturn]] void Refuse() const {
    throw Error(
        ErrorCode::kConfigInvalid,
        fmt::format("Not a {} of a cron expression: {}", field_.name, text_),
        fmt::format("numbers from {} to {}, as 5, 1-5, */10 or 1,15", field_.low, field_.high));
  }

  int Value(std::string_view text) const {
    const std::string lower = ToLower(std::string(text));
    for (size_t i = 0; i < field_.words.size(); ++i)
      if (lower == field_.words[i]) return field_.low + static_cast<int>(i);
    const std::optional<int> value = Whole(text);
    if (!value || *value < field_.low || *value > field_.high) Refuse();
    return *value;
  }

  Steps Range(std::string_view item) const {
    const std::vector<std::string_view> stepped = Split(item, '/');
    if (stepped.size() > 2) Refuse();
    Steps steps{field_.low, field_.high, 1};
    if (stepped.size() == 2) {
      const std::optional<int> step = Whole(stepped[1]);
      if (!step || *step < 1) Refuse();
      steps.step = *step;
    }
    if (stepped[0] == "*") return steps;
    const std::vector<std::string_view> ends = Split(stepped[0], '-');
    if (ends.size() > 2) Refuse();
    steps.low = Value(ends[0]);
    if (ends.size() == 2) steps.high = Value(ends[1]);
    // "5/10" goes on from 5.
    if (ends.size() == 1 && stepped.size() == 1) steps.high = steps.low;
    if (steps.low > steps.high) Refuse();
    return steps;
  }

  std::string_view text_;
  const Field& field_;
};

std::string_view Expanded(std::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

}  // namespace

Cron::Cron(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const std::string_view part : Split(Expanded(text), ' '))
    if (!part.empty()) fields.push_back(part);
  if (fields.size() != 5)
    throw Error(ErrorCode::kConfigInvalid, fmt::format("Not a cron expression: {}", text),
                "write five fields: minute, hour, day of the month, month, day of the week");
  FieldReader(fields[0], Fields()[0]).Read(minutes_);
  FieldReader(fields[1], Fields()[1]).Read(hours_);
  FieldReader(fields[2], Fields()[2]).Read(days_);
  FieldReader(fields[3], Fields()[3]).Read(months_);
  FieldReader(fields[4], Fields()[4]).Read(weekdays_);
  any_day_ = fields[2].starts_with('*');
  any_weekday_ = fields[4].starts_with('*');
}

bool Cron::HasDay(int64_t days_since_1970) const {
  const std::chrono::sys_days day{std::chrono::days(days_since_1970)};
  const std::chrono::year_month_day date(day);
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  const bool of_month = days_[static_cast<unsigned>(date.day())];
  const bool of_week = weekdays_[std::chrono::weekday(day).c_encoding()];
  if (any_day_ || any_weekday_) return of_month && of_week;
  return of_month || of_week;
}

int64_t Cron::Next(int64_t micros) const {
  const int64_t first = (micros / kMinute + 1) * kMinute;
  for (int64_t day = first / kDay; day <= first / kDay + kMostDays; ++day) {
    if (!HasDay(day)) continue;
    for (int64_t minute = day * kDay == first / kDay * kDay ? first % kDay / kMinute : 0;
         minute < 24 * 60; ++minute)
      if (hours_[static_cast<size_t>(minute / 60)] && minutes_[static_cast<size_t>(minute % 60)])
        return day * kDay + minute * kMinute;
  }
  throw Error(ErrorCode::kConfigInvalid, "A cron expression names a day that never comes");
}

int64_t ParseDuration(std::string_view text) {
  const std::optional<int> count =
      text.empty() ? std::nullopt : Whole(text.substr(0, text.size() - 1));
  const int64_t unit = text.ends_with('s')   ? kMinute / 60
                       : text.ends_with('m') ? kMinute
                       : text.ends_with('h') ? 60 * kMinute
                       : text.ends_with('d') ? kDay
                                             : 0;
  if (!count || *count < 1 || unit == 0)
    throw Error(ErrorCode::kConfigInvalid, fmt::format("Not a length of time: {}", text),
                "write a whole number and s, m, h or d, such as 5m");
  return *count * unit;
}

}  // namespace braid::loop
