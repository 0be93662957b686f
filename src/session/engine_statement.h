// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "syntax/statement.h"

namespace braid::session {

// What the words of a DuckDB statement say that its type does not.
enum class TargetUse : uint8_t { kNone, kCreate, kDrop, kAlter, kInsert, kChange };

struct EngineStatementText {
  std::optional<bool> writes;  // known from the text; otherwise DuckDB's type decides
  bool read_only_begin = false;
  TargetUse use = TargetUse::kNone;
  bool temporary = false;
  std::optional<syntax::Name> target;  // the table or view that `use` is about
};

// Reads the leading words of one statement. Throws NOT_SUPPORTED for maintenance that would damage
// a lake's history (ducklake_rewrite_data_files, ducklake_add_data_files, CHECKPOINT), with a hint.
EngineStatementText ReadEngineStatement(std::string_view text);

}  // namespace braid::session
