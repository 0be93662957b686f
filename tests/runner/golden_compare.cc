// SPDX-License-Identifier: Apache-2.0
#include "golden_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace braid::golden {

namespace {

using Json = nlohmann::ordered_json;

std::optional<double> Number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> Cells(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const size_t tab = line.find('\t');
    cells.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return cells;
    line.remove_prefix(tab + 1);
  }
}

bool SameRow(std::string_view expected, std::string_view got, double tolerance) {
  const auto left = Cells(expected);
  const auto right = Cells(got);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](std::string_view one, std::string_view other) {
                      if (one == other) return true;
                      const auto a = Number(one);
                      const auto b = Number(other);
                      return a && b && std::abs(*a - *b) <= tolerance * std::max(1.0, std::abs(*a));
                    });
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string CellText(const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_number_float()) return fmt::format("{:.15g}", value.get<double>());
  if (!value.is_string()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto& text = value.get_ref<const std::string&>();
  return text.empty() ? "(empty)" : Escaped(text);
}

bool SameRows(const std::vector<std::string>& expected, const std::vector<std::string>& got,
              std::optional<double> tolerance) {
  if (!tolerance) return expected == got;
  return std::equal(
      expected.begin(), expected.end(), got.begin(), got.end(),
      [&](const std::string& a, const std::string& b) { return SameRow(a, b, *tolerance); });
}

std::string DiffText(const std::vector<std::string>& expected,
                     const std::vector<std::string>& got) {
  const size_t shorter = std::min(expected.size(), got.size());
  size_t head = 0;
  while (head < shorter && expected[head] == got[head]) ++head;
  size_t tail = 0;
  while (tail < shorter - head &&
         expected[expected.size() - 1 - tail] == got[got.size() - 1 - tail])
    ++tail;
  std::string text;
  for (size_t i = 0; i < head; ++i) text += "  " + got[i] + "\n";
  for (size_t i = head; i < expected.size() - tail; ++i) text += "- " + expected[i] + "\n";
  for (size_t i = head; i < got.size() - tail; ++i) text += "+ " + got[i] + "\n";
  for (size_t i = got.size() - tail; i < got.size(); ++i) text += "  " + got[i] + "\n";
  return text;
}

Json Project(const Json& expected, const Json& got) {
  if (expected.is_object() && got.is_object()) {
    Json part = Json::object();
    for (const auto& [key, value] : expected.items())
      if (const auto found = got.find(key); found != got.end()) part[key] = Project(value, *found);
    return part;
  }
  if (expected.is_array() && got.is_array() && expected.size() == got.size()) {
    Json part = Json::array();
    for (size_t i = 0; i < got.size(); ++i) part.push_back(Project(expected[i], got[i]));
    return part;
  }
  return got;
}

}  // namespace braid::golden
