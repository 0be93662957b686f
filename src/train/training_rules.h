// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "session/change.h"
#include "session/model_store.h"
#include "train/promotion.h"
#include "train/rule_quantities.h"

namespace braid::train {

// The RETRAIN WHEN and PROMOTE WHEN of one model in one change, and the rows of
// braid.model_decision that they leave. Errors are placed in the declaration.
class TrainingRules {
 public:
  TrainingRules(const catalog::Object& object, session::Change& change, session::ModelStore& models)
      : object_(object),
        statement_(std::get<syntax::CreateModel>(*object.statement)),
        change_(change),
        models_(models) {}

  // Throws for conditions that say nothing about such models.
  void Check(ml::Task task) const;

  // Whether the model is to be trained now: when it was asked for, or RETRAIN WHEN, if there is
  // one, holds. Queries are parenthesised. That it does not hold is noted where the lake changes
  // anyway.
  bool IsDue(const std::string& training_rows, const std::string& monitored_rows);
  // What IsDue went by; empty: no rule was asked.
  const std::string& reason() const { return due_.reason; }
  // What the next decision counts from.
  void Count(const std::string& training_rows, const std::string& label);
  void NoteTraining(int64_t version) const;

  bool decides_promotion() const { return statement_.promote_when.has_value(); }
  // `rows`: a parenthesised query.
  Promotion Decide(const catalog::ModelVersion& champion, const catalog::ModelVersion& candidate,
                   const std::string& rows) const;

 private:
  Verdict JudgePlaced(const syntax::SourceText& condition,
                      const std::vector<Quantity>& quantities) const;
  void Note(const std::string& decision, const syntax::SourceText& condition, int64_t version,
            const Verdict& verdict) const;

  const catalog::Object& object_;
  const syntax::CreateModel& statement_;
  session::Change& change_;
  session::ModelStore& models_;
  Verdict due_;
  RowCounts counts_;
};

}  // namespace braid::train
