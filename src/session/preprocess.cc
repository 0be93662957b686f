// SPDX-License-Identifier: Apache-2.0
// The table of preprocessing functions, and what their arguments may be.
#include "session/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "ml/option_reader.h"
#include "session/preprocess_internal.h"
#include "syntax/select_list.h"
#include "syntax/token.h"

namespace braid::session {

using syntax::FillIn;
using syntax::MappedText;
using syntax::SourceText;

namespace {

struct Function {
  std::string_view name;
  std::string_view arguments;
  size_t minimum;
  size_t maximum;
  bool analytic;
  MappedText (*make)(const PreprocessingCall& call);
};

constexpr std::array<Function, 17> kFunctions = {{
    {"STANDARD_SCALER", "x", 1, 1, true, StandardScaler},
    {"MIN_MAX_SCALER", "x", 1, 1, true, MinMaxScaler},
    {"MAX_ABS_SCALER", "x", 1, 1, true, MaxAbsScaler},
    {"ROBUST_SCALER", "x [, quantile_range [, with_median [, with_quantile_range]]]", 1, 4, true,
     RobustScaler},
    {"IMPUTER", "x, {'mean' | 'median' | 'most_frequent'}", 2, 2, true, Imputer},
    {"QUANTILE_BUCKETIZE", "x, buckets [, output_format]", 2, 3, true, QuantileBucketize},
    {"ONE_HOT_ENCODER", "s [, drop [, top_k [, frequency_threshold]]]", 1, 4, true, OneHotEncoder},
    {"LABEL_ENCODER", "s [, top_k [, frequency_threshold]]", 1, 3, true, LabelEncoder},
    {"MULTI_HOT_ENCODER", "list [, top_k [, frequency_threshold]]", 1, 3, true, MultiHotEncoder},
    {"BAG_OF_WORDS", "list [, top_k [, frequency_threshold]]", 1, 3, true, BagOfWords},
    {"TF_IDF", "list [, top_k [, frequency_threshold]]", 1, 3, true, TfIdf},
    {"BUCKETIZE", "x, splits [, exclude_boundaries [, output_format]]", 2, 4, false, Bucketize},
    {"NORMALIZER", "list [, p]", 1, 2, false, Normalizer},
    {"POLYNOMIAL_EXPAND", "STRUCT(x AS name, …) [, degree]", 1, 2, false, PolynomialExpand},
    {"FEATURE_CROSS", "STRUCT(s AS name, …) [, degree]", 1, 2, false, FeatureCross},
    {"HASH_BUCKETIZE", "s, buckets", 2, 2, false, HashBucketize},
    {"NGRAMS", "list, {size | [from, to]} [, separator]", 2, 3, false, Ngrams},
}};

const Function* Find(std::string_view name) {
  const auto* found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                   [&](const Function& known) { return known.name == name; });
  return found == kFunctions.end() ? nullptr : found;
}

Error UnknownFunction(std::string_view name) {
  std::vector<std::string> names;
  for (const Function& known : kFunctions) names.emplace_back(known.name);
  const auto close = ClosestMatch(name, names);
  return {ErrorCode::kNotSupported, fmt::format("There is no function ML.{}", name),
          close ? fmt::format("did you mean ML.{}?", *close)
                : "functions of models take MODEL as their first argument, as ML.PREDICT(MODEL m, "
                  "TABLE t)"};
}

std::string Syntax(const Function& function) {
  return fmt::format("write ML.{}({}){}", function.name, function.arguments,
                     function.analytic ? " OVER ()" : "");
}

}  // namespace

bool IsAnalytic(std::string_view function) {
  const Function* found = Find(function);
  return found != nullptr && found->analytic;
}

MappedText PreprocessingSql(const syntax::MlFunction& function, const PreprocessingScope& scope) {
  const Function* found = Find(function.name);
  if (found == nullptr) {
    scope.fail(UnknownFunction(function.name), function.begin);
    return {};
  }
  const std::string syntax = Syntax(*found);
  const PreprocessingCall call(function, syntax, scope);
  const size_t count = function.arguments.size();
  if (count < found->minimum || count > found->maximum)
    call.Fail(
        Error(ErrorCode::kSyntax,
              fmt::format("Wrong number of arguments of ML.{}: {}", function.name, count), syntax),
        function.begin);
  for (const SourceText& argument : function.arguments)
    if (argument.text.empty())
      call.Fail(Error(ErrorCode::kSyntax, "An argument is missing", syntax), argument.offset);
  if (found->analytic && !function.over)
    call.Fail(Error(ErrorCode::kSyntax, fmt::format("OVER () is missing after ML.{}", found->name),
                    syntax),
              function.begin);
  if (function.over && !found->analytic)
    call.Fail(Error(ErrorCode::kSyntax, fmt::format("ML.{} takes no OVER", found->name), syntax),
              function.over->offset);
  if (function.over && !function.over->text.empty())
    call.Fail(Error(ErrorCode::kSyntax, fmt::format("The OVER of ML.{} is not empty", found->name),
                    "its statistics are those of all rows: " + syntax),
              function.over->offset);
  MappedText text;
  text.Append("(", function.begin);
  text.Append(found->make(call));
  text.Append(")");
  return text;
}

MappedText PreprocessingCall::Number(const SourceText& expression) const {
  return FillIn("nullif(CAST(($1) AS DOUBLE), CAST('nan' AS DOUBLE))", {Sql(expression)});
}

MappedText PreprocessingCall::Text(size_t i) const {
  return FillIn("CAST(($1) AS VARCHAR)", {Sql(i)});
}

MappedText PreprocessingCall::Texts(size_t i) const {
  return FillIn("CAST(($1) AS VARCHAR[])", {Sql(i)});
}

OptionValue PreprocessingCall::Literal(size_t i) const {
  try {
    return syntax::ParseLiteral(argument(i).text);
  } catch (const Error&) {
    Refuse(i, "a literal");
  }
}

int64_t PreprocessingCall::Integer(size_t i, int64_t minimum, int64_t maximum,
                                   int64_t fallback) const {
  if (i >= count()) return fallback;
  const OptionValue literal = Literal(i);
  const auto* value = std::get_if<int64_t>(&literal.value);
  if (value == nullptr || *value < minimum || *value > maximum)
    Refuse(i, fmt::format("a whole number from {} to {}", minimum, maximum));
  return *value;
}

bool PreprocessingCall::Boolean(size_t i, bool fallback) const {
  if (i >= count()) return fallback;
  const OptionValue literal = Literal(i);
  const auto* value = std::get_if<bool>(&literal.value);
  if (value == nullptr) Refuse(i, "TRUE or FALSE");
  return *value;
}

size_t PreprocessingCall::Choice(size_t i, std::initializer_list<std::string_view> choices) const {
  if (i >= count()) return 0;
  const OptionValue literal = Literal(i);
  const auto* value = std::get_if<std::string>(&literal.value);
  for (const auto* choice = choices.begin(); value != nullptr && choice != choices.end(); ++choice)
    if (EqualsIgnoringCase(*value, *choice)) return static_cast<size_t>(choice - choices.begin());
  Refuse(i, fmt::format("one of '{}'", fmt::join(choices, "', '")));
}

std::optional<std::vector<double>> PreprocessingCall::Numbers(size_t i) const {
  if (i >= count()) return std::nullopt;
  const OptionValue literal = Literal(i);
  const auto* list = std::get_if<OptionValue::List>(&literal.value);
  if (list == nullptr || list->empty()) Refuse(i, "a list of numbers in ascending order");
  std::vector<double> numbers;
  for (const OptionValue& item : *list) {
    const std::optional<double> number = ml::AsNumber(item);
    if (!number || !std::isfinite(*number) || (!numbers.empty() && *number <= numbers.back()))
      Refuse(i, "a list of numbers in ascending order");
    numbers.push_back(*number);
  }
  return numbers;
}

void PreprocessingCall::Refuse(size_t i, std::string_view wanted) const {
  Fail(Error(ErrorCode::kInvalidOption,
             fmt::format("An argument of ML.{} does not fit: {}", function_.name, argument(i).text),
             fmt::format("it is {}; {}", wanted, syntax_)),
       argument(i).offset);
}

void PreprocessingCall::Fail(const Error& error, size_t offset) const {
  scope_.fail(error, offset);
  throw error;
}

}  // namespace braid::session
