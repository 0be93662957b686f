// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include "session/change.h"
#include "session/model_store.h"

namespace braid::train {

struct TrainingDefaults {
  int64_t threads = 0;                  // as the engine is set; 0: all cores
  std::filesystem::path root;           // where relative paths start
  std::filesystem::path tuning_folder;  // for trials that have ended of tunings that have not
};

// CREATE MODEL inside a change: trains a version from its query in place, evaluates it on its
// held-out rows, stores the artefact durably, writes braid.model_version and, when it becomes
// champion, braid.alias_event, and updates the change's state. Models of other makers are imported
// from their file instead; of remote ones the server is asked what they take and give. Throws
// TRAINING_DATA, MODEL_IMPORT, INVALID_OPTION, INTERRUPTED, … with places in the declaration's
// file.
session::ChangeOutcome Train(const catalog::Object& object, session::Change& change,
                             session::ModelStore& models, const TrainingDefaults& defaults = {});

// EXPORT MODEL m OPTIONS (uri = 'dir', format = 'onnx'): writes model.onnx and signature.json.
// Relative paths start at `root`. Returns the folder.
std::filesystem::path ExportModel(const syntax::ExportModel& statement, const catalog::State& state,
                                  session::ModelStore& models, const std::filesystem::path& root);

}  // namespace braid::train
