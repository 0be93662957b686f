// SPDX-License-Identifier: Apache-2.0
#include "ml/tuning_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "ml/model_kind.h"
#include "ml/option_reader.h"
#include "ml/options.h"

namespace braid::ml {

namespace {

constexpr int64_t kMostTrials = 100;
constexpr int64_t kMostParallelTrials = 5;
constexpr int64_t kMostFolds = 20;

constexpr std::array<std::string_view, 6> kCompanions = {
    "max_parallel_trials", "hparam_tuning_algorithm",  "hparam_tuning_objectives",
    "num_folds",           "data_split_test_fraction", "max_trials_without_progress"};

struct Objective {
  std::string_view metric;
  bool higher_is_better;
};

// The first is the default.
std::vector<Objective> ObjectivesOf(const ModelKind& kind, const std::vector<Option>& options) {
  if (kind.ranks_items != nullptr && kind.ranks_items(options))
    return {{"mean_average_precision", true},
            {"mean_squared_error", false},
            {"normalized_discounted_cumulative_gain", true},
            {"average_rank", false}};
  const std::vector<Objective> regression = {{"r2_score", true},
                                             {"explained_variance", true},
                                             {"mean_squared_error", false},
                                             {"mean_absolute_error", false},
                                             {"mean_squared_log_error", false},
                                             {"median_absolute_error", false}};
  switch (kind.task) {
    case Task::kRegression:
      return regression;
    case Task::kClassification:
      return {{"roc_auc", true}, {"log_loss", false}, {"precision", true},
              {"recall", true},  {"accuracy", true},  {"f1_score", true}};
    case Task::kClustering:
      return {{"davies_bouldin_index", false}};
    case Task::kRecommendation:
      return {{"mean_squared_error", false}};
    case Task::kProjection:
      break;
  }
  return {};
}

[[noreturn]] void RefuseWithoutTrials(const std::string& option, std::string_view what) {
  throw Error(ErrorCode::kInvalidOption, fmt::format("{} {} NUM_TRIALS", ToUpper(option), what),
              "write num_trials = 20, say");
}

void CheckUntuned(const std::vector<Option>& options) {
  for (const Option& option : options) {
    if (IsSearched(option.value)) RefuseWithoutTrials(option.name, "has a set of values, but no");
    if (std::find(kCompanions.begin(), kCompanions.end(), option.name) != kCompanions.end())
      RefuseWithoutTrials(option.name, "needs");
  }
}

size_t UpTo(const OptionReader& reader, std::string_view name, int64_t least, int64_t most,
            int64_t otherwise) {
  const int64_t value = reader.Integer(name, least, otherwise);
  if (value > most)
    OptionReader::Refuse(*reader.Find(name),
                         fmt::format("a whole number from {} to {}", least, most));
  return static_cast<size_t>(value);
}

SearchAlgorithm ReadAlgorithm(const OptionReader& reader) {
  enum class Word : uint8_t { kVizier, kRandom, kGrid };
  const Word word = reader.Word("hparam_tuning_algorithm", Word::kRandom,
                                {{"RANDOM_SEARCH", Word::kRandom},
                                 {"GRID_SEARCH", Word::kGrid},
                                 {"VIZIER_DEFAULT", Word::kVizier}});
  if (word == Word::kVizier)
    throw Error(ErrorCode::kNotSupported,
                "HPARAM_TUNING_ALGORITHM 'VIZIER_DEFAULT' is a service of Google's",
                "use 'RANDOM_SEARCH' or 'GRID_SEARCH'");
  return word == Word::kGrid ? SearchAlgorithm::kGrid : SearchAlgorithm::kRandom;
}

void ReadObjective(const OptionReader& reader, const std::vector<Objective>& objectives,
                   TuningOptions& parsed) {
  std::string wanted(objectives.front().metric);
  if (const Option* option = reader.Find("hparam_tuning_objectives")) {
    const auto* word = std::get_if<std::string>(&option->value.value);
    const std::vector<std::string> words =
        word != nullptr ? std::vector{*word} : *reader.Texts("hparam_tuning_objectives");
    if (words.size() != 1) OptionReader::Refuse(*option, "one objective");
    wanted = ToLower(words.front());
  }
  std::vector<std::string> names;
  for (const Objective& objective : objectives) {
    names.push_back(ToUpper(objective.metric));
    if (objective.metric != wanted) continue;
    parsed.objective = wanted;
    parsed.higher_is_better = objective.higher_is_better;
  }
  if (parsed.objective.empty())
    OptionReader::Refuse(*reader.Find("hparam_tuning_objectives"),
                         fmt::format("one of {}", fmt::join(names, ", ")));
}

}  // namespace

bool SaysWhichTrials(std::string_view option) {
  for (const char* name : {"num_trials", "max_parallel_trials", "hparam_tuning_algorithm",
                           "hparam_tuning_objectives", "max_trials_without_progress"})
    if (option == name) return true;
  return false;
}

std::vector<Option> TuningOptions::SettingsOf(size_t trial) const {
  std::vector<Option> all = settings;
  all.insert(all.end(), points.at(trial).begin(), points.at(trial).end());
  return all;
}

std::vector<Option> TuningOptions::FeasibleSettings() const {
  std::optional<Error> first;
  for (size_t i = 0; i < points.size(); ++i) {
    try {
      ParseModelOptions(SettingsOf(i));
      return SettingsOf(i);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidOption) throw;
      if (!first) first = error;
    }
  }
  throw *first;
}

std::optional<TuningOptions> ParseTuningOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  if (!reader.Has("num_trials")) {
    CheckUntuned(options);
    return std::nullopt;
  }
  const std::optional<std::string> type = reader.Text("model_type");
  if (!type) return std::nullopt;  // ParseModelOptions tells of it
  const ModelKind& kind = FindModelKind(*type);
  if (kind.hyperparameters.empty())
    throw Error(ErrorCode::kNotSupported,
                fmt::format("NUM_TRIALS: {} has nothing to tune", kind.name),
                "leave NUM_TRIALS out");
  TuningOptions parsed;
  parsed.parallel_trials = UpTo(reader, "max_parallel_trials", 1, kMostParallelTrials, 1);
  parsed.algorithm = ReadAlgorithm(reader);
  parsed.folds = reader.Has("num_folds") ? UpTo(reader, "num_folds", 2, kMostFolds, 2) : 0;
  parsed.patience = static_cast<size_t>(reader.Integer("max_trials_without_progress", 1, 0));
  for (const Option& option : options)
    if (!IsSearched(option.value)) parsed.settings.push_back(option);
  ReadObjective(reader, ObjectivesOf(kind, parsed.settings), parsed);
  parsed.points = SearchSpace(kind, options)
                      .Points(parsed.algorithm, UpTo(reader, "num_trials", 1, kMostTrials, 1),
                              reader.Integer("seed", INT64_MIN, 0));
  return parsed;
}

}  // namespace braid::ml
