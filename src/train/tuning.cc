// SPDX-License-Identifier: Apache-2.0
#include "train/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "engine/database.h"
#include "ml/parallel.h"
#include "syntax/format.h"
#include "train/trial.h"
#include "train/trial_journal.h"

namespace braid::train {

namespace {

using catalog::ModelTrial;

// The rows themselves, whatever snapshot they come from, and whatever their order.
std::string Fingerprint(engine::Connection& connection, const TrainingRows& rows) {
  std::string columns;
  for (const std::string& name :
       connection.DescribeStatement("SELECT * FROM " + rows.AllQuery()).column_names)
    columns += fmt::format("{}{}", columns.empty() ? "" : ", ", syntax::QuoteIdentifier(name));
  const auto row =
      connection.Rows(fmt::format("SELECT count(*), CAST(sum(CAST(h AS HUGEINT)) AS VARCHAR), "
                                  "CAST(bit_xor(h) AS VARCHAR) FROM (SELECT hash({}) AS h FROM {})",
                                  columns, rows.AllQuery()))[0];
  return fmt::format("{} {} {}", row[0].dump(), row[1].dump(), row[2].dump());
}

class Search {
 public:
  Search(const TuningRequest& request, const TrainingRows& rows)
      : request_(request),
        runner_(request, rows),
        journal_(request.journal_folder, request.model,
                 fmt::format("{}\n{}\n{}", engine::LibraryVersion(),
                             Fingerprint(request.change.connection, rows), request.pins)),
        outcomes_(request.tuning.points.size()),
        fractions_(outcomes_.size(), 0),
        end_(outcomes_.size()) {}

  std::vector<ModelTrial> Run() {
    const size_t finished = TakeFinished();
    if (finished > 0 && request_.change.notice)
      request_.change.notice(
          fmt::format("model {}: {} of {} trials were finished before; they are not run again",
                      request_.model, finished, request_.tuning.points.size()));
    ml::ForEachPart(request_.tuning.points.size(), request_.tuning.parallel_trials,
                    [this](size_t i) { RunOne(i); });
    MutexLock lock(mutex_);
    ThrowIfMostFailed();
    outcomes_.resize(end_);
    Choose();
    Tell();
    journal_.Close();
    std::vector<ModelTrial> trials;
    for (auto& outcome : outcomes_) trials.push_back(std::move(outcome->trial));
    return trials;
  }

 private:
  // What an earlier run left.
  size_t TakeFinished() {
    size_t count = 0;
    MutexLock lock(mutex_);
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      auto known = journal_.Find(PointText(request_.tuning.points[i]), request_.models);
      if (!known) continue;
      ++count;
      known->trial_id = static_cast<int64_t>(i + 1);
      outcomes_[i] = {.trial = std::move(*known), .error = nullptr, .notices = {}};
    }
    FindEnd();
    return count;
  }

  void RunOne(size_t i) {
    {
      MutexLock lock(mutex_);
      if (i >= end_ || outcomes_[i]) return;
    }
    ml::TrainingControl control;
    control.stop = request_.change.stop;
    control.progress = [this, i](double fraction, double /*loss*/) { Progress(i, fraction); };
    ml::ThrowIfStopped(control);
    Progress(i, 0);
    TrialRunner::Outcome outcome = runner_.Run(i, control);
    MutexLock lock(mutex_);
    if (!outcome.error) journal_.Add(outcome.trial);
    outcomes_[i] = std::move(outcome);
    fractions_[i] = 1;
    FindEnd();
  }

  void Progress(size_t i, double fraction) {
    MutexLock lock(mutex_);
    if (!request_.change.progress) return;
    fractions_[i] = fraction;
    double done = 0;
    for (size_t k = 0; k < outcomes_.size(); ++k) done += outcomes_[k] ? 1 : fractions_[k];
    const std::optional<double> best = BestObjective();
    request_.change.progress(
        done / static_cast<double>(outcomes_.size()),
        fmt::format("trial {} of {}{}", i + 1, outcomes_.size(),
                    best ? fmt::format(", best {} {:.4f}", request_.tuning.objective, *best) : ""));
  }

  std::optional<double> Objective(const ModelTrial& trial) const {
    const auto found = trial.evaluation_metrics.find(request_.tuning.objective);
    return found == trial.evaluation_metrics.end() ? std::nullopt : std::optional(found->second);
  }
  bool IsBetter(const std::optional<double>& one, const std::optional<double>& other) const {
    if (!one || !other) return one.has_value();
    return request_.tuning.higher_is_better ? *one > *other : *one < *other;
  }

  std::optional<double> BestObjective() const REQUIRES(mutex_) {
    std::optional<double> best;
    for (const auto& outcome : outcomes_)
      if (outcome && IsBetter(Objective(outcome->trial), best)) best = Objective(outcome->trial);
    return best;
  }

  bool MostFailed() const REQUIRES(mutex_) {
    const auto failed =
        static_cast<size_t>(std::count_if(outcomes_.begin(), outcomes_.end(),
                                          [](const auto& o) { return o && o->error != nullptr; }));
    return failed * 2 > outcomes_.size();
  }

  // The trials that are known without a gap decide, so that the end is the same however many run at
  // once.
  void FindEnd() REQUIRES(mutex_) {
    if (MostFailed()) end_ = 0;
    std::vector<std::optional<double>> objectives;
    for (const auto& outcome : outcomes_) {
      if (!outcome) break;
      objectives.push_back(Objective(outcome->trial));
    }
    const std::optional<size_t> end =
        EndOfSearch(objectives, request_.tuning.higher_is_better, request_.tuning.patience);
    if (end) end_ = std::min(end_, *end);
  }

  void ThrowIfMostFailed() const REQUIRES(mutex_) {
    if (!MostFailed()) return;
    for (const auto& outcome : outcomes_)
      if (outcome && outcome->error != nullptr) std::rethrow_exception(outcome->error);
  }

  void Choose() REQUIRES(mutex_) {
    const std::optional<double> best = BestObjective();
    if (!best)
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("No trial could be judged by {}: the evaluation rows are too few or "
                              "too uniform",
                              ToUpper(request_.tuning.objective)),
                  "choose another of hparam_tuning_objectives, a larger "
                  "data_split_eval_fraction, or num_folds");
    for (auto& outcome : outcomes_) outcome->trial.is_optimal = Objective(outcome->trial) == best;
  }

  // What is odd about the rows, as the best trial found it.
  void Tell() const REQUIRES(mutex_) {
    if (!request_.change.notice) return;
    for (const auto& outcome : outcomes_) {
      if (!outcome->trial.is_optimal) continue;
      for (const std::string& notice : outcome->notices)
        request_.change.notice(fmt::format("model {}: {}", request_.model, notice));
      request_.change.notice(fmt::format("model {}: trial {} of {} is the best: {} {:.6g} with {}",
                                         request_.model, outcome->trial.trial_id, outcomes_.size(),
                                         request_.tuning.objective, *Objective(outcome->trial),
                                         outcome->trial.hyperparameters));
      return;
    }
  }

  const TuningRequest& request_;
  TrialRunner runner_;
  TrialJournal journal_;
  Mutex mutex_;
  std::vector<std::optional<TrialRunner::Outcome>> outcomes_ GUARDED_BY(mutex_);
  std::vector<double> fractions_ GUARDED_BY(mutex_);  // of those at work
  size_t end_ GUARDED_BY(mutex_);                     // trials from here on do not count
};

}  // namespace

std::optional<size_t> EndOfSearch(const std::vector<std::optional<double>>& objectives,
                                  bool higher_is_better, size_t patience) {
  std::optional<double> best;
  size_t since = 0;
  for (size_t i = 0; i < objectives.size() && patience > 0; ++i) {
    const std::optional<double>& objective = objectives[i];
    const bool better =
        objective && (!best || (higher_is_better ? *objective > *best : *objective < *best));
    if (better) best = objective;
    since = better ? 0 : since + 1;
    if (since == patience) return i + 1;
  }
  return std::nullopt;
}

std::vector<ModelTrial> RunTrials(const TuningRequest& request, const TrainingRows& rows) {
  return Search(request, rows).Run();
}

}  // namespace braid::train
