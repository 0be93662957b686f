// SPDX-License-Identifier: Apache-2.0
// Definitions: docs/sql/model_rules.md.
#include "train/rule_quantities.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/text.h"
#include "ml/bootstrap.h"
#include "session/feature_sql.h"
#include "session/ml_sql.h"
#include "syntax/format.h"
#include "train/judging.h"

namespace braid::train {

namespace {

using syntax::MappedText;

constexpr int64_t kLeastRows = 30;
constexpr double kConfidence = 0.95;

MappedText Text(const std::string& sql) {
  MappedText text;
  text.Append(sql);
  return text;
}

std::optional<double> Number(const nlohmann::ordered_json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// Metrics of a version on some rows, measured once when the first of them is asked for.
class Metrics {
 public:
  Metrics(engine::Connection& connection, session::ModelStore& models,
          const catalog::ModelVersion& version, std::string rows, int64_t least_rows)
      : connection_(connection),
        models_(models),
        version_(version),
        rows_(std::move(rows)),
        least_rows_(least_rows) {}

  std::optional<double> Get(const std::string& name) {
    if (!measured_) measured_ = Measure();
    const auto found = measured_->find(name);
    return found == measured_->end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string, double> Measure() {
    const auto stored = models_.Get(version_.artefact_sha256);
    const std::string& label = stored->projection.label;
    if (!label.empty() && !HasColumn(label)) return {};
    if (CountRows(connection_, rows_, label).labels < least_rows_) return {};
    return Judge(connection_, version_, *stored, rows_);
  }
  bool HasColumn(const std::string& name) const {
    const auto names = connection_.DescribeStatement("SELECT * FROM " + rows_).column_names;
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& column) { return EqualsIgnoringCase(column, name); });
  }

  engine::Connection& connection_;
  session::ModelStore& models_;
  const catalog::ModelVersion& version_;
  std::string rows_;
  int64_t least_rows_;
  std::optional<std::map<std::string, double>> measured_;
};

// The counts at the newest version's training.
RowCounts CountsAtTraining(const RetrainFacts& facts) {
  const std::vector<std::vector<nlohmann::ordered_json>> found = facts.connection.Rows(fmt::format(
      "SELECT quantities['rows'], quantities['labels'] FROM lake.braid.model_decision WHERE "
      "model = {} AND version = {} AND decision = 'retrain' AND outcome ORDER BY \"at\" DESC "
      "LIMIT 1",
      syntax::QuoteString(facts.newest.model), facts.newest.version));
  if (found.empty() || !found[0][0].is_number() || !found[0][1].is_number()) return {};
  return {static_cast<int64_t>(found[0][0].get<double>()),
          static_cast<int64_t>(found[0][1].get<double>())};
}

// How many rows and labels have come since, counted once when either is asked for.
class NewRows {
 public:
  NewRows(const RetrainFacts& facts, std::string label) : facts_(facts), label_(std::move(label)) {}

  const RowCounts& Get() {
    if (!counts_) {
      const RowCounts now = CountRows(facts_.connection, facts_.training_rows, label_);
      const RowCounts then = CountsAtTraining(facts_);
      counts_ = {now.rows - then.rows, now.labels - then.labels};
    }
    return *counts_;
  }

 private:
  const RetrainFacts facts_;
  std::string label_;
  std::optional<RowCounts> counts_;
};

std::optional<double> DaysBetween(engine::Connection& connection, const std::string& from,
                                  const std::string& to) {
  return Number(connection.Scalar(
      fmt::format("SELECT epoch(CAST({} AS TIMESTAMPTZ) - CAST({} AS TIMESTAMPTZ)) / 86400",
                  syntax::QuoteString(to), syntax::QuoteString(from))));
}

// The greatest distance of an input between the newest version's training rows and these.
std::optional<double> GreatestDistance(const RetrainFacts& facts, const std::string& metric) {
  if (CountRows(facts.connection, facts.monitored_rows, "").rows < kLeastRows) return std::nullopt;
  const auto stored = facts.models.Get(facts.newest.artefact_sha256);
  const engine::StatementInfo info =
      facts.connection.DescribeStatement("SELECT * FROM " + facts.monitored_rows);
  session::GivenRows rows{.sql = Text(facts.monitored_rows)};
  for (size_t i = 0; i < info.column_names.size(); ++i)
    rows.columns.push_back({info.column_names[i], info.column_types[i]});
  std::vector<Option> settings;
  for (const char* name : {"categorical_metric_type", "numerical_metric_type"}) {
    settings.push_back({.name = name});
    settings.back().value.value = metric;
  }
  return Number(facts.connection.Scalar(
      "SELECT max(\"value\") FROM " +
      session::ValidateSkewSql({facts.newest, *stored}, rows, settings).text()));
}

// Interval of the mean gain, drawn once when one of its ends is asked for.
class Gain {
 public:
  explicit Gain(const PromoteFacts& facts) : facts_(facts) {}

  std::optional<double> Mean() {
    Measure();
    if (gains_->empty()) return std::nullopt;
    double sum = 0;
    for (const double gain : *gains_) sum += gain;
    return sum / static_cast<double>(gains_->size());
  }
  std::optional<ml::MeanInterval> Interval() {
    Measure();
    if (static_cast<int64_t>(gains_->size()) < kLeastRows) return std::nullopt;
    if (!interval_)
      interval_ = ml::BootstrapMean(*gains_, kConfidence, ml::ResamplesFor(gains_->size()),
                                    facts_.candidate.seed);
    return interval_;
  }

 private:
  // In the order of their values, so that equal rows in any order draw equal resamples.
  void Measure() {
    if (gains_) return;
    gains_.emplace();
    const auto champion = facts_.models.Get(facts_.champion.artefact_sha256);
    const auto candidate = facts_.models.Get(facts_.candidate.artefact_sha256);
    engine::Result result = facts_.connection.Query(
        "SELECT gain FROM " +
        session::LossDifferenceSql({facts_.champion, *champion}, {facts_.candidate, *candidate},
                                   Text(facts_.rows))
            .text() +
        " WHERE gain IS NOT NULL ORDER BY gain");
    while (const auto chunk = result.Next())
      for (size_t row = 0; row < chunk->rows(); ++row)
        gains_->push_back(chunk->Value(0, row).get<double>());
  }

  const PromoteFacts facts_;
  std::optional<std::vector<double>> gains_;
  std::optional<ml::MeanInterval> interval_;
};

// Of the same accuracy or squared error.
std::optional<double> EqualityPValue(const PromoteFacts& facts) {
  const auto champion = facts.models.Get(facts.champion.artefact_sha256);
  const auto candidate = facts.models.Get(facts.candidate.artefact_sha256);
  const std::string lines =
      session::CompareSql({{facts.champion, *champion}, {facts.candidate, *candidate}},
                          Text(facts.rows), kConfidence, 0.5)
          .text();
  return Number(facts.connection.Scalar(fmt::format(
      "SELECT any_value(p_value) FROM {} WHERE {}", lines,
      champion->is_classification() ? "test = 'mcnemar'"
                                    : "metric = 'mean_squared_error' AND test = 'paired_t'")));
}

}  // namespace

RowCounts CountRows(engine::Connection& connection, const std::string& rows,
                    const std::string& label) {
  const auto found = connection.Rows(
      fmt::format("SELECT count(*), count({}) FROM {}",
                  label.empty() ? std::string("*") : syntax::QuoteIdentifier(label), rows));
  return {found[0][0].get<int64_t>(), found[0][1].get<int64_t>()};
}

std::vector<Quantity> RetrainQuantityNames(ml::Task task, bool ranks_items) {
  std::vector<Quantity> names = {{.name = "new_rows"},
                                 {.name = "new_labels"},
                                 {.name = "age", .is_interval = true},
                                 {.name = "drift"},
                                 {.name = "psi"}};
  for (const std::string& metric : session::MetricNames(task, ranks_items))
    names.push_back({.name = metric});
  return names;
}

std::vector<Quantity> RetrainQuantities(const RetrainFacts& facts) {
  const auto stored = facts.models.Get(facts.newest.artefact_sha256);
  std::vector<Quantity> quantities =
      RetrainQuantityNames(stored->core->task(), stored->core->ranks_items());
  const auto metrics = std::make_shared<Metrics>(facts.connection, facts.models, facts.champion,
                                                 facts.monitored_rows, kLeastRows);
  const auto new_rows = std::make_shared<NewRows>(facts, stored->projection.label);
  for (Quantity& quantity : quantities) {
    const std::string name = quantity.name;
    if (name == "new_rows") {
      quantity.measure = [new_rows] { return static_cast<double>(new_rows->Get().rows); };
    } else if (name == "new_labels") {
      quantity.measure = [new_rows] { return static_cast<double>(new_rows->Get().labels); };
    } else if (name == "age") {
      quantity.measure = [facts] {
        return DaysBetween(facts.connection, facts.newest.created_at, facts.now);
      };
    } else if (name == "drift") {
      quantity.measure = [facts] { return GreatestDistance(facts, "JENSEN_SHANNON_DIVERGENCE"); };
    } else if (name == "psi") {
      quantity.measure = [facts] { return GreatestDistance(facts, "POPULATION_STABILITY_INDEX"); };
    } else {
      quantity.measure = [metrics, name] { return metrics->Get(name); };
    }
  }
  return quantities;
}

std::vector<Quantity> PromoteQuantityNames(ml::Task task, bool ranks_items) {
  std::vector<Quantity> names = {{.name = "n"}};
  if (ml::IsSupervised(task))
    for (const char* name : {"gain", "gain_low", "gain_high", "p_value"})
      names.push_back({.name = name});
  for (const std::string& metric : session::MetricNames(task, ranks_items)) {
    names.push_back({.name = metric});
    names.push_back({.name = "champion_" + metric});
  }
  return names;
}

std::vector<Quantity> PromoteQuantities(const PromoteFacts& facts) {
  const auto stored = facts.models.Get(facts.candidate.artefact_sha256);
  std::vector<Quantity> quantities =
      PromoteQuantityNames(stored->core->task(), stored->core->ranks_items());
  const auto gain = std::make_shared<Gain>(facts);
  const auto of_candidate =
      std::make_shared<Metrics>(facts.connection, facts.models, facts.candidate, facts.rows, 1);
  const auto of_champion =
      std::make_shared<Metrics>(facts.connection, facts.models, facts.champion, facts.rows, 1);
  for (Quantity& quantity : quantities) {
    const std::string name = quantity.name;
    if (name == "n") {
      quantity.measure = [facts, label = stored->projection.label]() -> std::optional<double> {
        return static_cast<double>(CountRows(facts.connection, facts.rows, label).labels);
      };
    } else if (name == "gain") {
      quantity.measure = [gain] { return gain->Mean(); };
    } else if (name == "gain_low" || name == "gain_high") {
      quantity.measure = [gain, low = name == "gain_low"]() -> std::optional<double> {
        const auto interval = gain->Interval();
        if (!interval) return std::nullopt;
        return low ? interval->low : interval->high;
      };
    } else if (name == "p_value") {
      quantity.measure = [facts] { return EqualityPValue(facts); };
    } else if (name.starts_with("champion_")) {
      quantity.measure = [of_champion, name] {
        return of_champion->Get(name.substr(std::string_view("champion_").size()));
      };
    } else {
      quantity.measure = [of_candidate, name] { return of_candidate->Get(name); };
    }
  }
  return quantities;
}

}  // namespace braid::train
