// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flow/node_state_internal.h"
#include "flow/run_context_internal.h"
#include "syntax/query.h"

namespace braid::flow {

// The files of one STREAM read_files(…) and which of them are new.
struct FileBatch {
  std::string pattern;  // absolute
  size_t matched = 0;
  std::map<std::string, ReadFile> fresh;  // by path, relative to the project where it lies below
  std::vector<std::string> changed;       // files that were read and are different now
};

// Absolute, as the project's folder has it.
std::string AbsolutePattern(const RunContext& context, const std::string& pattern);

// Lists what a pattern matches.
std::map<std::string, ReadFile> ListFiles(RunContext& context, const std::string& pattern);
FileBatch FindNewFiles(RunContext& context, const std::string& node,
                       const syntax::ReadFiles& source);

// Whether the folder that the pattern starts in exists.
bool FolderExists(const std::string& absolute_pattern);

// A query for the rows of the new files (none: no rows, in the shape that was read before; nullopt
// when that is not known). `columns`: what was read at first; empty: it is set now.
std::optional<std::string> FilesQuery(RunContext& context, const syntax::ReadFiles& source,
                                      const FileBatch& batch, std::vector<lake::Column>& columns);

// Name, size and time of all files of a pattern in one hash.
std::string FilesFingerprint(RunContext& context, const std::string& pattern);

}  // namespace braid::flow
