// SPDX-License-Identifier: Apache-2.0
#include "app/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace braid::app {

namespace {

constexpr size_t kMostRows = 60;  // of a terminal's table
constexpr size_t kLeastWidth = 8;

// The code point at `at`, and how many bytes it takes; a stray byte is one of its own.
std::pair<uint32_t, size_t> CodePoint(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const size_t length = byte < 0x80    ? 1
                        : byte >= 0xF0 ? 4
                        : byte >= 0xE0 ? 3
                        : byte >= 0xC0 ? 2
                                       : 1;
  if (length == 1 || at + length > text.size()) return {byte, 1};
  uint32_t point = byte & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i)
    point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  return {point, length};
}

// Unicode 15: East Asian Width W and F, and emoji; combining marks and joiners are 0.
size_t WidthOf(uint32_t point) {
  static constexpr std::array<std::pair<uint32_t, uint32_t>, 6> kNone = {{{0x300, 0x36F},
                                                                          {0x200B, 0x200F},
                                                                          {0x20D0, 0x20FF},
                                                                          {0xFE00, 0xFE0F},
                                                                          {0xFE20, 0xFE2F},
                                                                          {0x1AB0, 0x1AFF}}};
  static constexpr std::array<std::pair<uint32_t, uint32_t>, 10> kWide = {{{0x1100, 0x115F},
                                                                           {0x2E80, 0x303E},
                                                                           {0x3041, 0xA4CF},
                                                                           {0xAC00, 0xD7A3},
                                                                           {0xF900, 0xFAFF},
                                                                           {0xFE30, 0xFE6F},
                                                                           {0xFF00, 0xFF60},
                                                                           {0xFFE0, 0xFFE6},
                                                                           {0x1F300, 0x1FAFF},
                                                                           {0x20000, 0x3FFFD}}};
  for (const auto& [first, last] : kNone)
    if (point >= first && point <= last) return 0;
  for (const auto& [first, last] : kWide)
    if (point >= first && point <= last) return 2;
  return 1;
}

// Control characters would move the cursor; they are shown as escapes.
std::string Escaped(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      shown += "\\n";
    } else if (c == '\t') {
      shown += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return shown;
}

std::string Cut(const std::string& text, size_t width) {
  if (DisplayWidth(text) <= width) return text;
  std::string cut;
  size_t used = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [point, length] = CodePoint(text, at);
    if (used + WidthOf(point) + 1 > width) break;
    used += WidthOf(point);
    cut += text.substr(at, length);
    at += length;
  }
  return cut + "…";
}

std::string Padded(const std::string& text, size_t width, bool to_the_right) {
  const size_t used = DisplayWidth(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return to_the_right ? space + text : text + space;
}

bool IsNumber(std::string_view type) {
  for (const std::string_view number :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"})
    if (type == number) return true;
  return type.starts_with("DECIMAL") && !type.ends_with("]");
}

std::string Rule(const std::vector<size_t>& widths, const char* left, const char* middle,
                 const char* right) {
  std::string rule = left;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) rule += middle;
    for (size_t k = 0; k < widths[i] + 2; ++k) rule += "─";
  }
  return rule + right + "\n";
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [point, length] = CodePoint(text, at);
    width += WidthOf(point);
    at += length;
  }
  return width;
}

TextTable::TextTable(std::vector<std::string> names, const std::vector<std::string>& types)
    : names_(std::move(names)) {
  for (const std::string& type : types) to_the_right_.push_back(IsNumber(type));
  to_the_right_.resize(names_.size());
  for (std::string& name : names_) name = Escaped(name);
}

void TextTable::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Escaped(cell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> TextTable::Widths(size_t width) const {
  std::vector<size_t> widths;
  for (const std::string& name : names_) widths.push_back(DisplayWidth(name));
  for (const std::vector<std::string>& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  const auto total = [&] {
    size_t sum = 1;
    for (const size_t one : widths) sum += one + 3;
    return sum;
  };
  // The widest column gives way first.
  while (width > 0 && total() > width) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (widest == widths.end() || *widest <= kLeastWidth) break;
    --*widest;
  }
  return widths;
}

std::string TextTable::ToText(size_t width) const {
  const std::vector<size_t> widths = Widths(width);
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "│";
    for (size_t i = 0; i < cells.size(); ++i)
      text += " " + Padded(Cut(cells[i], widths[i]), widths[i], to_the_right_[i]) + " │";
    return text + "\n";
  };
  std::string text = Rule(widths, "┌", "┬", "┐") + line(names_) + Rule(widths, "├", "┼", "┤");
  const bool cut = width > 0 && rows_.size() > kMostRows;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (cut && row == kMostRows / 2) {
      text += line(std::vector<std::string>(names_.size(), "·"));
      row = rows_.size() - kMostRows / 2;
    }
    text += line(rows_[row]);
  }
  text += Rule(widths, "└", "┴", "┘");
  return text +
         fmt::format("{} row{}{}\n", rows_.size(), rows_.size() == 1 ? "" : "s",
                     cut ? fmt::format(" ({} shown; --format csv gives all)", kMostRows) : "");
}

std::string TextTable::ToMarkdown() const {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) {
      text += " ";
      for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
      text += " |";
    }
    return text + "\n";
  };
  std::string text = line(names_) + "|";
  for (const bool right : to_the_right_) text += right ? " ---: |" : " --- |";
  text += "\n";
  for (const std::vector<std::string>& row : rows_) text += line(row);
  return text;
}

}  // namespace braid::app
