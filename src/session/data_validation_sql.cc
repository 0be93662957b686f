// SPDX-License-Identifier: Apache-2.0
// ML.VALIDATE_DATA_SKEW and ML.VALIDATE_DATA_DRIFT: the statistics of two sets of rows side by
// side, and how far they are apart.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "ml/option_reader.h"
#include "session/feature_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteString;

constexpr int64_t kBuckets = 10;
constexpr int64_t kRanks = 50;
constexpr std::string_view kLInfinity = "L_INFTY";
constexpr std::string_view kJensenShannon = "JENSEN_SHANNON_DIVERGENCE";
constexpr std::string_view kStabilityIndex = "POPULATION_STABILITY_INDEX";

double Threshold(const Option& option, const OptionValue& value) {
  const std::optional<double> number = ml::AsNumber(value);
  if (!number || !(*number >= 0 && *number < 1))
    ml::OptionReader::Refuse(option, "numbers from 0 to below 1");
  return *number;
}

// What becomes an anomaly, and by which metric.
class Judgement {
 public:
  explicit Judgement(const std::vector<Option>& settings) {
    const ml::OptionReader reader(settings);
    const auto threshold = [&](std::string_view name) {
      const Option* option = reader.Find(name);
      return option == nullptr ? 0.3 : Threshold(*option, option->value);
    };
    categorical_ = threshold("categorical_default_threshold");
    numerical_ = threshold("numerical_default_threshold");
    metric_ = reader.Word("categorical_metric_type", kLInfinity,
                          {{kLInfinity, kLInfinity},
                           {kJensenShannon, kJensenShannon},
                           {kStabilityIndex, kStabilityIndex}});
    numerical_metric_ =
        reader.Word("numerical_metric_type", kJensenShannon,
                    {{kJensenShannon, kJensenShannon}, {kStabilityIndex, kStabilityIndex}});
    if (const Option* option = reader.Find("thresholds")) ReadThresholds(*option);
  }

  // Throws for a threshold of a column that there is not.
  void Check(const std::vector<std::string>& inputs) const {
    for (const auto& [name, threshold] : thresholds_) {
      const std::string& wanted = name;
      if (std::any_of(inputs.begin(), inputs.end(),
                      [&](const std::string& input) { return EqualsIgnoringCase(input, wanted); }))
        continue;
      const auto close = ClosestMatch(name, inputs);
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("THRESHOLDS names no column that is compared: {}", name),
                  close ? fmt::format("did you mean {}?", *close)
                        : fmt::format("there are {}", fmt::join(inputs, ", ")));
    }
  }

  std::string_view Metric(bool category) const { return category ? metric_ : numerical_metric_; }
  double ThresholdOf(const std::string& input, bool category) const {
    for (const auto& [name, threshold] : thresholds_)
      if (EqualsIgnoringCase(name, input)) return threshold;
    return category ? categorical_ : numerical_;
  }

 private:
  void ReadThresholds(const Option& option) {
    constexpr std::string_view kWanted = "a list of pairs, [('column', 0.1), …]";
    const auto* list = std::get_if<OptionValue::List>(&option.value.value);
    if (list == nullptr) ml::OptionReader::Refuse(option, kWanted);
    for (const OptionValue& item : *list) {
      const auto* pair = std::get_if<OptionValue::Struct>(&item.value);
      if (pair == nullptr || pair->size() != 2) ml::OptionReader::Refuse(option, kWanted);
      const auto* name = std::get_if<std::string>(&(*pair)[0].second.value);
      if (name == nullptr) ml::OptionReader::Refuse(option, kWanted);
      thresholds_.emplace_back(*name, Threshold(option, (*pair)[1].second));
    }
  }

  double categorical_ = 0.3;
  double numerical_ = 0.3;
  std::string_view metric_ = kLInfinity;
  std::string_view numerical_metric_ = kJensenShannon;
  std::vector<std::pair<std::string, double>> thresholds_;
};

// One input of both sides.
struct Pair {
  std::string input;
  FeatureColumn study;
  bool base_is_category = false;
};

const FeatureColumn* Find(const std::vector<FeatureColumn>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const FeatureColumn& column) {
    return EqualsIgnoringCase(column.name, name);
  });
  return found == columns.end() ? nullptr : &*found;
}

template <typename Statistics>
std::string Text(const Statistics& statistics) {
  return QuoteString(ml::ToJson({.name = "", .values = statistics}).dump());
}

// (position, statistics) of the columns, by their places.
MappedText StatisticsSql(const GivenRows& rows, const std::vector<FeatureColumn>& columns,
                         int64_t buckets, int64_t ranks) {
  std::string numbers;
  std::string list;
  for (size_t i = 0; i < columns.size(); ++i) {
    const FeatureColumn& column = columns[i];
    std::string statistics;
    if (column.kind == FeatureKind::kNumber) {
      numbers += fmt::format("{}{} AS s{}", numbers.empty() ? "" : ", ",
                             NumberStatisticsSql(column.value, buckets), i);
      statistics = fmt::format("(SELECT s{} FROM __numbers)", i);
    } else if (IsCategory(column.kind)) {
      statistics = CategoryStatisticsSql(column, kRows, ranks);
    } else {
      statistics = ListStatisticsSql(column, kRows, buckets);
    }
    // Without rows the engine may give no statistics at all.
    const std::string none =
        IsCategory(column.kind) ? Text(ml::CategoryStatistics{}) : Text(ml::NumberStatistics{});
    list += fmt::format("{}SELECT {} AS position, coalesce({}, {}) AS statistics",
                        list.empty() ? "" : " UNION ALL ", i, statistics, none);
  }
  return OverRowsSql(rows, numbers, list);
}

// `base`: (position, statistics) as the study has them.
MappedText ComparisonSql(const std::vector<Pair>& pairs, const Judgement& judgement,
                         const MappedText& base, const MappedText& study) {
  std::string inputs;
  for (size_t i = 0; i < pairs.size(); ++i)
    inputs +=
        fmt::format("{}({}, {}, {}, {})", i == 0 ? "" : ", ", i, QuoteString(pairs[i].input),
                    QuoteString(std::string(judgement.Metric(pairs[i].base_is_category))),
                    NumberSql(judgement.ThresholdOf(pairs[i].input, pairs[i].base_is_category)));
  MappedText text;
  text.Append(
      "(SELECT input, metric, threshold, \"value\", coalesce(\"value\" > threshold, TRUE) AS "
      "is_anomaly FROM (SELECT __i.*, braid_distribution_distance(__i.metric, __b.statistics, "
      "__s.statistics) AS \"value\" FROM (VALUES " +
      inputs + ") AS __i(position, input, metric, threshold) JOIN ");
  text.Append(base);
  text.Append(" AS __b USING (position) JOIN ");
  text.Append(study);
  text.Append(" AS __s USING (position)) ORDER BY position)");
  return text;
}

std::vector<FeatureColumn> Studied(const std::vector<Pair>& pairs) {
  std::vector<FeatureColumn> columns;
  for (const Pair& pair : pairs) columns.push_back(pair.study);
  return columns;
}

void CheckPairs(const std::vector<Pair>& pairs, const Judgement& judgement,
                const std::vector<FeatureColumn>& study, std::string_view base) {
  std::vector<std::string> inputs;
  for (const Pair& pair : pairs) inputs.push_back(pair.input);
  if (pairs.empty()) {
    for (const FeatureColumn& column : study) inputs.push_back(column.name);
    throw Error(ErrorCode::kModelInput,
                fmt::format("The rows have no column in common with {}", base),
                fmt::format("their columns are {}", fmt::join(inputs, ", ")));
  }
  judgement.Check(inputs);
}

}  // namespace

std::vector<std::string> SkewSettings() {
  return {"categorical_default_threshold", "categorical_metric_type", "numerical_default_threshold",
          "numerical_metric_type", "thresholds"};
}

MappedText ValidateSkewSql(const BoundModel& model, const GivenRows& rows,
                           const std::vector<Option>& settings) {
  if (model.stored.core->task() == ml::Task::kRecommendation)
    throw Error(ErrorCode::kNotSupported,
                fmt::format("ML.VALIDATE_DATA_SKEW is not for {}", model.stored.core->kind()),
                "compare the rows with ML.VALIDATE_DATA_DRIFT");
  FeatureInfoSql(model);  // throws where there are no statistics
  const Judgement judgement(settings);
  const std::vector<FeatureColumn> columns = FeatureColumns(rows.columns);
  std::vector<Pair> pairs;
  std::string base;
  for (const ml::FeatureStatistics& feature : model.stored.features) {
    const FeatureColumn* column = Find(columns, feature.name);
    if (column == nullptr) continue;
    base += fmt::format("{}({}, {})", base.empty() ? "" : ", ", pairs.size(),
                        QuoteString(ml::ToJson(feature).dump()));
    pairs.push_back({feature.name, *column, feature.is_category()});
  }
  CheckPairs(pairs, judgement, columns, "the model's training rows");
  MappedText trained;
  trained.Append("(SELECT * FROM (VALUES " + base + ") AS __v(position, statistics))");
  return ComparisonSql(pairs, judgement, trained,
                       StatisticsSql(rows, Studied(pairs), kBuckets, kRanks));
}

MappedText ValidateDriftSql(const GivenRows& base_rows, const GivenRows& study_rows,
                            const std::vector<Option>& settings) {
  const Judgement judgement(settings);
  const ml::OptionReader reader(settings);
  const int64_t buckets = IntegerBetween(reader, "num_histogram_buckets", 1, 1000, kBuckets);
  const int64_t ranks = IntegerBetween(reader, "num_rank_histogram_buckets", 1, 10'000, kRanks);
  IntegerBetween(reader, "num_quantiles_histogram_buckets", 1, 1000, kBuckets);
  IntegerBetween(reader, "num_values_histogram_buckets", 1, 1000, kBuckets);
  const std::vector<FeatureColumn> base = FeatureColumns(base_rows.columns);
  const std::vector<FeatureColumn> study = FeatureColumns(study_rows.columns);
  std::vector<Pair> pairs;
  std::vector<FeatureColumn> base_columns;
  for (const FeatureColumn& column : base) {
    const FeatureColumn* other = Find(study, column.name);
    if (other == nullptr) continue;
    pairs.push_back({column.name, *other, IsCategory(column.kind)});
    base_columns.push_back(column);
  }
  CheckPairs(pairs, judgement, study, "those that they are compared with");
  return ComparisonSql(pairs, judgement, StatisticsSql(base_rows, base_columns, buckets, ranks),
                       StatisticsSql(study_rows, Studied(pairs), buckets, ranks));
}

}  // namespace braid::session
