// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "owner/command.h"
#include "session/session.h"

namespace braid::app {

enum class OutputFormat : uint8_t { kTable, kCsv, kJson, kMarkdown };
// Throws USAGE with did-you-mean.
OutputFormat ParseOutputFormat(std::string_view text);

// Writes results to standard output and notices to standard error, as CONTRACT says of each format.
// `table`: box drawing where the output is a terminal, numbers to the right, types under the names,
// long results cut in the middle on a terminal only, with the number of rows; `width`: columns of
// the terminal (0: do not cut).
std::unique_ptr<session::ResultSink> MakeResultSink(OutputFormat format, owner::OutputSink& output,
                                                    size_t width);

// "error[CODE]: …" with its place, or with json one object
// {"error":{code,message,hint,file,line,column}}.
std::string RenderError(const Error& error, OutputFormat format);

}  // namespace braid::app
