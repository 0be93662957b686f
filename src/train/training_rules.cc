// SPDX-License-Identifier: Apache-2.0
#include "train/training_rules.h"

#include <fmt/format.h>

#include "base/error.h"
#include "catalog/place.h"

namespace braid::train {

void TrainingRules::Check(ml::Task task) const {
  const auto check = [&](const std::optional<syntax::SourceText>& condition,
                         const std::vector<Quantity>& quantities) {
    if (!condition) return;
    try {
      CheckRule(change_.connection, *condition, quantities);
    } catch (const Error& error) {
      throw catalog::PlaceInFile(error, object_, condition->offset);
    }
  };
  check(statement_.retrain_when, RetrainQuantityNames(task));
  check(statement_.promote_when, PromoteQuantityNames(task));
}

Verdict TrainingRules::JudgePlaced(const syntax::SourceText& condition,
                                   const std::vector<Quantity>& quantities) const {
  try {
    return JudgeRule(change_.connection, condition, quantities);
  } catch (const Error& error) {
    throw catalog::PlaceInFile(error, object_, condition.offset);
  }
}

bool TrainingRules::IsDue(const std::string& training_rows, const std::string& monitored_rows) {
  const auto versions = change_.state.versions.find(object_.key);
  const catalog::ModelVersion* champion = change_.state.Champion(object_.key);
  if (!statement_.retrain_when || change_.occasion == session::Occasion::kAsked ||
      versions == change_.state.versions.end() || versions->second.empty() || champion == nullptr)
    return true;
  const catalog::ModelVersion& newest = versions->second.back();
  const RetrainFacts facts{change_.connection, models_,        newest,     *champion,
                           training_rows,      monitored_rows, change_.now};
  due_ = JudgePlaced(*statement_.retrain_when, RetrainQuantities(facts));
  if (!due_.holds && change_.occasion == session::Occasion::kChanged)
    Note("retrain", *statement_.retrain_when, newest.version, due_);
  return due_.holds;
}

void TrainingRules::Count(const std::string& training_rows, const std::string& label) {
  if (statement_.retrain_when) counts_ = CountRows(change_.connection, training_rows, label);
}

void TrainingRules::NoteTraining(int64_t version) const {
  if (!statement_.retrain_when) return;
  Verdict verdict = due_;
  if (!due_.holds) verdict.reason = "it was asked for";
  verdict.holds = true;
  verdict.quantities["rows"] = static_cast<double>(counts_.rows);
  verdict.quantities["labels"] = static_cast<double>(counts_.labels);
  Note("retrain", *statement_.retrain_when, version, verdict);
}

Promotion TrainingRules::Decide(const catalog::ModelVersion& champion,
                                const catalog::ModelVersion& candidate,
                                const std::string& rows) const {
  const PromoteFacts facts{change_.connection, models_, champion, candidate, rows};
  const Verdict verdict = JudgePlaced(*statement_.promote_when, PromoteQuantities(facts));
  Note("promote", *statement_.promote_when, candidate.version, verdict);
  return {verdict.holds,
          verdict.holds ? "PROMOTE WHEN is true: " + verdict.reason
                        : fmt::format("version {} stays champion: PROMOTE WHEN is not true: {}",
                                      champion.version, verdict.reason)};
}

void TrainingRules::Note(const std::string& decision, const syntax::SourceText& condition,
                         int64_t version, const Verdict& verdict) const {
  catalog::AddModelDecision(change_.connection, {.model = object_.key,
                                                 .version = version,
                                                 .at = change_.now,
                                                 .run_id = change_.run_id,
                                                 .decision = decision,
                                                 .condition = condition.text,
                                                 .outcome = verdict.holds,
                                                 .quantities = verdict.quantities,
                                                 .reason = verdict.reason});
}

}  // namespace braid::train
