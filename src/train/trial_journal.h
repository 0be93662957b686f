// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "catalog/catalog.h"
#include "session/model_store.h"

namespace braid::train {

// The finished trials of a tuning that has not ended: a file each, written when the trial ends, so
// that the same statement over the same rows goes on where it was stopped. Files:
// docs/formats/trial_journal.md. One at a time a model; not thread-safe.
class TrialJournal {
 public:
  // `pins` says all that a trial's outcome depends on, but its hyperparameters. Forgets what other
  // pins of the model left.
  TrialJournal(const std::filesystem::path& folder, const std::string& model,
               const std::string& pins);

  // The trial of these hyperparameters (JSON), if it ended and its artefact can be read.
  std::optional<catalog::ModelTrial> Find(const std::string& hyperparameters,
                                          session::ModelStore& models) const;
  void Add(const catalog::ModelTrial& trial) const;
  // The tuning has ended.
  void Close() const;

  // The artefacts that the trials in a folder of journals refer to.
  static std::set<std::string> Artefacts(const std::filesystem::path& folder);

 private:
  std::filesystem::path PathOf(const std::string& hyperparameters) const;
  std::filesystem::path of_model_;
  std::filesystem::path folder_;
};

}  // namespace braid::train
