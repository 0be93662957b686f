// SPDX-License-Identifier: Apache-2.0
#include "serve/canonical_time.h"

namespace braid::serve {

namespace {

constexpr size_t kDate = 10;    // "2013-01-31"
constexpr size_t kMinutes = 5;  // "23:59"

std::string WithSeconds(std::string_view time) {
  std::string text(time);
  if (text.size() >= kMinutes && (text.size() == kMinutes || text[kMinutes] != ':'))
    text.insert(kMinutes, ":00");
  return text;
}

}  // namespace

std::string CanonicalTimestamp(std::string_view text) {
  if (text.size() <= kDate) return std::string(text);
  std::string time = WithSeconds(text.substr(kDate + 1));
  if (time.ends_with('z')) time.back() = 'Z';
  return std::string(text.substr(0, kDate)) + "T" + time;
}

std::string CanonicalTime(std::string_view text) {
  std::string time = WithSeconds(text);
  if (time.ends_with('z') || time.ends_with('Z')) {
    time.pop_back();
    time += "+00:00";
  }
  return time;
}

}  // namespace braid::serve
