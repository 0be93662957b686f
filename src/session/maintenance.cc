// SPDX-License-Identifier: Apache-2.0
#include "session/maintenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "syntax/token.h"

namespace braid::session {

namespace {

using syntax::Token;
using syntax::TokenKind;

struct RefusedFunction {
  std::string_view name;
  const char* hint;
};

constexpr const char* kCheckpointHint =
    "it rewrites data files; CALL ducklake_merge_adjacent_files('lake') keeps history";

constexpr std::array<RefusedFunction, 4> kRefused = {{
    {"ducklake_rewrite_data_files",
     "it changes what older snapshots show; ducklake_merge_adjacent_files keeps them"},
    {"ducklake_add_data_files",
     "the lake would own, and later delete, your files; INSERT … SELECT * FROM read_parquet(…) "
     "copies them"},
    {"checkpoint", kCheckpointHint},
    {"force_checkpoint", kCheckpointHint},
}};

// The last two are macros of the attached lake.
constexpr std::array<std::string_view, 8> kAllowed = {
    "ducklake_merge_adjacent_files", "ducklake_expire_snapshots",
    "ducklake_cleanup_old_files",    "ducklake_delete_orphaned_files",
    "ducklake_flush_inlined_data",   "ducklake_set_option",
    "merge_adjacent_files",          "set_option",
};

// With others, later writes fail (parquet_row_group_size_bytes; parquet_compression_level but for
// zstd) or spoil values (data_inlining_row_limit), or nothing here needs them.
constexpr std::array<std::string_view, 6> kOptions = {
    "delete_older_than",      "expire_older_than", "parquet_compression",
    "parquet_row_group_size", "parquet_version",   "target_file_size",
};

// A name after one of these is declared, not called: INSERT INTO checkpoint (a).
constexpr std::array<std::string_view, 9> kDeclaring = {
    "AS", "COPY", "EXISTS", "INTO", "MACRO", "FUNCTION", "TABLE", "VIEW", "WITH"};

bool IsOneOf(const Token& token, const auto& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return token.Is(word); });
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), tokens_(syntax::Lex(text, "")) {}

  // The first maintenance function that is called.
  std::string Read(bool may_call) const {
    RefuseCheckpoint();
    std::string found;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (!IsCall(i)) continue;
      const std::string name = ToLower(syntax::NameOf(tokens_[i]));
      for (const RefusedFunction& refused : kRefused)
        if (name == refused.name) Refuse(i, name, refused.hint);
      if (name == "query") CheckHiddenQuery(i);
      if (std::find(kAllowed.begin(), kAllowed.end(), name) == kAllowed.end()) continue;
      if (!may_call || !IsPlain())
        Refuse(i, name + " within another statement", "run it on its own: CALL " + name + "(…)");
      if (name.ends_with("set_option")) CheckOption(i, name);
      if (found.empty()) found = name;
    }
    return found;
  }

 private:
  [[noreturn]] void Refuse(size_t at, const std::string& what, const std::string& hint) const {
    throw Error(ErrorCode::kNotSupported, "Not allowed on a lake: " + what, hint,
                SpotAt(text_, tokens_[at].begin, ""));
  }

  // CHECKPOINT, FORCE CHECKPOINT, PRAGMA force_checkpoint, EXPLAIN ANALYZE CHECKPOINT
  void RefuseCheckpoint() const {
    static constexpr std::array<std::string_view, 4> kBefore = {"EXPLAIN", "ANALYZE", "FORCE",
                                                                "PRAGMA"};
    size_t at = 0;
    while (IsOneOf(tokens_[at], kBefore)) ++at;
    if (!tokens_[at].IsName()) return;
    const std::string name = ToLower(syntax::NameOf(tokens_[at]));
    if (name == "checkpoint" || name == "force_checkpoint")
      Refuse(at, "CHECKPOINT", kCheckpointHint);
  }

  bool IsCall(size_t at) const {
    if (!tokens_[at].IsName() || !tokens_[at + 1].Is("(")) return false;
    while (at >= 2 && tokens_[at - 1].Is(".") && tokens_[at - 2].IsName()) at -= 2;
    return at > 0 && !IsOneOf(tokens_[at - 1], kDeclaring);
  }

  bool IsPlain() const {
    static constexpr std::array<std::string_view, 3> kFirst = {"CALL", "FROM", "SELECT"};
    return IsOneOf(tokens_.front(), kFirst);
  }

  // query('FROM ' || 'f()'): its strings, joined, are a statement.
  void CheckHiddenQuery(size_t at) const {
    std::string hidden;
    int depth = 0;
    for (size_t i = at + 1; i < tokens_.size(); ++i) {
      if (tokens_[i].Is("(")) ++depth;
      if (tokens_[i].Is(")") && --depth == 0) break;
      if (tokens_[i].kind == TokenKind::kString) hidden += syntax::StringOf(tokens_[i]);
    }
    try {
      RefuseMaintenance(hidden);
    } catch (const Error& error) {
      // What cannot be read at all, DuckDB explains.
      if (error.code() == ErrorCode::kNotSupported)
        Refuse(at, "maintenance within query(…)", "run it on its own: CALL f(…)");
    }
  }

  // set_option('option', value, …), ducklake_set_option('lake', 'option', value, …)
  void CheckOption(size_t call, const std::string& name) const {
    const size_t at = call + (name.starts_with("ducklake_") ? 4 : 2);
    const bool literal = at + 2 < tokens_.size() && tokens_[at].kind == TokenKind::kString &&
                         tokens_[at + 1].Is(",");
    const std::string option = literal ? ToLower(syntax::StringOf(tokens_[at])) : "";
    if (std::find(kOptions.begin(), kOptions.end(), option) == kOptions.end())
      Refuse(literal ? at : call, literal ? "the option " + option : "an option that is no literal",
             fmt::format("options that may be set: {}", fmt::join(kOptions, ", ")));
    // DuckLake takes -1 and 'none' too, and then fails at every write.
    if (option != "target_file_size") return;
    const std::string size = tokens_[at + 2].kind == TokenKind::kString
                                 ? syntax::StringOf(tokens_[at + 2])
                                 : std::string();
    if (size.empty() || size[0] < '0' || size[0] > '9')
      Refuse(at + 2, "this value of target_file_size", "give a size such as '100MB'");
  }

  std::string_view text_;
  std::vector<Token> tokens_;
};

}  // namespace

std::string FindMaintenance(std::string_view statement) { return Reader(statement).Read(true); }

void RefuseMaintenance(std::string_view query) { Reader(query).Read(false); }

}  // namespace braid::session
