// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace braid::app {

// Rows as a table of text: for a terminal (box drawing) or in Markdown. Holds all rows.
class TextTable {
 public:
  TextTable() = default;
  // `types`: SQL names; columns of numbers are set to the right.
  TextTable(std::vector<std::string> names, const std::vector<std::string>& types);

  size_t columns() const { return names_.size(); }
  void AddRow(std::vector<std::string> cells);

  // `width`: columns of the terminal; wider cells are cut with … and long results in their middle.
  // 0: all of it.
  std::string ToText(size_t width) const;
  std::string ToMarkdown() const;

 private:
  std::vector<size_t> Widths(size_t width) const;
  std::vector<std::string> names_;
  std::vector<bool> to_the_right_;
  std::vector<std::vector<std::string>> rows_;
};

// How many columns of a terminal a text takes (East Asian wide characters two, combining ones
// none).
size_t DisplayWidth(std::string_view text);

}  // namespace braid::app
