// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "syntax/query.h"
#include "syntax/source_map.h"

namespace braid::session {

// What a preprocessing function is made SQL in. Offsets are those of the text that it was found in.
struct PreprocessingScope {
  // An argument's SQL, the functions inside it replaced.
  std::function<syntax::MappedText(const syntax::SourceText&)> rewrite;
  // A statistic over all rows: `pattern` is a query whose $1 stands for a table of one column v;
  // `values` is the expression that v is for each row.
  std::function<syntax::MappedText(std::string_view pattern, const syntax::MappedText& values)>
      statistic;
  std::function<void(const Error& error, size_t offset)> fail;  // throws
};

// A preprocessing function (ML.STANDARD_SCALER, …) as an SQL expression. NULL and NaN are one.
// Fails with kNotSupported for functions that there are not, kSyntax for wrong arguments or a wrong
// OVER, kInvalidOption for values that do not fit. Meanings: docs/sql/ml_preprocessing.md.
syntax::MappedText PreprocessingSql(const syntax::MlFunction& function,
                                    const PreprocessingScope& scope);

// Whether it needs statistics, and so OVER (). False for unknown names.
bool IsAnalytic(std::string_view function);

}  // namespace braid::session
