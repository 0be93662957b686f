// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace braid {

enum class ErrorCode : uint8_t {
#define ERROR_CODE(name, text, sqlstate, http, meaning) name,
#include "base/error_codes.def"
#undef ERROR_CODE
};

struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view text;      // "MODEL_NOT_FOUND"
  std::string_view sqlstate;  // five characters, PostgreSQL's classes
  int http_status;
  std::string_view meaning;
};

const ErrorCodeInfo& Describe(ErrorCode code);
std::optional<ErrorCode> FindErrorCode(std::string_view text);
const std::vector<ErrorCodeInfo>& AllErrorCodes();

// Where in a text an error lies. Line and column count from 1; columns count characters (code
// points).
struct SourceSpot {
  std::string file;  // as the user named it; empty for a command line or a pipe
  int line = 0;
  int column = 0;
  std::string line_text;
};

// Finds the spot of a byte offset in a text (an offset past the end is the end).
SourceSpot SpotAt(std::string_view text, size_t offset, std::string_view file);

// The one error type. Thrown when a statement, request or job cannot continue; caught only where a
// statement, request, job or process ends. `message`: static text first, value last ("Model not
// found: churn"). `hint`: what to do instead, empty when nothing is known.
class Error final : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string hint = "");
  Error(ErrorCode code, std::string message, std::string hint, SourceSpot where);

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::optional<SourceSpot>& where() const { return where_; }
  const char* what() const noexcept override { return message_.c_str(); }

  // Returns the same error at a place, unless it has one.
  Error At(SourceSpot where) const;

  // Renders "error[CODE]: message", then the place, its line and a caret, then the hint; one
  // trailing newline.
  std::string ToText() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
  std::optional<SourceSpot> where_;
};

// The candidate nearest to `name` (edit distance, at most a third of its length), for "did you
// mean".
std::optional<std::string> ClosestMatch(std::string_view name,
                                        const std::vector<std::string>& candidates);

[[noreturn]] void FailCheck(const char* condition, const char* file, int line);

}  // namespace braid

// An invariant of ours: always on, never for what users give.
#define BRAID_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::braid::FailCheck(#condition, __FILE__, __LINE__))
