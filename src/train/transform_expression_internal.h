// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/connection.h"
#include "session/model_store.h"
#include "syntax/source_map.h"

namespace braid::train {

// Qualifies the columns of an expression with __braid_row. Throws, with the place in the `text`
// that the expression was made from, for columns that there are not, subqueries, aggregates, window
// functions, volatile functions, macros and stars.
syntax::MappedText OverRow(engine::Connection& connection, std::string_view text,
                           const syntax::MappedText& expression,
                           const std::vector<std::string>& columns);

// An error of the SQL, its place found in the `text` that the SQL was made from.
Error PlacedIn(std::string_view text, const syntax::MappedText& sql, const Error& error);

// An encoder that a column of TRANSFORM is.
struct Encoder {
  std::vector<std::string> vocabulary;  // by index; empty: the column is no encoder
  std::string one_hot;                  // ML.ONE_HOT_ENCODER: its argument, over __braid_row
};
constexpr std::string_view kUnknown = "__UNKNOWN__";  // index 0

// Numbers: the value at each of the indices of a list of STRUCT(index, value), which `path` is.
std::vector<session::ProjectedInput> EncodedInputs(const std::string& name, const std::string& path,
                                                   const Encoder& encoder,
                                                   const std::vector<size_t>& indices);

}  // namespace braid::train
