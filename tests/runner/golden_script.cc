// SPDX-License-Identifier: Apache-2.0
#include "golden_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace braid::golden {

namespace {

constexpr std::string_view kRule = "----";

const std::map<std::string, RecordKind, std::less<>> kKinds = {
    {"statement", RecordKind::kStatement}, {"query", RecordKind::kQuery},
    {"await", RecordKind::kAwait},         {"let", RecordKind::kLet},
    {"file", RecordKind::kFile},           {"run", RecordKind::kRun},
    {"http", RecordKind::kHttp},           {"move", RecordKind::kMove},
    {"restart", RecordKind::kRestart}};

class Parser {
 public:
  explicit Parser(std::string_view text) : lines_(SplitLines(text)) {}

  std::vector<Record> Parse() {
    ParseBlock(lines_.size(), {});
    return std::move(records_);
  }

 private:
  using Bindings = std::map<std::string, std::string>;

  [[noreturn]] void Fail(std::string_view what) const {
    throw ScriptError(fmt::format("line {}: {}", at_ + 1, what));
  }

  void ParseBlock(size_t end, const Bindings& bindings) {
    while (at_ < end) {
      const std::string& line = lines_[at_];
      if (line.empty() || line[0] == '#') {
        ++at_;
        continue;
      }
      const std::vector<std::string> words = SplitWords(line);
      if (words.empty()) Fail("spaces alone");
      if (words[0] == "foreach") {
        ParseLoop(words, bindings);
      } else {
        ParseRecord(end, bindings);
      }
    }
  }

  void ParseLoop(const std::vector<std::string>& words, const Bindings& bindings) {
    if (words.size() < 3) Fail("foreach takes a name and values");
    const size_t begin = at_ + 1;
    size_t end = begin;
    for (size_t depth = 1; end < lines_.size(); ++end) {
      if (lines_[end].starts_with("foreach ")) ++depth;
      if (lines_[end] == "endfor" && --depth == 0) break;
    }
    if (end == lines_.size()) Fail("foreach without endfor");
    for (size_t value = 2; value < words.size(); ++value) {
      Bindings inner = bindings;
      inner[words[1]] = words[value];
      at_ = begin;
      ParseBlock(end, inner);
    }
    at_ = end + 1;
  }

  void ParseRecord(size_t end, const Bindings& bindings) {
    Record record;
    record.bindings = bindings;
    std::vector<std::string> words = SplitWords(lines_[at_]);
    if (words[0] == "connection") {
      if (words.size() != 2) Fail("connection takes a name");
      record.connection = words[1];
      if (++at_ == end) Fail("a statement or query follows a connection");
      words = SplitWords(lines_[at_]);
      if (words.empty()) Fail("a statement or query follows a connection");
    }
    const auto kind = kKinds.find(words[0]);
    if (kind == kKinds.end()) Fail(fmt::format("not a kind of record: {}", words[0]));
    record.kind = kind->second;
    record.line = static_cast<int>(at_) + 1;
    record.arguments.assign(words.begin() + 1, words.end());
    ReadRest(record, end);
    Check(record);
    records_.push_back(std::move(record));
  }

  void ReadRest(Record& record, size_t end) {
    const std::string head = lines_[at_];
    record.expected_begin = record.expected_end = at_;
    ++at_;
    switch (record.kind) {
      case RecordKind::kMove:
      case RecordKind::kRestart:
        return;
      case RecordKind::kFile:
        while (at_ < end && lines_[at_] != "end") record.body.push_back(lines_[at_++]);
        if (at_ == end) Fail("a file's content ends with a line \"end\"");
        ++at_;
        return;
      case RecordKind::kRun:
        return ReadExpected(record, end);
      case RecordKind::kAwait:
        if (head.size() > 6) record.body.push_back(head.substr(6));
        break;
      default:
        break;
    }
    while (at_ < end && !lines_[at_].empty() && lines_[at_] != kRule)
      record.body.push_back(lines_[at_++]);
    if (record.kind == RecordKind::kStatement || record.kind == RecordKind::kLet) {
      if (at_ < end && lines_[at_] == kRule) Fail("only a query has rows");
      record.expected_end = record.expected_begin + 1;
      return;
    }
    if (at_ == end || lines_[at_] != kRule) Fail("---- and what is expected is missing");
    ++at_;
    ReadExpected(record, end);
  }

  void ReadExpected(Record& record, size_t end) {
    record.expected_begin = at_;
    while (at_ < end && !lines_[at_].empty()) record.expected.push_back(lines_[at_++]);
    record.expected_end = at_;
  }

  void Check(const Record& record) const {
    const size_t words = record.arguments.size();
    const auto require = [&](bool holds, std::string_view what) {
      if (!holds) throw ScriptError(fmt::format("line {}: {}", record.line, what));
    };
    switch (record.kind) {
      case RecordKind::kStatement:
        require((words == 1 && record.arguments[0] == "ok") ||
                    (words == 2 && record.arguments[0] == "error"),
                "write statement ok, or statement error CODE");
        require(!record.body.empty(), "SQL is missing");
        break;
      case RecordKind::kQuery:
        for (const std::string& word : record.arguments)
          require(word == "rowsort" || word.starts_with("tol="),
                  fmt::format("not an option of query: {}", word));
        [[fallthrough]];
      case RecordKind::kAwait:
        require(!record.body.empty(), "SQL is missing");
        break;
      case RecordKind::kLet:
      case RecordKind::kFile:
        require(words == 1, "one name is needed");
        break;
      case RecordKind::kHttp:
        require(words == 2, "write http METHOD /path");
        require(!record.expected.empty(), "the status is missing");
        break;
      case RecordKind::kRun:
        require(!record.expected.empty(), "ok or error CODE is missing");
        break;
      default:
        require(words == 0, "nothing else goes in this line");
    }
  }

  std::vector<std::string> lines_;
  size_t at_ = 0;
  std::vector<Record> records_;
};

}  // namespace

std::string Record::BodyText() const { return JoinLines(body); }

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(' ', at)) != std::string_view::npos) {
    const size_t end = std::min(line.find(' ', at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::vector<Record> ParseScript(std::string_view text) { return Parser(text).Parse(); }

std::string Substitute(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find("${", at);
    out += text.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) break;
    const size_t close = text.find('}', open);
    const std::string name(text.substr(open + 2, close - open - 2));
    const auto value = values.find(name);
    if (close == std::string_view::npos || value == values.end())
      throw ScriptError("no such variable: " + name);
    out += value->second;
    at = close + 1;
  }
  return out;
}

}  // namespace braid::golden
