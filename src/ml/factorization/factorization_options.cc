// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/factorization_options.h"

#include "base/error.h"
#include "base/text.h"
#include "ml/option_reader.h"

namespace braid::ml {

std::vector<std::string_view> FactorizationOptionNames() {
  return {"feedback_type",  "num_factors", "user_col",         "item_col",   "rating_col", "l2_reg",
          "max_iterations", "early_stop",  "min_rel_progress", "wals_alpha", "num_starts"};
}

FactorizationOptions ParseFactorizationOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  FactorizationOptions parsed;
  parsed.feedback =
      reader.Word("feedback_type", Feedback::kExplicit,
                  {{"EXPLICIT", Feedback::kExplicit}, {"IMPLICIT", Feedback::kImplicit}});
  if (const Option* option = reader.Find("num_factors")) {
    const int64_t factors = reader.Integer("num_factors", 1, 1);
    if (factors > kMostFactors) OptionReader::Refuse(*option, "an integer from 1 to 1000");
    parsed.num_factors = static_cast<size_t>(factors);
  }
  parsed.num_starts = reader.Integer("num_starts", 1, parsed.num_starts);
  if (parsed.num_starts > kMostFactorizationStarts)
    OptionReader::Refuse(*reader.Find("num_starts"), "a whole number from 1 to 1000");
  parsed.l2_reg = reader.AtLeast("l2_reg", 0, parsed.l2_reg);
  if (reader.Has("wals_alpha") && parsed.feedback == Feedback::kExplicit)
    throw Error(ErrorCode::kInvalidOption, "WALS_ALPHA is for implicit feedback",
                "leave it out, or set FEEDBACK_TYPE = 'IMPLICIT'");
  parsed.wals_alpha = reader.Above("wals_alpha", 0, parsed.wals_alpha);
  parsed.max_iterations = reader.Integer("max_iterations", 1, parsed.max_iterations);
  parsed.early_stop = reader.Boolean("early_stop", parsed.early_stop);
  parsed.min_rel_progress = reader.AtLeast("min_rel_progress", 0, parsed.min_rel_progress);
  FactorizationColumns(options);
  return parsed;
}

NamedColumns FactorizationColumns(const std::vector<Option>& options) {
  const OptionReader reader(options);
  const std::string user = reader.Text("user_col").value_or("user");
  const std::string item = reader.Text("item_col").value_or("item");
  const std::string rating = reader.Text("rating_col").value_or("rating");
  if (ToLower(user) == ToLower(item) || ToLower(user) == ToLower(rating) ||
      ToLower(item) == ToLower(rating))
    throw Error(ErrorCode::kInvalidOption, "USER_COL, ITEM_COL and RATING_COL name a column twice",
                "name three different columns");
  return {.label = rating, .inputs = {user, item}};
}

}  // namespace braid::ml
