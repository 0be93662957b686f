// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "syntax/statement.h"

namespace braid::session {

// What the words of a DuckDB statement say that its type does not.
enum class TargetUse : uint8_t { kNone, kCreate, kDrop, kAlter, kInsert, kChange };

struct EngineStatementText {
  std::optional<bool> writes;  // known from the text; otherwise DuckDB's type decides
  bool read_only_begin = false;
  std::string maintenance;  // the function of FindMaintenance
  TargetUse use = TargetUse::kNone;
  bool temporary = false;
  bool view = false;                   // the target is a view, which stores nothing
  std::optional<syntax::Name> target;  // the table or view that `use` is about
};

// Reads the leading words of one statement. Throws NOT_SUPPORTED as FindMaintenance does.
EngineStatementText ReadEngineStatement(std::string_view text);

}  // namespace braid::session
