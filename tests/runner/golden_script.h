// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace braid::golden {

enum class RecordKind { kStatement, kQuery, kAwait, kLet, kFile, kRun, kHttp, kMove, kRestart };

// One step of a golden file (README.md says how they are written).
struct Record {
  RecordKind kind = RecordKind::kStatement;
  int line = 0;                        // of its head, from 1
  std::string connection;              // empty: the default one
  std::vector<std::string> arguments;  // the head's words after the first
  std::vector<std::string> body;       // SQL, a file's content, a request
  std::vector<std::string> expected;   // lines
  // The lines of the file, from 0, that hold the expectation.
  size_t expected_begin = 0;
  size_t expected_end = 0;
  std::map<std::string, std::string> bindings;  // of the foreach around it

  std::string BodyText() const;
};

// A golden file that is written wrongly: "line 7: …".
struct ScriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<std::string> SplitLines(std::string_view text);
std::string JoinLines(const std::vector<std::string>& lines);
std::vector<std::string> SplitWords(std::string_view line);

// Reads a golden file. Throws ScriptError.
std::vector<Record> ParseScript(std::string_view text);

// Replaces each ${name}. Throws ScriptError for a name that is not among the values.
std::string Substitute(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace braid::golden
