// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "capture/log.h"
#include "catalog/catalog.h"
#include "lake/lake.h"
#include "lake/read_registry.h"
#include "lake/write_transaction.h"
#include "ml/glm/glm_model.h"
#include "serve/service_schema.h"
#include "session/model_store.h"
#include "session/scoring.h"
#include "session/session.h"
#include "syntax/parse.h"

namespace braid::serve {

// For tests: an open lake in a folder that goes when they end, its catalogue and its capture log.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "braid_serve_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    lake_ = std::make_unique<lake::Lake>(
        lake::LakeOptions{.home = folder_, .engine = {.threads = 2}}, clock_);
    log_ = std::make_unique<capture::Log>(folder_ / "capture.sqlite", clock_);
    models_ = std::make_unique<session::ModelStore>(lake_->model_folder());
    run_ = lake_->Connect(lake::Scope::kRun);
    session::RegisterScoringFunctions(*run_, *models_);
  }
  ~ServiceTest() override {
    run_.reset();
    log_.reset();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  session::Workspace workspace() { return {*lake_, catalog_, *models_, reads_}; }

  void Commit(const std::string& statement) {
    lake::WriteTransaction transaction(*lake_, *run_, "a test");
    run_->Execute(statement);
    transaction.Commit("a test", "a test", "{}");
  }

  static catalog::Object Declaration(const std::string& text, const std::string& file = "s.sql",
                                     int64_t line = 1) {
    catalog::Object object{.kind = catalog::ObjectKind::kService,
                           .key = "",
                           .owner = "project",
                           .file = file,
                           .line = line,
                           .definition = text};
    object.statement =
        std::make_shared<const syntax::Statement>(syntax::Parse(text, std::string_view(file)));
    object.key = catalog::ObjectKey(std::get<syntax::CreateService>(*object.statement).name,
                                    catalog::ObjectKind::kService);
    return object;
  }

  // CREATE SERVICE, as a run brings it about.
  session::ChangeOutcome Declare(const std::string& text) {
    const catalog::Object object = Declaration(text);
    lake::WriteTransaction transaction(*lake_, *run_, "a test");
    catalog::State state = *catalog_.Get();
    session::Change change{
        *run_, state, "run-1", transaction.base_snapshot(), "2024-01-01T00:00:00Z", {}, {}, {}};
    session::ChangeOutcome outcome = DeclareService(object, change, *models_);
    catalog::PutObject(*run_, object);
    state.Put(object);
    transaction.Commit("a test", "a test", "{}");
    catalog_.Publish(std::move(state));
    return outcome;
  }

  ServiceSchema Bind(const std::string& text, const std::string& file = "s.sql", int64_t line = 1) {
    return BindService(Declaration(text, file, line), *catalog_.Get(), *models_, *run_);
  }

  // A logistic regression of `late` on dep_delay; every version has another intercept.
  int64_t TrainLate() {
    ml::GlmParts parts{.type = ml::GlmType::kLogisticReg,
                       .label = "late",
                       .inputs = {{.name = "dep_delay", .mean = 10, .standard_deviation = 5}},
                       .classes = {"false", "true"}};
    catalog::State state = *catalog_.Get();
    const auto number = static_cast<int64_t>(state.versions["late"].size()) + 1;
    parts.scores = {{.intercept = static_cast<double>(-number), .weights = {0.25}}};
    session::StoredModel stored{
        .projection = {.inputs = {{.name = "dep_delay", .expression = "__braid_row.\"dep_delay\""}},
                       .label = "late",
                       .label_type = "BOOLEAN"},
        .core = std::make_shared<ml::GlmModel>(std::move(parts))};
    catalog::ModelVersion version{.model = "late",
                                  .version = number,
                                  .type = "logistic_reg",
                                  .created_at = "2024-01-01T00:00:00Z",
                                  .artefact_sha256 = models_->Put(stored)};
    lake::WriteTransaction transaction(*lake_, *run_, "a test");
    catalog::AddModelVersion(*run_, version);
    transaction.Commit("a test", "a test", "{}");
    state.versions["late"].push_back(version);
    state.aliases["late"]["champion"] = number;
    catalog_.Publish(std::move(state));
    return number;
  }

  template <typename Work>
  static Error ErrorOf(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::kInternal, "nothing was thrown");
  }
  template <typename Work>
  static ErrorCode CodeOf(Work work) {
    return ErrorOf(work).code();
  }

  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<capture::Log> log_;
  std::unique_ptr<session::ModelStore> models_;
  catalog::Catalog catalog_{catalog::State{}};
  lake::ReadRegistry reads_;
  std::unique_ptr<engine::Connection> run_;
};

}  // namespace braid::serve
