// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/connection.h"
#include "serve/request_json.h"
#include "session/change.h"
#include "session/model_store.h"

namespace braid::serve {

enum class CaptureMode : uint8_t {
  kDurable,  // answered when the row is on disk
  kAsync,    // answered at once; what the log cannot take is counted as shed
  kOff,
};

// OPTIONS (capture = 'durable' | 'async' | 'off', outcome = 'late BOOLEAN, delay DOUBLE').
struct ServiceSettings {
  CaptureMode capture = CaptureMode::kDurable;
  std::vector<FieldType> outcome = {{"label", "VARCHAR"}};
};
ServiceSettings ParseServiceSettings(const syntax::CreateService& service);

// A service as it can be asked now: bound against a state.
struct ServiceSchema {
  std::string name;     // its key
  int64_t version = 0;  // rises by one with each change of its definition
  std::vector<FieldType> parameters;
  std::vector<FieldType> outputs;
  ServiceSettings settings;
  std::string body;                               // its query, rewritten to DuckDB's SQL
  std::map<std::string, int64_t> model_versions;  // that answer
  std::vector<std::string> tables;                // lake tables that it reads ("gold.routes")
};

// Binds a service's declaration on a connection. Throws what is wrong with it, with places.
ServiceSchema BindService(const catalog::Object& object, const catalog::State& state,
                          session::ModelStore& models, engine::Connection& connection);

// CREATE SERVICE inside a change: binds it and makes lake.inference.<s>, lake.feedback.<s> and
// lake.inference.<s>_labelled (or adds the fields that are new). Writes braid.service_version.
session::ChangeOutcome DeclareService(const catalog::Object& object, session::Change& change,
                                      session::ModelStore& models);

}  // namespace braid::serve
