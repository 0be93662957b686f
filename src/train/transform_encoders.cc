// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "syntax/format.h"
#include "train/transform_expression_internal.h"

namespace braid::train {

namespace {

using syntax::QuoteString;

// Without the list: a comparison for each of hundreds of texts costs less.
std::string OneHot(const Encoder& encoder, size_t index) {
  if (index > 0)
    return fmt::format("CAST(CAST(({}) AS VARCHAR) IS NOT DISTINCT FROM {} AS DOUBLE)",
                       encoder.one_hot, QuoteString(encoder.vocabulary.at(index)));
  std::string known;
  for (size_t i = 1; i < encoder.vocabulary.size(); ++i)
    known += (known.empty() ? "" : ", ") + QuoteString(encoder.vocabulary[i]);
  return known.empty()
             ? "CAST(1 AS DOUBLE)"
             : fmt::format("CAST(NOT coalesce(CAST(({}) AS VARCHAR) IN ({}), FALSE) AS DOUBLE)",
                           encoder.one_hot, known);
}

}  // namespace

std::vector<session::ProjectedInput> EncodedInputs(const std::string& name, const std::string& path,
                                                   const Encoder& encoder,
                                                   const std::vector<size_t>& indices) {
  std::vector<session::ProjectedInput> inputs;
  for (const size_t index : indices)
    inputs.push_back(
        {fmt::format("{}_{}", name, encoder.vocabulary.at(index)),
         !encoder.one_hot.empty()
             ? OneHot(encoder, index)
             : fmt::format("coalesce({0}[list_position(list_transform({0}, lambda __e: "
                           "__e.\"index\"), {1})].\"value\", 0)",
                           path, index),
         false});
  return inputs;
}

}  // namespace braid::train
