// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "catalog/catalog.h"
#include "engine/connection.h"
#include "serve/service_schema.h"
#include "session/model_store.h"

namespace braid::serve {

// A model version as a service that nobody declared: its input columns are the parameters, what
// ML.PREDICT gives for them are the outputs. Nothing is captured, since there is no table for it.
struct ModelService {
  catalog::Object declaration;
  ServiceSchema schema;  // named "model@version"
};

// Binds the version that the key "model@version" names. The columns are those that the model's
// inputs read; their types are DOUBLE for numbers and VARCHAR for categories, or the first of the
// types TIMESTAMP, DATE, BOOLEAN and lists that those inputs can be computed from. Throws
// MODEL_NOT_FOUND, and NOT_SUPPORTED where no type fits.
ModelService BindModelService(const std::string& key, const catalog::State& state,
                              session::ModelStore& models, engine::Connection& connection);

}  // namespace braid::serve
