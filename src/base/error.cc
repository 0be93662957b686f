// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace braid {

const std::vector<ErrorCodeInfo>& AllErrorCodes() {
  static const std::vector<ErrorCodeInfo> codes = {
#define ERROR_CODE(name, text, sqlstate, http, meaning) \
  {ErrorCode::name, text, sqlstate, http, meaning},
#include "base/error_codes.def"
#undef ERROR_CODE
  };
  return codes;
}

const ErrorCodeInfo& Describe(ErrorCode code) { return AllErrorCodes()[static_cast<size_t>(code)]; }

std::optional<ErrorCode> FindErrorCode(std::string_view text) {
  for (const ErrorCodeInfo& info : AllErrorCodes())
    if (info.text == text) return info.code;
  return std::nullopt;
}

namespace {

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

SourceSpot SpotAt(std::string_view text, size_t offset, std::string_view file) {
  offset = std::min(offset, text.size());
  SourceSpot spot{.file = std::string(file), .line = 1, .column = 1, .line_text = {}};
  size_t line_start = 0;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++spot.line;
      line_start = i + 1;
    }
  }
  for (size_t i = line_start; i < offset; ++i)
    if (!IsContinuationByte(text[i])) ++spot.column;
  std::string_view line = text.substr(line_start, text.find('\n', line_start) - line_start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  spot.line_text = std::string(line);
  return spot;
}

Error::Error(ErrorCode code, std::string message, std::string hint)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

Error::Error(ErrorCode code, std::string message, std::string hint, SourceSpot where)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)), where_(std::move(where)) {}

Error Error::At(SourceSpot where) const {
  if (where_) return *this;
  return Error(code_, message_, hint_, std::move(where));
}

std::string Error::ToText() const {
  std::string text = fmt::format("error[{}]: {}\n", Describe(code_).text, message_);
  if (where_) {
    text += fmt::format("  --> {}:{}:{}\n", where_->file.empty() ? "<statement>" : where_->file,
                        where_->line, where_->column);
    text += fmt::format("   | {}\n", where_->line_text);
    // Tabs are kept so that the caret stands under its character whatever their width.
    std::string pad;
    int column = 1;
    for (char c : where_->line_text) {
      if (IsContinuationByte(c)) continue;
      if (column++ >= where_->column) break;
      pad += c == '\t' ? '\t' : ' ';
    }
    text += fmt::format("   | {}^\n", pad);
  }
  if (!hint_.empty()) text += fmt::format("hint: {}\n", hint_);
  return text;
}

std::optional<std::string> ClosestMatch(std::string_view name,
                                        const std::vector<std::string>& candidates) {
  auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    // Optimal string alignment distance: two neighbours swapped count as one edit.
    std::vector<std::vector<size_t>> edits(name.size() + 1,
                                           std::vector<size_t>(candidate.size() + 1));
    for (size_t j = 0; j <= candidate.size(); ++j) edits[0][j] = j;
    for (size_t i = 1; i <= name.size(); ++i) {
      edits[i][0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        const size_t changed = edits[i - 1][j - 1] + (same(name[i - 1], candidate[j - 1]) ? 0 : 1);
        edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, changed});
        if (i > 1 && j > 1 && same(name[i - 1], candidate[j - 2]) &&
            same(name[i - 2], candidate[j - 1]))
          edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
      }
    }
    if (edits[name.size()][candidate.size()] < best) {
      best = edits[name.size()][candidate.size()];
      found = candidate;
    }
  }
  return found;
}

void FailCheck(const char* condition, const char* file, int line) {
  throw Error(ErrorCode::kInternal,
              fmt::format("Invariant broken: {} ({}:{})", condition, file, line),
              "this is a defect of Braid; please report it with what you did");
}

}  // namespace braid
